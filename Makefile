# Stagedoor: the only entry point. `make help` prints what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:
SHELL := /bin/bash
# One job more than there are cores: something waits for the network or a disk, as a rule.
MAKEFLAGS += --jobs=$(shell expr $$(nproc) + 1)

# ---- what is built from what --------------------------------------------------------------------
# Everything but the mains goes into a few archives; a program takes out of them what it needs.
PROGRAMS := stagedoor stagedoor-shows stagedoor-reservations stagedoor-checkout stagedoor-edge \
            stagedoor-paydesk
MAIN_stagedoor := cli/main.c
MAIN_stagedoor-shows := services/shows/main.c
MAIN_stagedoor-reservations := services/reservations/main.c
MAIN_stagedoor-checkout := services/checkout/main.c
MAIN_stagedoor-edge := api/main.c
MAIN_stagedoor-paydesk := paydesk/main.c

IN_core := $(filter-out %/main.c schemas/generate.c,$(wildcard base/*.c schemas/*.c process/*.c bus/*.c services/*/*.c audit/*.c keys/*.c story/*.c manager/*.c))
IN_api  := $(filter-out %/main.c,$(wildcard api/*.c))
IN_cli  := $(filter-out %/main.c,$(wildcard cli/*.c))
IN_paydesk := $(filter-out %/main.c,$(wildcard paydesk/*.c))
IN_contract := $(filter-out %/main.c,$(wildcard contract/*.c))
WITH_stagedoor      := cli
WITH_stagedoor-edge := api
WITH_stagedoor-paydesk := paydesk
# The package: what was built, and what is packed as it lies here.
VERSION := $(shell sed -n 's/.*STAGEDOOR_VERSION "\(.*\)"/\1/p' base/version.h)
DEB     := build/stagedoor_$(VERSION)_$(shell dpkg --print-architecture 2>/dev/null).deb
PACKED  := $(shell find packaging schemas -type f)
SUPPORT := $(wildcard tests/support/*.c)
PLAYS   := $(wildcard tests/bus/plays/*.c)
TESTS   := $(patsubst tests/%.c,%,$(wildcard tests/unit/*.c tests/bus/*.c tests/audit/*.c))
SIM     := $(wildcard tests/sim/*.c)
FUZZ_SHARED := tests/fuzz/fuzz.c tests/fuzz/record.c
FUZZ    := $(patsubst tests/fuzz/%.c,%,$(filter-out $(FUZZ_SHARED),$(wildcard tests/fuzz/*.c)))

LIBRARIES  := rdkafka libmicrohttpd libcjson sqlite3 libcrypto libcurl
WARNINGS   := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
STANDARD   := -std=c11 -D_GNU_SOURCE -I.
# Asked once, and only after the libraries were installed.
LIB_CFLAGS  = $(eval LIB_CFLAGS := $(shell pkg-config --cflags $(LIBRARIES)))$(LIB_CFLAGS)
LIB_LIBS    = $(eval LIB_LIBS := $(shell pkg-config --libs $(LIBRARIES)))$(LIB_LIBS)
CFLAGS_ALL  = $(STANDARD) -g $(WARNINGS) -pthread -MMD -MP $(LIB_CFLAGS) $(CFLAGS)
# What is looked up in libraries is looked up at the start, and cannot be written afterwards.
LIBS        = $(LIB_LIBS) -lm -pthread -Wl,-z,relro,-z,now $(LDFLAGS)
SIM_LIBS    = -Wl,--wrap=codec_decode -Wl,--as-needed $(LIBS)

# Ways of building the same sources; the programs of the first land in build/bin. libFuzzer is
# clang's.
VARIANTS    := release asan tsan fuzz
build/fuzz/%: CC = clang
NEEDS_fuzz  := test
OPT_release := -O2
OPT_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan    := -O1 -fsanitize=thread
OPT_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
BIN_release := build/bin
BIN_asan    := build/asan/bin
BIN_tsan    := build/tsan/bin
BIN_fuzz    := build/fuzz/bin

comma := ,
define VARIANT
build/$(1)/%.o: %.c | build/.installed-$(or $(NEEDS_$(1)),run)
	@mkdir -p $$(@D)
	@echo "  cc $(1)/$$<"
	@$$(CC) $$(CFLAGS_ALL) $$(OPT_$(1)) -c $$< -o $$@

build/$(1)/openapi.o: build/openapi.c
	@mkdir -p $$(@D)
	@$$(CC) $$(CFLAGS_ALL) $$(OPT_$(1)) -c $$< -o $$@

build/$(1)/examples.o: build/examples.c
	@mkdir -p $$(@D)
	@$$(CC) $$(CFLAGS_ALL) $$(OPT_$(1)) -c $$< -o $$@

build/$(1)/core.a: $$(patsubst %.c,build/$(1)/%.o,$$(IN_core))
build/$(1)/api.a: $$(patsubst %.c,build/$(1)/%.o,$$(IN_api)) build/$(1)/openapi.o
build/$(1)/paydesk.a: $$(patsubst %.c,build/$(1)/%.o,$$(IN_paydesk))
build/$(1)/contract.a: $$(patsubst %.c,build/$(1)/%.o,$$(IN_contract))
build/$(1)/cli.a: $$(patsubst %.c,build/$(1)/%.o,$$(IN_cli)) build/$(1)/examples.o
build/$(1)/%.a:
	@rm -f $$@
	@ar rcs $$@ $$^

$$(addprefix build/$(1)/test/,$$(filter unit/edge_%,$$(TESTS))): build/$(1)/tests/support/edge/house.o build/$(1)/api.a
$$(addprefix build/$(1)/test/,$$(filter unit/cli_%,$$(TESTS))): build/$(1)/cli.a
$$(addprefix build/$(1)/test/,$$(filter unit/paydesk_%,$$(TESTS))): build/$(1)/paydesk.a
$$(addprefix build/$(1)/test/,$$(filter unit/contract%,$$(TESTS))): build/$(1)/contract.a
build/$(1)/test/bus/conformance: $$(patsubst %.c,build/$(1)/%.o,$$(PLAYS))
$$(addprefix build/$(1)/test/,$$(filter unit/%_memory,$$(TESTS))): build/$(1)/tests/support/famine/famine.o
build/$(1)/test/unit/%_memory: WRAPPED = $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc free abort bus_append bus_poll)
build/$(1)/tests/%.o: tests/%.c | build/.installed-test
	@mkdir -p $$(@D)
	@echo "  cc $(1)/$$<"
	@$$(CC) $$(CFLAGS_ALL) $$(OPT_$(1)) -c $$< -o $$@

build/$(1)/tests/sim/%.o: tests/sim/%.c | build/.installed-run
	@mkdir -p $$(@D)
	@echo "  cc $(1)/$$<"
	@$$(CC) $$(CFLAGS_ALL) $$(OPT_$(1)) -c $$< -o $$@

build/$(1)/test/%: build/$(1)/tests/%.o $$(patsubst %.c,build/$(1)/%.o,$$(SUPPORT)) build/$(1)/core.a
	@mkdir -p $$(@D)
	@$$(CC) $$(OPT_$(1)) $$(WRAPPED) -Wl,--start-group $$^ -Wl,--end-group -o $$@ -Wl,--as-needed -lcmocka $$(LIBS)

$$(BIN_$(1))/stagedoor-sim: $$(patsubst %.c,build/$(1)/%.o,$$(SIM)) build/$(1)/api.a build/$(1)/core.a
	@mkdir -p $$(@D)
	@$$(CC) $$(OPT_$(1)) $$^ -o $$@ $$(SIM_LIBS)
endef
$(foreach variant,$(VARIANTS),$(eval $(call VARIANT,$(variant))))

define PROGRAM
$$(BIN_$(1))/$(2): build/$(1)/$$(MAIN_$(2):.c=.o) $(patsubst %,build/$(1)/%.a,$(WITH_$(2)) core)
	@mkdir -p $$(@D)
	@echo "  ld $$@"
	@$$(CC) $$(OPT_$(1)) $$^ -o $$@ -Wl,--as-needed $$(LIBS)
endef
$(foreach variant,$(VARIANTS),$(foreach program,$(PROGRAMS),$(eval $(call PROGRAM,$(variant),$(program)))))

# What each target decodes lies in these archives besides core.
FUZZ_WITH_cli      := cli
FUZZ_WITH_codec    := cli
FUZZ_WITH_edge     := api
FUZZ_WITH_envelope := cli
FUZZ_WITH_json     := cli
FUZZ_WITH_keys     := api
FUZZ_WITH_paydesk  := paydesk api
FUZZ_MORE_edge     := build/fuzz/tests/support/edge/house.o
define FUZZ_TARGET
build/fuzz/target/$(1): build/fuzz/tests/fuzz/$(1).o $(FUZZ_MORE_$(1)) $(FUZZ_SHARED:%.c=build/fuzz/%.o) $(patsubst %,build/fuzz/%.a,$(FUZZ_WITH_$(1)) core)
	@mkdir -p $$(@D)
	@echo "  ld $$@"
	@$$(CC) $(OPT_fuzz) -fsanitize=fuzzer $$^ -o $$@ -Wl,--as-needed $$(LIBS)
endef
$(foreach target,$(FUZZ),$(eval $(call FUZZ_TARGET,$(target))))

build/release/preload/%.so: tests/support/preload/%.c | build/.installed-run
	@mkdir -p $(@D)
	@$(CC) $(STANDARD) $(WARNINGS) $(OPT_release) -fPIC -shared $< -o $@

build/release/schemas/generate: build/release/schemas/generate.o build/release/core.a
	@$(CC) $^ -o $@ -Wl,--as-needed $(LIBS)

build/release/contract/contract: build/release/contract/main.o build/release/contract.a build/release/core.a
	@$(CC) $^ -o $@ -Wl,--as-needed $(LIBS)

GENERATORS := build/release/schemas/generate build/release/contract/contract
# schemas/openapi.json and .html as C: api/openapi.h.
build/openapi.c: schemas/openapi.json schemas/openapi.html Makefile
	@mkdir -p $(@D)
	@{ echo '#include "api/openapi.h"'; \
	   for name in text:json html:html; do \
	       echo "static const struct text $${name%:*} = TEXT("; \
	       sed 's/[\\"]/\\&/g; s/.*/    "&\\n"/' schemas/openapi.$${name#*:}; \
	       echo ");"; \
	       echo "struct text openapi_$${name%:*}(void) { return $${name%:*}; }"; \
	   done; } > $@

# schemas/examples as C: cli/examples.h.
EXAMPLES := $(wildcard schemas/examples/*.json)
build/examples.c: $(EXAMPLES) Makefile
	@mkdir -p $(@D)
	@{ echo '#include "cli/examples.h"'; \
	   echo 'static const struct text examples[MESSAGE_COUNT] = {'; \
	   for file in $(EXAMPLES); do \
	       echo "    [MESSAGE_$$(basename $$file .json)] = TEXT("; \
	       sed 's/[\\"]/\\&/g; s/.*/        "&\\n"/' $$file; \
	       echo '    ),'; \
	   done; \
	   echo '};'; \
	   echo 'struct text example_text(enum message_type type) { return examples[type]; }'; } > $@

build/.installed-%: compose/install.sh
	@compose/install.sh $*
	@mkdir -p $(@D)
	@touch $@

# The official parsers of what we publish, from npm, for tests only. No install scripts are run.
build/.installed-node: tests/documents/package.json tests/documents/package-lock.json | build/.installed-test
	@echo "  npm build/node"
	@mkdir -p build/node
	@cp $^ build/node
	@npm ci --prefix build/node --ignore-scripts --no-audit --no-fund --loglevel=error >build/node/log 2>&1 || \
	    { cat build/node/log; false; }
	@touch $@

# What speaks to the edge by its own description, and knows Kubernetes' schemas, from PyPI, for tests only. Of
# docker-compose only the schema is used, so nothing that it needs comes with it.
build/.installed-venv: tests/documents/requirements.txt tests/compose/requirements.txt | build/.installed-test
	@echo "  pip build/venv"
	@/usr/bin/python3 -m venv --clear build/venv
	@{ build/venv/bin/pip install --quiet --disable-pip-version-check --no-input -r $< && \
	   build/venv/bin/pip install --quiet --disable-pip-version-check --no-input --no-deps -r $(word 2,$^); \
	 } >build/venv/log 2>&1 || \
	    { cat build/venv/log; false; }
	@touch $@

-include $(shell find $(VARIANTS:%=build/%) -name '*.d' 2>/dev/null)

# ---- what people do ------------------------------------------------------------------------------
.PHONY: help build run test check sim fuzz mutants chaos operations simulator-tools bench bench-edge bench-crowds kafka-up kafka-down fmt stage install uninstall deb deb-test compose-test schemas clean clean-run

BUS    ?= sqlite
LISTEN ?= 127.0.0.1:3000
DATA   ?= var
SEEDS  ?= 1000
AGAIN  ?= 1
FROM   ?= 1
SECONDS ?= 60
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
KAFKA_PORT ?= 9092
BUS_URL_sqlite = sqlite:$(DATA)/bus.db
BUS_URL_kafka  = kafka://localhost:$(KAFKA_PORT)
DATA_sqlite    = $(DATA)
DATA_kafka     = $(DATA)/edge-on-kafka

help: ## this text
	@echo "Stagedoor, the ticket engine that survives a hot on-sale."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'
	@echo
	@echo "  make run BUS=kafka     on a local Kafka instead of sqlite; LISTEN=HOST:PORT, DATA=DIR, KAFKA_PORT=N"
	@echo "  make run PAYDESK=succeed   with a payment provider to develop against (paydesk/README.md)"

build: $(addprefix build/bin/,$(PROGRAMS)) ## all programs, in build/bin

run: build $(if $(filter kafka,$(BUS)),kafka-up) ## build, start everything, load the sample's shows; Ctrl-C stops
	@exec build/bin/stagedoor up --bus $(BUS_URL_$(BUS)) --listen $(LISTEN) --data $(DATA_$(BUS)) --seed \
	    $(if $(PAYDESK),--paydesk '$(PAYDESK)')

kafka-up: | build/.installed-kafka ## start a local Kafka from Maven jars (no docker)
	@KAFKA_PORT=$(KAFKA_PORT) compose/local-kafka/kafka.sh up

kafka-down: ## stop it; its data stays
	@compose/local-kafka/kafka.sh down

UNIT_TESTS := $(filter-out unit/canary,$(filter unit/%,$(TESTS)))
FUZZ_TARGETS := $(addprefix build/fuzz/target/,$(FUZZ))
TEST_PROGRAMS := $(addprefix build/release/test/,$(TESTS) schemas/codec_check) \
                 $(addprefix build/asan/test/,$(UNIT_TESTS) bus/conformance) build/tsan/test/bus/conformance
# Those that take longest come first. One needs the whole machine, one an edge that was built to be
# watched.
E2E_LONG := $(addprefix tests/e2e/test_,paydesk.py evening.py unfit.py takeover.py tools.py sample.py)
HOT      := tests/e2e/test_hot.py
RACES    := tests/e2e/test_races.py
E2E      := $(E2E_LONG) $(filter-out $(E2E_LONG) $(HOT) $(RACES),$(wildcard tests/e2e/test_*.py))
CONFORMANCE := build/release/test/bus/conformance
NO_KAFKA    := STAGEDOOR_TEST_BACKENDS=sim,slowsim,sqlite
THREADS     := STAGEDOOR_TEST_BACKENDS=sqlite,kafka STAGEDOOR_TEST_THREADS=1 \
               TSAN_OPTIONS=suppressions=$(CURDIR)/tests/support/tsan.supp

test: build build/bin/stagedoor-sim build/asan/bin/stagedoor-sim $(TEST_PROGRAMS) $(FUZZ_TARGETS) build/tsan/bin/stagedoor-edge build/release/preload/famine.so $(GENERATORS) $(DEB) | build/.installed-test build/.installed-node build/.installed-venv build/.installed-kafka ## everything that can be tested, with a real Kafka
	@/usr/bin/python3 tests/run.py --canary build/release/test/unit/canary \
	    'e2e files waits kafka: $(E2E)' \
	    'kafka cmocka waits kafka: STAGEDOOR_TEST_BACKENDS=kafka build/release/test/bus/kafka_bus $(CONFORMANCE)' \
	    'chaos counted waits kafka: tests/chaos/chaos.py --smoke --patience 5 --out build/chaos-smoke' \
	    'bus-tsan cmocka waits kafka: $(THREADS) build/tsan/test/bus/conformance' \
	    'unknown files waits kafka: $(sort $(wildcard tests/chaos/test_*.py))' \
	    'bus cmocka waits: $(NO_KAFKA) $(CONFORMANCE)' \
	    'bus-asan cmocka waits: $(NO_KAFKA) build/asan/test/bus/conformance' \
	    'sim counted: build/bin/stagedoor-sim --seeds 5000 --again 5' \
	    'mutants counted: tests/mutants/mutants.py' \
	    'fuzz counted: tests/fuzz/run.py --jobs 1 --seconds 60 $(FUZZ_TARGETS)' \
	    'sim-list counted: build/bin/stagedoor-sim --list tests/sim/regressions.txt' \
	    'sim-asan counted: build/asan/bin/stagedoor-sim --seeds 50 --from 900000' \
	    'tsan pytest: $(RACES)' \
	    'documents pytest: tests/documents' \
	    'packaging pytest: tests/packaging' \
	    'compose pytest: tests/compose' \
	    'rules pytest: tests/check tests/mutants' \
	    'schemas pytest: tests/schemas' \
	    'audit pytest: tests/audit' \
	    'asan cmocka: $(addprefix build/asan/test/,$(UNIT_TESTS))' \
	    'unit cmocka: $(addprefix build/release/test/,$(UNIT_TESTS))' \
	    'hot pytest kafka alone: $(HOT)'

# What tests/mutants needs to build one more simulator: how to compile, what to link, and with what.
simulator-tools:
	@echo '$(CC) $(CFLAGS_ALL) $(OPT_release)'
	@echo '$(patsubst %.c,build/release/%.o,$(SIM)) build/release/api.a build/release/core.a'
	@echo '$(SIM_LIBS)'

mutants: build/bin/stagedoor-sim ## the bugs on purpose: the simulator must see each of them
	@tests/mutants/mutants.py $(if $(ONLY),--only $(ONLY))

sim: build/bin/stagedoor-sim ## the simulator: make sim SEEDS=100000 FROM=1 AGAIN=10, every tenth run twice
	@build/bin/stagedoor-sim --seeds $(SEEDS) --from $(FROM) --again $(AGAIN) --jobs $(shell nproc)

fuzz: $(FUZZ_TARGETS) | build/.installed-test ## every decoder, with any bytes: make fuzz SECONDS=3600, for all of them together
	@tests/fuzz/run.py --seconds $(SECONDS) --corpus build/fuzz/corpus $^

HOURS ?= 0
SECONDS_EACH ?= 1800
operations: build | build/.installed-test build/.installed-kafka ## customers buy while everything is reloaded, scaled and killed, on both buses
	@tests/chaos/operations.py --bus sqlite --seconds $(SECONDS_EACH)
	@tests/chaos/operations.py --bus kafka --seconds $(SECONDS_EACH)

chaos: build | build/.installed-test build/.installed-kafka ## real processes, real faults, real customers, on both buses; make chaos HOURS=8
	@tests/chaos/chaos.py --hours $(HOURS)

bench: build ## how fast a seat is held, on a running installation
	@build/bin/stagedoor bench reserve --url http://$(LISTEN) --data $(DATA_$(BUS)) --create 1000000 -c 1 --seconds 10
	@build/bin/stagedoor bench reserve --url http://$(LISTEN) --data $(DATA_$(BUS)) --create 1000000 -c 64 --seconds 10

build/release/tests/bench/bare: build/release/tests/bench/bare.o
	@$(CC) $(OPT_release) $^ -o $@ -Wl,--as-needed $(LIBS)

bench-edge: build build/release/tests/bench/bare | build/.installed-bench ## looking at a show during a sale, beside a bare libmicrohttpd
	@tests/bench/edge.py

bench-crowds: build ## buying beside a thousand bad connections, a thousand viewers, and ten times too many
	@tests/bench/crowds.py

C_FILES = $(shell git ls-files '*.c' '*.h')

check: build $(GENERATORS) $(addprefix build/asan/test/,$(UNIT_TESTS)) build/release/test/unit/canary | build/.installed-test ## the rules of STYLE.md, a second compiler, static analysis, sanitizers
	@/usr/bin/python3 tests/check/check.py
	@echo "clang: every file compiles without a warning"
	@printf '%s\n' $(filter %.c,$(C_FILES)) | xargs -P2 -n8 clang $(STANDARD) $(WARNINGS) $(LIB_CFLAGS) -fsyntax-only
	@echo "cppcheck"
	@cppcheck --std=c11 --language=c -D_GNU_SOURCE -I. --enable=warning,performance,portability --inline-suppr \
	    --suppress=missingIncludeSystem --quiet --error-exitcode=1 -j2 base schemas process bus services contract audit keys story api cli paydesk
	@echo "clang-tidy"
	@printf '%s\n' $(filter-out tests/%,$(filter %.c,$(C_FILES))) | xargs -P2 -n4 sh -c 'clang-tidy --quiet "$$@" -- $(STANDARD) $(LIB_CFLAGS) 2>/dev/null' tidy
	@echo "sanitizers"
	@/usr/bin/python3 tests/run.py --canary build/release/test/unit/canary 'asan cmocka: $(addprefix build/asan/test/,$(UNIT_TESTS))'
	@echo "all rules hold"

schemas: $(GENERATORS) | build/.installed-test ## write what comes from the tables: JSON Schemas, schemas/asyncapi.yaml, the drawings
	@build/release/schemas/generate schemas/json
	@build/release/contract/contract write .
	@schemas/openapi.py

fmt: ## clang-format on every C file
	@clang-format -i $(C_FILES)

# What is installed is first put together below build/stage as it will lie below PREFIX.
STAGE := build/stage
SETTINGS = $(DESTDIR)$(SYSCONFDIR)/stagedoor/stagedoor.conf
STAGED = cd $(STAGE) && find . ! -type d -printf '%P\n'
stage: build
	@ZSHDIR=$(ZSHDIR) packaging/stage.sh $(STAGE) $(PREFIX) $(SYSCONFDIR) $(PROGRAMS)

install: stage ## programs, manual, completions, units, schemas: make install PREFIX=/usr/local DESTDIR=
	@install -d $(DESTDIR)$(PREFIX)
	@cp -r --preserve=mode,timestamps,links $(STAGE)/. $(DESTDIR)$(PREFIX)
	@[ -e $(SETTINGS) ] || install -D -m 0644 packaging/stagedoor.conf $(SETTINGS)

uninstall: stage ## takes away what install put there; data and settings stay
	@$(STAGED) | (cd $(DESTDIR)$(PREFIX) && xargs -d '\n' rm -f)
	@rm -rf $(DESTDIR)$(PREFIX)/share/stagedoor $(DESTDIR)$(PREFIX)/share/doc/stagedoor

# debhelper stands in a folder of its own, and packs what `make install` puts there.
$(DEB): $(addprefix build/bin/,$(PROGRAMS)) $(PACKED) | build/.installed-package
	@echo "  deb $@"
	@rm -rf build/deb
	@mkdir -p build/deb
	@cp -r packaging/debian build/deb
	@cd build/deb && SOURCE=$(CURDIR) dpkg-buildpackage -b -us -uc -nc -d >log 2>&1 || { tail -n 30 log; false; }

deb: $(DEB) ## a Debian package, in build

# The smallest Debian that starts by systemd, with what the package depends on.
build/debian: packaging/debian/control | $(DEB)
	@packaging/debian-base.sh $@ $(DEB)
	@touch $@

deb-test: $(DEB) build/debian | build/.installed-test ## the package in a clean Debian, its units under a real systemd; as root
	@/usr/bin/python3 -m pytest -q -p no:cacheprovider tests/packaging/house.py

# What stands in for an image is taken away again: nobody shall find it under a name that is not its own.
compose-test: | build/.installed-test ## compose/ with a container engine: everyone killed, all down and up; as root
	@tests/compose/standins.sh make
	@/usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/compose/house.py; ended=$$?; \
	    tests/compose/standins.sh remove; exit $$ended

clean: ## what was built; clean-run: the data of make run as well
	@rm -rf build

clean-run:
	@rm -rf var
