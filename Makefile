# 32RTOS: `make help` lists the targets and the variables.
#
# The parts of the build stand beside what they build: kernel/kernel.mk, boot/boot.mk, tools/tools.mk,
# tests/tests.mk. Everything that is made lands in $(BUILD).

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif

WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wvla -Wundef \
            -Werror=int-conversion
INCLUDES := -I.

# V=1 shows the commands.
ifneq ($(V),1)
.SILENT:
endif

.PHONY: kernel image tools run debug test clean help

include bench/machine/machine.mk
include tools/tools.mk
include kernel/kernel.mk
include kernel/memory/lib.mk
include boot/boot.mk
include tests/tests.mk
include tests/fuzz/fuzz.mk
include bench/host/bench.mk

clean: ## remove everything that was built
	rm -rf -- '$(BUILD)'

help: ## this list
	awk -f tools/help.awk $(filter-out %.d,$(MAKEFILE_LIST))
