# The kernel: build/kernel.elf.

KERNEL_CFLAGS := -m32 -march=i686 -mtune=generic -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie \
                 -mgeneral-regs-only -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
                 -fno-stack-protector -fno-common $(WARNINGS) $(INCLUDES) \
                 -DPLATFORM_INLINE='"kernel/cpu/platform_inline.h"'

KERNEL_SOURCES := $(sort $(shell find kernel tests/kernel -name '*.c' -o -name '*.S'))
KERNEL_SOURCES := $(filter-out %.ld.S,$(KERNEL_SOURCES))
KERNEL_OBJECTS := $(KERNEL_SOURCES:%=$(BUILD)/kernel/%.o)
