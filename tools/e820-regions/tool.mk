# Tools for the build host that stand on the kernel's own code.

E820_TOOL_SOURCES := tools/e820-regions/main.c tools/e820-regions/table.c $(wildcard kernel/memory/e820/*.c)
E820_TOOL_OBJECTS := $(E820_TOOL_SOURCES:%=$(BUILD)/host/objects/%.o)
HOST_CFLAGS       := -std=gnu11 -O2 -g $(WARNINGS) $(INCLUDES)

tools: $(BUILD)/host/e820-regions ## programs for this machine: host/e820-regions shows what a memory map becomes

$(BUILD)/host/e820-regions: $(E820_TOOL_OBJECTS)
	mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -o $@ $^

$(BUILD)/stamps/host: FORCE
	$(call stamp,$(CC) $(HOST_CFLAGS) $(E820_TOOL_SOURCES))

$(BUILD)/host/objects/%.c.o: %.c $(BUILD)/stamps/host
	$(call say,CC)
	mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

-include $(E820_TOOL_OBJECTS:.o=.d)
