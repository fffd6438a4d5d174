# The kernel: build/kernel.elf.

# CALLS: the first three words of arguments in EAX, EDX, ECX, others on the stack, and all where there is "...".
# The kernel's assembly code counts on it. A library keeps the machine's convention (kernel/memory/lib.mk).
KERNEL_CALLS  := -mregparm=3
KERNEL_CFLAGS := -m32 -march=i686 -mtune=generic $(KERNEL_CALLS) -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie \
                 -mgeneral-regs-only -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
                 -fno-stack-protector -fno-common -fstack-usage $(WARNINGS) $(INCLUDES) \
                 -DPLATFORM_INLINE='"kernel/cpu/platform_inline.h"'
KERNEL_LDFLAGS := -m elf_i386 -static -nostdlib --build-id=none -z noexecstack -z max-page-size=4096

KERNEL_SOURCES := $(sort $(shell find kernel tests/kernel tests/model -name '*.c' -o -name '*.S'))
KERNEL_SOURCES := $(filter-out %.ld.S,$(KERNEL_SOURCES))
ifneq ($(SANITIZE),1)
KERNEL_SOURCES := $(filter-out kernel/sanitizer/% tests/kernel/sanitizer_test.c,$(KERNEL_SOURCES))
endif

# HEAP_DEBUG=n (kernel/memory/heap/README.md) concerns only the heap's own files, here and in the library; a
# sanitized kernel has the records and the quarantine of level 3, and its shadow instead of patterns.
ifneq ($(filter-out 0 1 2 3,$(HEAP_DEBUG))$(word 2,$(HEAP_DEBUG)),)
$(error HEAP_DEBUG=$(HEAP_DEBUG): a level from 0 to 3, please)
endif
ifeq ($(SANITIZE),1)
HEAP_CFLAGS := -DHEAP_DEBUG=3 -DHEAP_SHADOW=1
else
HEAP_CFLAGS := -DHEAP_DEBUG=$(or $(strip $(HEAP_DEBUG)),0)
endif
# The layer between the heap and its users is there in debug builds only.
HEAP_LEFT_OUT := $(if $(filter %=0,$(HEAP_CFLAGS)),kernel/memory/heap/debug/%)
KERNEL_SOURCES := $(filter-out $(HEAP_LEFT_OUT),$(KERNEL_SOURCES))
include kernel/failure/failure.mk
ifeq ($(FAILURES),1)
KERNEL_LDFLAGS += $(FAILURE_KERNEL_WRAPPED:%=--wrap=%)
else
KERNEL_SOURCES := $(filter-out kernel/failure/%,$(KERNEL_SOURCES))
endif
KERNEL_OBJECTS := $(KERNEL_SOURCES:%=$(BUILD)/kernel/%.o)
$(BUILD)/kernel/tests/model/records.c.o: $(RECORDS:%=tests/data/records/%.txt)

HEAP_OBJECTS := $(filter $(BUILD)/kernel/kernel/memory/heap/%,$(KERNEL_OBJECTS))
$(HEAP_OBJECTS): KERNEL_CFLAGS += $(HEAP_CFLAGS)
$(HEAP_OBJECTS): $(BUILD)/stamps/heap
$(BUILD)/stamps/heap: FORCE
	$(call stamp,$(HEAP_CFLAGS))

# What says that the processor is too old has to run on it.
$(addprefix $(BUILD)/kernel/kernel/,start/refuse.c.o device/serial/serial.c.o cpu/timer.c.o): \
    KERNEL_CFLAGS += -march=i386
# The compiler would recognise the loops of memset and its like, and call memset for them.
ifeq ($(shell $(CC) --version 2>/dev/null | grep -c clang),0)
KERNEL_KEEP_LOOPS := -fno-tree-loop-distribute-patterns
endif
$(BUILD)/kernel/kernel/lib/string.c.o: KERNEL_CFLAGS += -fno-builtin $(KERNEL_KEEP_LOOPS)

ifeq ($(SANITIZE),1)
include kernel/sanitizer/sanitizer.mk
endif

kernel: $(BUILD)/kernel.elf ## the kernel, build/kernel.elf (CC=clang works too)

$(BUILD)/stamps/kernel: FORCE
	$(call stamp,$(CC) $(KERNEL_CFLAGS) $(KERNEL_LDFLAGS) $(KERNEL_SOURCES))

$(BUILD)/kernel/%.c.o: %.c $(BUILD)/stamps/kernel
	$(call say,CC)
	mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/kernel/%.S.o: %.S $(BUILD)/stamps/kernel
	$(call say,CC)
	mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/kernel/kernel.ld: kernel/kernel.ld.S kernel/memory/memory.h
	mkdir -p $(@D)
	$(CC) -E -P -x assembler-with-cpp $(INCLUDES) -o $@ $<

# Two links: the first with an empty table of symbols, the second with the table made from the
# first. The table lies behind the text, so no function moves, and that is checked.
$(BUILD)/kernel/symbols-empty.S: tools/symbols.py
	mkdir -p $(@D)
	python3 tools/symbols.py table /dev/null > $@

$(BUILD)/kernel/symbols.S: $(BUILD)/kernel/first.nm tools/symbols.py
	python3 tools/symbols.py table $< > $@

$(BUILD)/kernel/symbols%.o: $(BUILD)/kernel/symbols%.S
	$(CC) $(KERNEL_CFLAGS) -c -o $@ $<
$(BUILD)/kernel/symbols.o: $(BUILD)/kernel/symbols.S
	$(CC) $(KERNEL_CFLAGS) -c -o $@ $<

$(BUILD)/kernel/first.nm: $(KERNEL_OBJECTS) $(BUILD)/kernel/symbols-empty.o $(BUILD)/kernel/kernel.ld
	$(LD) $(KERNEL_LDFLAGS) $(SANITIZE_LDFLAGS) -T $(BUILD)/kernel/kernel.ld -o $(BUILD)/kernel/first.elf \
	    $(KERNEL_OBJECTS) $(BUILD)/kernel/symbols-empty.o
	nm $(BUILD)/kernel/first.elf > $@

$(BUILD)/kernel.elf: $(BUILD)/kernel/symbols.o $(BUILD)/kernel/first.nm
	$(call say,LD)
	$(LD) $(KERNEL_LDFLAGS) $(SANITIZE_LDFLAGS) -T $(BUILD)/kernel/kernel.ld -o $@ $(KERNEL_OBJECTS) $<
	nm $@ > $(BUILD)/kernel/second.nm
	python3 tools/symbols.py same $(BUILD)/kernel/first.nm $(BUILD)/kernel/second.nm

# A Multiboot loader for tests, linked above what it loads.
STAGER_OBJECTS := $(BUILD)/kernel/tests/multiboot/stager.c.o $(BUILD)/kernel/tests/multiboot/stager.S.o \
                  $(BUILD)/kernel/kernel/lib/string.c.o
$(BUILD)/multiboot-stager.elf: $(STAGER_OBJECTS)
	$(LD) $(KERNEL_LDFLAGS) -e stager_start --section-start=.multiboot=0x02000000 -Ttext=0x02001000 \
	    -o $@ $^

-include $(shell find $(BUILD)/kernel -name '*.d' 2>/dev/null)
