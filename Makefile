# Stagedoor: the only entry point. `make help` prints what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:
SHELL := /bin/bash

# ---- what is built from what --------------------------------------------------------------------
# Everything but the mains goes into three archives; a program takes out of them what it needs.
PROGRAMS := stagedoor stagedoor-shows stagedoor-reservations stagedoor-checkout stagedoor-edge
MAIN_stagedoor := cli/main.c
MAIN_stagedoor-shows := services/shows/main.c
MAIN_stagedoor-reservations := services/reservations/main.c
MAIN_stagedoor-checkout := services/checkout/main.c
MAIN_stagedoor-edge := api/main.c

IN_core := $(filter-out %/main.c schemas/generate.c,$(wildcard base/*.c schemas/*.c bus/*.c services/*/*.c))
IN_api  := $(filter-out %/main.c,$(wildcard api/*.c))
IN_cli  := $(filter-out %/main.c,$(wildcard cli/*.c))
WITH_stagedoor      := cli
WITH_stagedoor-edge := api
SUPPORT := $(wildcard tests/support/*.c)
TESTS   := $(patsubst tests/%.c,%,$(wildcard tests/unit/*.c tests/bus/*.c))
SIM     := $(wildcard tests/sim/*.c)

LIBRARIES  := rdkafka libmicrohttpd libcjson sqlite3 libcrypto libcurl
WARNINGS   := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CFLAGS_ALL  = -std=c11 -D_GNU_SOURCE -I. -g $(WARNINGS) -pthread -MMD -MP \
              $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null) $(CFLAGS)
LIBS        = $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) -lm -pthread $(LDFLAGS)

# Three ways of building the same sources; the programs of the first land in build/bin.
VARIANTS    := release asan tsan
OPT_release := -O2
OPT_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan    := -O1 -fsanitize=thread
BIN_release := build/bin
BIN_asan    := build/asan/bin
BIN_tsan    := build/tsan/bin

define VARIANT
build/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	@echo "  cc $(1)/$$<"
	@$$(CC) $$(CFLAGS_ALL) $$(OPT_$(1)) -c $$< -o $$@

build/$(1)/core.a: $$(patsubst %.c,build/$(1)/%.o,$$(IN_core))
build/$(1)/api.a: $$(patsubst %.c,build/$(1)/%.o,$$(IN_api))
build/$(1)/cli.a: $$(patsubst %.c,build/$(1)/%.o,$$(IN_cli))
build/$(1)/%.a:
	@rm -f $$@
	@ar rcs $$@ $$^

build/$(1)/test/unit/edge_%: build/$(1)/api.a
build/$(1)/test/unit/cli_%: build/$(1)/cli.a
build/$(1)/test/%: build/$(1)/tests/%.o $$(patsubst %.c,build/$(1)/%.o,$$(SUPPORT)) build/$(1)/core.a
	@mkdir -p $$(@D)
	@$$(CC) $$(OPT_$(1)) -Wl,--start-group $$^ -Wl,--end-group -o $$@ -Wl,--as-needed -lcmocka $$(LIBS)

$$(BIN_$(1))/stagedoor-sim: $$(patsubst %.c,build/$(1)/%.o,$$(SIM)) build/$(1)/core.a
	@mkdir -p $$(@D)
	@$$(CC) $$(OPT_$(1)) $$^ -o $$@ -Wl,--as-needed $$(LIBS)
endef
$(foreach variant,$(VARIANTS),$(eval $(call VARIANT,$(variant))))

define PROGRAM
$$(BIN_$(1))/$(2): build/$(1)/$$(MAIN_$(2):.c=.o) $(patsubst %,build/$(1)/%.a,$(WITH_$(2)) core)
	@mkdir -p $$(@D)
	@echo "  ld $$@"
	@$$(CC) $$(OPT_$(1)) $$^ -o $$@ -Wl,--as-needed $$(LIBS)
endef
$(foreach variant,$(VARIANTS),$(foreach program,$(PROGRAMS),$(eval $(call PROGRAM,$(variant),$(program)))))

build/release/schemas/generate: build/release/schemas/generate.o build/release/core.a
	@$(CC) $^ -o $@ -Wl,--as-needed $(LIBS)

-include $(shell find build -name '*.d' 2>/dev/null)
