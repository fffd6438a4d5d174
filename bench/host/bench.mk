# Measurements on the host: the heap and the frame allocator as 32-bit code, side by side with others.
# bench/README.md says what is measured and how.

BENCH := $(BUILD)/bench

# As the figures that these are compared with were measured; the frame pointer, which the kernel keeps, is left out.
BENCH_CFLAGS := -m32 -O2 -march=i686 -mtune=generic -std=gnu11 -fno-pie -fno-stack-protector -fcf-protection=none \
                $(WARNINGS) $(INCLUDES)
BENCH_MEMORY_CFLAGS := $(BENCH_CFLAGS) -ffreestanding -mgeneral-regs-only -fno-common \
                       -fno-asynchronous-unwind-tables -include kernel/include/types.h \
                       -DPLATFORM_INLINE='"bench/host/platform_inline.h"'
BENCH_DRIVER_CFLAGS := $(BENCH_CFLAGS) -DPLATFORM_INLINE='"bench/host/platform_inline.h"'

BENCH_SHARED := kernel/memory/check.c kernel/memory/memory.c kernel/lib/string.c kernel/lib/format.c kernel/lib/errors.c
BENCH_frame  := $(wildcard kernel/memory/bytemap/*.c kernel/memory/pageframe/*.c) $(BENCH_SHARED)
BENCH_heap   := $(BENCH_frame) $(wildcard kernel/memory/paging/*.c kernel/memory/heap/*.c)
BENCH_REFERENCES := bench/host/reference_stack.c bench/host/reference_buddy.c

# The memory tree in four forms: pool or kernel (how many empty pages the heap keeps: all, or as many as in the
# kernel), plain or counted (each basic block counts its instructions).
BENCH_DEFINES_pool   := -DHEAP_CACHED_MAX=65536u
BENCH_DEFINES_kernel :=

# Its string functions are the kernel's own, renamed so that the driver keeps those of the C library.
BENCH_RENAMED := memcpy memmove memset memcmp strlen strnlen strcmp strncmp strchr strlcpy
BENCH_RENAME  := $(foreach name,$(BENCH_RENAMED),--redefine-sym $(name)=kernel_$(name))

# bench-memory FORM: objects of one of pool and kernel.
define bench-memory
$(BENCH)/$(1)/plain/%.c.o: %.c
	@mkdir -p $$(@D)
	$$(CC) $$(BENCH_MEMORY_CFLAGS) $$(BENCH_DEFINES_$(1)) -MMD -MP -c -o $$@ $$<
$(BENCH)/$(1)/counted/%.c.s: %.c
	@mkdir -p $$(@D)
	$$(CC) $$(BENCH_MEMORY_CFLAGS) $$(BENCH_DEFINES_$(1)) -MMD -MP -S -o $$@ $$<
endef
$(foreach form,pool kernel,$(eval $(call bench-memory,$(form))))

$(BENCH)/%.c.counted.s: $(BENCH)/%.c.s bench/host/count_instructions.py
	python3 bench/host/count_instructions.py $< $@
$(BENCH)/%.c.o: $(BENCH)/%.c.counted.s
	$(CC) -m32 -c -o $@ $<
.PRECIOUS: $(BENCH)/%.c.counted.s $(BENCH)/%.c.s

# bench-memory-link OUT SOURCES FORM KIND
define bench-memory-link
$(BENCH)/$(1)-$(3)-$(4).o: $(patsubst %,$(BENCH)/$(3)/$(4)/%.o,$(2))
	$$(LD) -m elf_i386 -r -o $$@.renaming $$^
	objcopy $$(BENCH_RENAME) $$@.renaming $$@
	rm -f $$@.renaming
endef
$(foreach form,pool kernel,$(foreach kind,plain counted,\
    $(eval $(call bench-memory-link,heap,$(BENCH_heap),$(form),$(kind)))))
$(foreach kind,plain counted,$(eval $(call bench-memory-link,frame,$(BENCH_frame) $(BENCH_REFERENCES),kernel,$(kind))))

# The drivers: what times, and what meters calls.
$(BENCH)/time/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_DRIVER_CFLAGS) -MMD -MP -c -o $@ $<
$(BENCH)/meter/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_DRIVER_CFLAGS) -DMETER -MMD -MP -c -o $@ $<

BENCH_METER        := bench/host/meter.c bench/host/measured.c
BENCH_DRIVER_heap  := $(addprefix bench/host/,heap_traces.c heap_allocators.c machine.c machine_heap.c)
BENCH_DRIVER_frame := $(addprefix bench/host/,frame_traces.c frame_allocators.c machine.c)

# The programs lie above the kernel's rows, so that the heap's window is at its real address. Those for callgrind are
# static: it puts the dynamic loader into the window.
BENCH_LINK = $(CC) -m32 -no-pie -Wl,-Ttext-segment=0x10000000 -o $@ $^

# bench-program NAME FORM: plain and timed; plain and metered, for callgrind; counted and metered.
define bench-program
$(BENCH)/$(1)-$(2)-time: $(BENCH_DRIVER_$(1):%=$(BENCH)/time/%.o) $(BENCH)/$(1)-$(2)-plain.o
	$$(BENCH_LINK)
$(BENCH)/$(1)-$(2)-plain: $(patsubst %,$(BENCH)/meter/%.o,$(BENCH_DRIVER_$(1)) $(BENCH_METER)) $(BENCH)/$(1)-$(2)-plain.o
	$$(BENCH_LINK) -static
$(BENCH)/$(1)-$(2)-count: $(patsubst %,$(BENCH)/meter/%.o,$(BENCH_DRIVER_$(1)) $(BENCH_METER)) $(BENCH)/$(1)-$(2)-counted.o
	$$(BENCH_LINK)
endef
$(eval $(call bench-program,heap,pool))
$(eval $(call bench-program,heap,kernel))
$(eval $(call bench-program,frame,kernel))

# What counts the C library's allocator, or what is preloaded in its place.
$(BENCH)/heap-system: $(patsubst %,$(BENCH)/meter/%.o,$(BENCH_DRIVER_heap) $(BENCH_METER)) $(BENCH)/heap-pool-plain.o
	$(BENCH_LINK)

# The searches for the worst call.
$(BENCH)/heap-pool-hunt: $(patsubst %,$(BENCH)/meter/bench/host/%.c.o,heap_hunt hunt meter measured machine machine_heap) \
                         $(BENCH)/heap-pool-counted.o
	$(BENCH_LINK)
$(BENCH)/heap-kernel-hunt: $(patsubst %,$(BENCH)/meter/bench/host/%.c.o,heap_hunt hunt meter measured machine machine_heap) \
                           $(BENCH)/heap-kernel-counted.o
	$(BENCH_LINK)
$(BENCH)/frame-hunt: $(patsubst %,$(BENCH)/meter/bench/host/%.c.o,frame_hunt hunt meter measured machine) \
                     $(BENCH)/frame-kernel-counted.o
	$(BENCH_LINK)

BENCH_PROGRAMS := $(addprefix $(BENCH)/,heap-pool-hunt heap-kernel-hunt frame-hunt) $(BENCH)/heap-system $(foreach kind,time plain count,$(foreach name,heap-pool heap-kernel frame-kernel,\
                    $(BENCH)/$(name)-$(kind)))
-include $(shell find $(BENCH) -name '*.d' 2>/dev/null)

# Others to compare with. What cannot be had now is not tried again in this build folder.
$(BENCH)/packaged.tried: bench/host/packaged
	@mkdir -p $(@D)
	bench/host/packaged '$(BENCH)/packaged'
	touch $@

#@ TRACE=          what of the host measurements to run: TRACE=T3, TRACE='T2 P1'
export TRACE
.PHONY: bench bench-quick bench-counts
bench: $(BENCH_PROGRAMS) $(BENCH)/packaged.tried ## the heap and the frame allocator beside others, on the host (10 minutes)
	python3 bench/host/run.py '$(BUILD)' full
bench-quick: $(BENCH_PROGRAMS) $(BENCH)/packaged.tried ## the same with few repetitions (1 minute)
	python3 bench/host/run.py '$(BUILD)' quick
bench-counts: $(BENCH_PROGRAMS) ## instructions that each call of ours takes, and nothing else
	python3 bench/host/run.py '$(BUILD)' counts
