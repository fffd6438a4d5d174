# The memory manager as a library for other kernels: build/libmemory.a and build/include, from the kernel's own
# files. docs/embedding.md says how to use them.

#@ PLATFORM_INLINE=  for `make lib`: a header that gives platform.h's short functions as static inline ones

LIBRARY_SOURCES := $(sort $(shell find kernel/memory -name '*.c')) $(addprefix kernel/lib/,compiler.c errors.c format.c string.c)
LIBRARY_SOURCES := $(filter-out $(HEAP_LEFT_OUT),$(LIBRARY_SOURCES))
LIBRARY_OBJECTS := $(LIBRARY_SOURCES:%=$(BUILD)/library/%.o)
LIBRARY_HEADERS := $(addprefix kernel/include/,bootinfo.h errors.h types.h) $(addprefix kernel/lib/,format.h string.h) \
                   $(addprefix kernel/memory/,check.h memory.h platform.h system.h) \
                   $(foreach module,bytemap e820 heap pageframe paging,kernel/memory/$(module)/$(module).h) \
                   kernel/memory/heap/debug.h

# As the kernel, but for the port and how arguments are passed; one section for each function and table, so that a linker can leave out what
# nobody calls (--gc-sections). The address space of a library is its user's: a name that the embedder defines, too
# (memcpy; what the compiler's own library has), is the embedder's.
LIBRARY_CFLAGS = $(filter-out -DPLATFORM_INLINE=% $(KERNEL_CALLS),$(KERNEL_CFLAGS)) -ffunction-sections -fdata-sections \
                 $(if $(PLATFORM_INLINE),-DPLATFORM_INLINE='"$(PLATFORM_INLINE)"')
LIBRARY_WEAK   := $(BUILD)/library/kernel/lib/compiler.c.o $(BUILD)/library/kernel/lib/string.c.o
$(BUILD)/library/kernel/lib/string.c.o: KERNEL_CFLAGS += -fno-builtin $(KERNEL_KEEP_LOOPS)

LIBRARY_HEAP := $(filter $(BUILD)/library/kernel/memory/heap/%,$(LIBRARY_OBJECTS))
$(LIBRARY_HEAP): KERNEL_CFLAGS += $(HEAP_CFLAGS)
$(LIBRARY_HEAP): $(BUILD)/stamps/heap

.PHONY: lib example
lib: $(BUILD)/libmemory.a $(LIBRARY_HEADERS:%=$(BUILD)/include/%) ## the memory manager for other kernels: build/libmemory.a, build/include

example: lib ## a kernel of its own that uses only the library, build/embed.elf
	$(MAKE) $(if $(V),,-s) -C examples/embed MEMORY='$(abspath $(BUILD))' OUT='$(abspath $(BUILD))'

$(BUILD)/libmemory.a: $(LIBRARY_OBJECTS)
	$(call say,AR)
	rm -f $@
	$(AR) rcsD $@ $^

$(BUILD)/library/%.c.o: %.c $(BUILD)/stamps/library
	$(call say,CC)
	mkdir -p $(@D)
	$(CC) $(LIBRARY_CFLAGS) -MMD -MP -c -o $@ $<
	$(if $(filter $@,$(LIBRARY_WEAK)),objcopy --weaken $@)

$(BUILD)/stamps/library: FORCE
	$(call stamp,$(CC) $(LIBRARY_CFLAGS) $(LIBRARY_SOURCES))

$(BUILD)/include/%: %
	mkdir -p $(@D)
	cp $< $@

test: lib example
-include $(shell find $(BUILD)/library -name '*.d' 2>/dev/null)
