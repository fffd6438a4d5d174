# Tests: host tests of the memory tree as 32-bit and as 64-bit code with sanitizers, fuzz targets, and the machine's own.

# What each host test links, besides the test itself, the fake platform and the pure library.
MEMORY_e820      := kernel/memory/e820
MEMORY_bytemap   := kernel/memory/bytemap
MEMORY_pageframe := $(MEMORY_bytemap) $(MEMORY_e820) kernel/memory/pageframe
MEMORY_paging    := $(MEMORY_pageframe) kernel/memory/paging
MEMORY_heap      := $(MEMORY_paging) kernel/memory/heap
MEMORY_system    := $(MEMORY_heap)
MEMORY_model     := $(MEMORY_heap)
MEMORY_space     := $(MEMORY_heap) kernel/space
MEMORY_file      := $(MEMORY_heap)

# What lies outside the memory tree is linked file by file: the pure parts of the kernel around it.
SOURCES_e820     := tests/unit/e820_oracle.c tools/e820-regions/table.c
SOURCES_system   := tools/e820-regions/table.c
SOURCES_space    := tests/unit/space_machine.c
SOURCES_monitor  := $(addprefix kernel/debug/monitor/,editor.c parse.c picture.c) kernel/lib/words.c
SOURCES_acpi     := kernel/device/acpi/tables.c
SOURCES_screen   := $(addprefix kernel/device/screen/,screen.c terminal.c terminal_glyph.c terminal_sequence.c)
SOURCES_start    := $(addprefix kernel/start/,commandline.c multiboot.c multiboot1.c multiboot2.c) \
                    kernel/memory/e820/e820.c tests/unit/start_loader.c
SOURCES_mtrr     := kernel/cpu/mtrr_plan.c
SOURCES_thread   := kernel/thread/run_queue.c kernel/thread/timer_heap.c kernel/cpu/rtc_time.c
SOURCES_file     := $(filter-out %/console.c %/machine.c,$(wildcard kernel/file/*.c)) \
                    $(wildcard kernel/syscall/file*.c) kernel/space/commit.c tests/unit/heap_machine_test.c
SOURCES_process  := $(addprefix kernel/process/,elf.c signal_set.c)
SOURCES_keyboard := kernel/device/keyboard/scancode.c

SOURCES_model    := $(wildcard tests/model/*.c) kernel/failure/failure.c tests/unit/heap_machine_test.c
$(foreach bits,32 64,$(BUILD)/unit/$(bits)/tests/model/records.c.o): $(RECORDS:%=tests/data/records/%.txt)
# Allocations fail on demand (kernel/failure).
UNIT_LINK_model  := $(FAILURE_WRAPPED:%=-Wl,--wrap=%)

UNIT_SHARED := kernel/lib/format.c kernel/lib/errors.c kernel/memory/check.c kernel/memory/memory.c \
               $(wildcard tests/unit/host/*.c)

unit-sources = $(wildcard $(addsuffix /*.c,$(MEMORY_$(1)))) $(wildcard tests/unit/$(1)*_test.c) \
               $(SOURCES_$(1)) $(UNIT_SHARED) $(if $(filter system,$(1)),kernel/memory/system.c)

UNIT_TESTS  := e820 bytemap pageframe paging heap model system space format monitor acpi screen keyboard mtrr boot start thread process \
               file
# What stands in front of a 32-bit program: nothing, or an emulator, which cannot carry the address sanitizer.
RUN32 := $(shell tools/run32 --prefix)
export RUN32

UNIT_CFLAGS := -std=gnu11 -D_FILE_OFFSET_BITS=64 -O1 -g -fno-omit-frame-pointer $(WARNINGS) $(INCLUDES) -fno-pie -fno-sanitize-recover=all
UNIT_SANITIZE_64 := -fsanitize=address,undefined
UNIT_SANITIZE_32 := -fsanitize=$(if $(RUN32),,address$(COMMA))undefined

# unit-program NAME BITS: one program of tests, build/unit/NAME-BITS. It lies above the kernel's rows, so that the
# heap's window is at its real address (tests/unit/host/mmu.h).
define unit-program
$(BUILD)/unit/$(1)-$(2): $(patsubst %,$(BUILD)/unit/$(2)/%.o,$(call unit-sources,$(1)))
	mkdir -p $$(@D)
	$(CC) -m$(2) -no-pie -Wl,-Ttext-segment=0x10000000 $(UNIT_CFLAGS) $(UNIT_SANITIZE_$(2)) $(UNIT_LINK_$(1)) -o $$@ $$^
unit-$(1): $(BUILD)/unit/$(1)-$(2)
endef

$(BUILD)/stamps/unit: FORCE
	$(call stamp,$(CC) $(UNIT_CFLAGS) $(UNIT_SANITIZE_32) $(UNIT_SANITIZE_64))

define unit-objects
$(BUILD)/unit/$(1)/%.c.o: %.c $(BUILD)/stamps/unit
	$$(call say,CC)
	mkdir -p $$(@D)
	$(CC) -m$(1) $(UNIT_CFLAGS) $(UNIT_SANITIZE_$(1)) -MMD -MP -c -o $$@ $$<
endef

$(foreach bits,32 64,$(eval $(call unit-objects,$(bits))))
$(foreach test,$(UNIT_TESTS),$(foreach bits,32 64,$(eval $(call unit-program,$(test),$(bits)))))

# The heap's debug builds: debug1 to debug3, which share all objects but the heap's own.
DEBUG_LEVELS  := 1 2 3
DEBUG_SOURCES := $(wildcard $(addsuffix /*.c,$(MEMORY_heap) kernel/memory/heap/debug)) $(wildcard tests/unit/debug*_test.c) \
                 tests/unit/heap_machine_test.c $(UNIT_SHARED)
DEBUG_OWN     := kernel/memory/heap/% tests/unit/debug%

define debug-program
$(BUILD)/unit/debug$(1)-$(2): $(patsubst %,$(BUILD)/unit/$(2)/%.o,$(filter-out $(DEBUG_OWN),$(DEBUG_SOURCES))) \
                              $(patsubst %,$(BUILD)/unit/debug$(1)/$(2)/%.o,$(filter $(DEBUG_OWN),$(DEBUG_SOURCES)))
	mkdir -p $$(@D)
	$(CC) -m$(2) -no-pie -Wl,-Ttext-segment=0x10000000 $(UNIT_CFLAGS) $(UNIT_SANITIZE_$(2)) -o $$@ $$^
unit-debug$(1): $(BUILD)/unit/debug$(1)-$(2)

$(BUILD)/unit/debug$(1)/$(2)/%.c.o: %.c $(BUILD)/stamps/unit
	$$(call say,CC)
	mkdir -p $$(@D)
	$(CC) -m$(2) $(UNIT_CFLAGS) $(UNIT_SANITIZE_$(2)) -DHEAP_DEBUG=$(1) -MMD -MP -c -o $$@ $$<
endef

$(foreach bits,32 64,$(foreach level,$(DEBUG_LEVELS),$(eval $(call debug-program,$(level),$(bits)))))
UNIT_TESTS += $(DEBUG_LEVELS:%=debug%)

UNIT_PROGRAMS := $(foreach test,$(UNIT_TESTS),$(BUILD)/unit/$(test)-32 $(BUILD)/unit/$(test)-64)
-include $(shell find $(BUILD)/unit -name '*.d' 2>/dev/null)

# `make unit-e820` builds and runs the tests of one module.
.PHONY: $(UNIT_TESTS:%=unit-%)
$(UNIT_TESTS:%=unit-%): unit-%:
	$(RUN32) $(BUILD)/unit/$*-32
	$(BUILD)/unit/$*-64

# The whole suite: two at a time, the way the machines for which it is meant have cores.
#@ TESTS=          what of the suite to run: a path, or -k EXPRESSION
TESTS ?= tests
.PHONY: sanitized-image failing-image
failing-image: # tests/system/test_failure.py boots it
	$(MAKE) FAILURES=1 BUILD='$(BUILD)' ARCHIVE=empty image kernel
sanitized-image: # tests/system/test_sanitizer.py boots it
	$(MAKE) SANITIZE=1 CC=gcc BUILD='$(BUILD)' ARCHIVE=empty image
# tests/system/test_heap_debug.py boots these. They are made one after the other in one folder, in which only the
# heap's own files change: so it is tested, too, that they do.
.PHONY: debug-images $(DEBUG_LEVELS:%=debug-image-%)
debug-images: $(DEBUG_LEVELS:%=debug-image-%)
debug-image-2: debug-image-1
debug-image-3: debug-image-2
$(DEBUG_LEVELS:%=debug-image-%): debug-image-%:
	$(MAKE) SANITIZE= HEAP_DEBUG=$* CC=gcc BUILD='$(BUILD)/heap' ARCHIVE=empty image
	mkdir -p '$(BUILD)/heap/level$*'
	cp '$(BUILD)/heap/32rtos-empty.iso' '$(BUILD)/heap/level$*'
test: debug-images check-programs stress-archive
test: kernel $(IMAGE_full) $(IMAGE_empty) tools programs archives sanitized-image failing-image $(UNIT_PROGRAMS) ## build and pass every test
	BUILD='$(abspath $(BUILD))' /usr/bin/pytest-3 -q -n 2 $(TESTS)
