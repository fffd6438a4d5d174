/* `mem map`: what the firmware said beside what was made of it. */
#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/lib/format.h"
#include "kernel/memory/system.h"

/* Both halves fit a line of 80; an address of more than 48 bits pushes the right one aside. */
#define LEFT_WIDTH 44

/* ACPI 6.5, table 15.9. */
static const char *type_name(uint32_t type)
{
    static const char *const names[] = {[1] = "RAM", [2] = "reserved", [3] = "ACPI",   [4] = "NVS",
                                        [5] = "bad", [6] = "off",      [7] = "persist"};
    return type < ARRAY_COUNT(names) && names[type] != NULL ? names[type] : "other";
}

/* Bit 0 clear: the firmware itself says that the entry does not count. */
static const char *remark_on(const struct e820_entry *entry)
{
    return entry->length == 0 ? "empty" : entry->attributes & 1 ? "" : "ignored";
}

static void print_entry(const struct e820_entry *entry)
{
    char end[20], type[16];
    uint64_t sum = entry->base + entry->length;
    if (sum < entry->base)
        format_text(end, sizeof(end), "wraps");
    else
        format_text(end, sizeof(end), "%llx", (unsigned long long)sum);
    format_text(type, sizeof(type), "%u %s", entry->type, type_name(entry->type));
    monitor_print("%12llx %12s %-10.10s %-7s", (unsigned long long)entry->base, end, type,
                  remark_on(entry));
}

static void print_region(const struct e820_region *region)
{
    monitor_print(" %9llx %10llx %s", (unsigned long long)region->start,
                  (unsigned long long)region->end, e820_kind_name(region->kind));
}

static const char *source_name(uint32_t source)
{
    static const char *const names[] = {[E820_FROM_E820] = "E820",
                                        [E820_FROM_E801] = "E801",
                                        [E820_FROM_88H] = "function 88h",
                                        [E820_FROM_MULTIBOOT] = "Multiboot"};
    return source < ARRAY_COUNT(names) ? names[source] : "unknown";
}

bool command_mem_map(unsigned count, char **arguments)
{
    const struct e820_copy *firmware = memory_firmware_map();
    const struct e820_map *map = memory_map();
    char title[64];
    (void)count;
    (void)arguments;
    format_text(title, sizeof(title), "%u entries from the firmware (%s)", firmware->count,
                source_name(firmware->source));
    monitor_print("%-*s| %u regions made of them\n", LEFT_WIDTH, title, map->count);
    monitor_print("%12s %12s %-10s %-7s| %9s %10s kind\n", "base", "end", "type", "", "start",
                  "end");
    for (uint32_t i = 0; i < firmware->count || i < map->count; i++) {
        if (i < firmware->count && i < E820_ENTRIES_MAX)
            print_entry(&firmware->entries[i]);
        else
            monitor_print("%*s", LEFT_WIDTH, "");
        monitor_print("|");
        if (i < map->count)
            print_region(&map->regions[i]);
        monitor_print("\n");
    }
    monitor_print("usable: %llu bytes, %u pages\n", (unsigned long long)map->usable_bytes,
                  frame_of(map->usable_bytes));
    if (map->beyond_bytes != 0)
        monitor_print("left out, at or above 64 GiB: %llu bytes\n",
                      (unsigned long long)map->beyond_bytes);
    return true;
}
