# 32RTOS: `make help` lists the targets and the variables.
#
# The parts of the build stand beside what they build: kernel/kernel.mk, boot/boot.mk, tools/tools.mk,
# tests/tests.mk. Everything that is made lands in $(BUILD).

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
# As many jobs as there are processors, for who says nothing else.
ifeq ($(MAKELEVEL)$(findstring -j,$(MAKEFLAGS)),0)
MAKEFLAGS += --jobs=$(shell nproc)
endif

ifeq ($(wildcard kernel/memory/memory.h),)
$(error 32RTOS: make works in the top folder of the tree: make -C FOLDER ...)
endif

# Where everything that is made goes: a folder of its own, with a name that make and the tools can carry.
BUILD ?= build
ifeq ($(strip $(BUILD)),)
override BUILD := build
endif
HASH  := \#
COMMA := ,
ifneq ($(words $(BUILD))$(strip $(foreach bad,: ' " % ; & * ? ~ $(HASH) $(COMMA),$(findstring $(bad),$(BUILD)))),1)
$(error 32RTOS: BUILD=$(BUILD): a folder name without blanks and without : ' " % ; & * ? ~ $(HASH) $(COMMA) please)
endif
ifneq ($(filter $(patsubst %/,%,$(abspath $(BUILD)))/%,$(CURDIR)/),)
$(error 32RTOS: BUILD=$(BUILD) is the tree itself or above it: a folder of its own, please)
endif

ifeq ($(origin CC),default)
CC := gcc
endif

WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wvla -Wundef \
            -Werror=int-conversion
INCLUDES := -I.

# V=1 shows the commands; otherwise each recipe says in a word what it makes: $(call say,CC).
ifneq ($(V),1)
.SILENT:
say = $(info $(shell printf '  %-4s' $(1)) $(@:$(BUILD)/%=%))
endif

# $(call stamp,TEXT): makes the target hold the text, and touches it only when the text has changed. Objects
# depend on such a file with their compiler, flags and list of sources, so that a change of those makes them anew.
stamp = $(shell mkdir -p $(@D))$(file >$@.new,$(1))cmp -s $@.new $@ || cp $@.new $@

.PHONY: kernel image tools run debug test clean help FORCE
FORCE:

include bench/machine/machine.mk
include tools/tools.mk
include kernel/kernel.mk
include kernel/memory/lib.mk
include boot/boot.mk
include user/user.mk
include bench/user/bench.mk
include tests/tests.mk
include tests/user/stress/stress.mk
include tests/coverage.mk
include tests/fuzz/fuzz.mk
include bench/host/bench.mk

clean: ## remove everything that was built
	if [[ -d '$(BUILD)' && ! -d '$(BUILD)/packages' ]]; then \
	    echo "32RTOS: '$(BUILD)' does not look like a build of this tree: not removed" >&2; exit 1; fi
	rm -rf -- '$(BUILD)'

help: ## this list
	awk -f tools/help.awk $(filter-out %.d,$(MAKEFILE_LIST))
