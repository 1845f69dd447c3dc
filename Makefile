# Stagedoor: the only entry point. `make help` prints what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

# ---- what is built from what --------------------------------------------------------------------
BASE     := $(wildcard base/*.c)
SCHEMAS  := $(filter-out schemas/generate.c,$(wildcard schemas/*.c))
BUS      := $(filter-out bus/sim%.c,$(wildcard bus/*.c))
SIM      := $(wildcard bus/sim*.c)
SERVICES := $(filter-out %/main.c,$(wildcard services/*/*.c))
API      := $(filter-out api/main.c,$(wildcard api/*.c))
CLI      := $(filter-out cli/main.c,$(wildcard cli/*.c))
SUPPORT  := $(wildcard tests/support/*.c)

LIBRARIES := rdkafka libmicrohttpd libcjson sqlite3 libcrypto libcurl
CFLAGS_ALL = -std=c11 -D_GNU_SOURCE -I. -g -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
             -Wmissing-prototypes -Wvla -Werror -pthread -MMD -MP $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null) $(CFLAGS)
LIBS      = $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) -lm -pthread $(LDFLAGS)

# Three ways of building the same sources; binaries of the first land in build/bin.
VARIANTS     := release asan tsan
OPT_release  := -O2
OPT_asan     := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan     := -O1 -fsanitize=thread
BIN_release  := build/bin
BIN_asan     := build/asan/bin
BIN_tsan     := build/tsan/bin

TESTS_C := $(patsubst tests/%.c,%,$(wildcard tests/unit/*.c tests/bus/*.c tests/sim/*.c))

define VARIANT
build/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS_ALL) $$(OPT_$(1)) -c $$< -o $$@

LIB_$(1) := $$(patsubst %.c,build/$(1)/%.o,$$(BASE) $$(SCHEMAS) $$(BUS))
SIM_$(1) := $$(patsubst %.c,build/$(1)/%.o,$$(SIM))
SERVICES_$(1) := $$(patsubst %.c,build/$(1)/%.o,$$(SERVICES))

$$(BIN_$(1))/stagedoor-shows $$(BIN_$(1))/stagedoor-reservations $$(BIN_$(1))/stagedoor-checkout: \
$$(BIN_$(1))/stagedoor-%: build/$(1)/services/%/main.o $$(SERVICES_$(1)) $$(LIB_$(1))
$$(BIN_$(1))/stagedoor-edge: build/$(1)/api/main.o $$(patsubst %.c,build/$(1)/%.o,$$(API)) $$(LIB_$(1))
$$(BIN_$(1))/stagedoor: build/$(1)/cli/main.o $$(patsubst %.c,build/$(1)/%.o,$$(CLI)) $$(LIB_$(1))
$$(BIN_$(1))/%:
	@mkdir -p $$(@D)
	$$(CC) $$(OPT_$(1)) $$^ -o $$@ $$(LIBS)

build/$(1)/test/%: build/$(1)/tests/%.o $$(patsubst %.c,build/$(1)/%.o,$$(SUPPORT) $$(API) $$(CLI)) $$(SERVICES_$(1)) $$(LIB_$(1)) $$(SIM_$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(OPT_$(1)) $$^ -o $$@ -lcmocka $$(LIBS)

PROGRAMS_$(1) := $$(addprefix $$(BIN_$(1))/,stagedoor stagedoor-shows stagedoor-reservations stagedoor-checkout stagedoor-edge)
TESTS_$(1) := $$(addprefix build/$(1)/test/,$$(TESTS_C))
endef
$(foreach variant,$(VARIANTS),$(eval $(call VARIANT,$(variant))))

-include $(shell find build -name '*.d' 2>/dev/null)
.SECONDARY:
