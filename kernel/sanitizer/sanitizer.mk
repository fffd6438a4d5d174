# SANITIZE=1: how the kernel is instrumented. README.md says what for.

ifneq ($(shell $(CC) --version 2>/dev/null | grep -c clang),0)
$(error SANITIZE=1 needs CC=gcc)
endif

# Accesses are checked by calls, and the code is made for size: the kernel's row of the map has to hold it all.
# No function is split, so that a report names it, and not its cold part.
SANITIZE_SHADOW := $(shell awk '/define MAP_SANITIZER_START/ { print $$3 }' kernel/memory/memory.h)
SANITIZE_CFLAGS := -fsanitize=kernel-address -fasan-shadow-offset=$(SANITIZE_SHADOW) \
                   --param asan-stack=1 --param asan-globals=1 \
                   --param asan-instrumentation-with-call-threshold=0 -Os \
                   -fsanitize-address-use-after-scope -fsanitize=undefined -fno-reorder-blocks-and-partition

KERNEL_CFLAGS += -DKERNEL_SANITIZED

# What runs before there is a shadow, what makes it, and what serves both.
SANITIZE_EXEMPT := kernel/start/% kernel/sanitizer/% kernel/memory/heap/debug/% kernel/lib/string.c kernel/lib/compiler.c \
                   kernel/device/serial/serial.c
SANITIZE_SOURCES := $(filter-out $(SANITIZE_EXEMPT),$(filter %.c,$(KERNEL_SOURCES)))
$(SANITIZE_SOURCES:%=$(BUILD)/kernel/%.o): KERNEL_CFLAGS += $(SANITIZE_CFLAGS)

# The sanitizer stands between these functions and all who call them from another file.
SANITIZE_WRAPPED := kernel_main panic_trap paging_load paging_map_page paging_unmap_page \
                    memcpy memmove memset memcmp strlen strnlen strcmp strncmp strchr
SANITIZE_LDFLAGS := $(SANITIZE_WRAPPED:%=--wrap=%)

# Where assembly calls C, the stack is only aligned to words; variables that are watched want 8 bytes, which
# these files see to for all that they call.
SANITIZE_ENTRIES := kernel/main.c kernel/cpu/trap.c kernel/cpu/segments.c kernel/sanitizer/shadow.c
$(SANITIZE_ENTRIES:%=$(BUILD)/kernel/%.o): KERNEL_CFLAGS += -mincoming-stack-boundary=2
