/* `page`: how the processor translates an address. */
#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/debug/monitor/rights.h"
#include "kernel/memory/bytemap/bytemap.h"
#include "kernel/memory/paging/paging.h"

/* Bits of an entry, as Intel SDM 3A, 4.4.2 has them. */
#define ENTRY_PRESENT (1ull << 0)
#define ENTRY_LARGE   (1ull << 7)
#define ENTRY_ADDRESS 0x000FFFFFFFFFF000ull
#define TOP_LEVEL     0
#define LAST_LEVEL    2

static const struct {
    const char *name;
    unsigned first_bit, bits; /* of an address, that select the entry */
} levels[] = {{"top", 30, 2}, {"directory", 21, 9}, {"table", 12, 9}};

/* The bits that are set, by their names in the manual. The top entries have few of them. */
static void print_bits(uint64_t entry, unsigned level)
{
    static const struct {
        unsigned bit;
        bool is_in_top;
        const char *name;
    } bits[] = {{0, true, "P"},   {1, false, "W"},  {2, false, "U"}, {3, true, "PWT"},
                {4, true, "PCD"}, {5, false, "A"},  {6, false, "D"}, {7, false, "PS"},
                {8, false, "G"},  {63, false, "NX"}};
    for (unsigned i = 0; i < ARRAY_COUNT(bits); i++)
        if (entry >> bits[i].bit & 1 && (level != TOP_LEVEL || bits[i].is_in_top))
            monitor_print(" %s", level == LAST_LEVEL && bits[i].bit == 7 ? "PAT" : bits[i].name);
}

static void print_entry(uint32_t address, unsigned level, uint64_t entry)
{
    uint32_t index = address >> levels[level].first_bit & ((1u << levels[level].bits) - 1);
    monitor_print("%-10s %4u 0x%016llx ", levels[level].name, index, (unsigned long long)entry);
    if (!(entry & ENTRY_PRESENT)) {
        monitor_print(" not present\n");
        return;
    }
    print_bits(entry, level);
    bool is_large = level == LAST_LEVEL - 1 && entry & ENTRY_LARGE;
    monitor_print(" -> %s 0x%llx\n", is_large || level == LAST_LEVEL ? "page at" : "table at",
                  (unsigned long long)(entry & ENTRY_ADDRESS &
                                       (is_large ? ~(PAGE_LARGE_SIZE - 1ull) : ~0ull)));
}

static void print_translation(uint32_t address, const struct paging_translation *found)
{
    if (!found->present) {
        monitor_print("0x%08x is not mapped: touching it is a page fault.\n", address);
        return;
    }
    bytemap_tag_t tag = bytemap_get(frame_of(found->physical));
    monitor_print("0x%08x is physical 0x%llx, in a %s page\n", address,
                  (unsigned long long)found->physical, found->large ? "2 MiB" : "4 KiB");
    monitor_print("%s, %s, %s%s%s%s\n", rights_name(found->flags),
                  rights_cache_name(found->flags, found->physical),
                  found->flags & PAGING_USER ? "user" : "supervisor",
                  found->global ? ", global" : "", found->accessed ? ", accessed" : "",
                  found->dirty ? ", dirty" : "");
    monitor_print(
        "its frame is %s%s%s\n", bytemap_state_name(bytemap_tag_state(tag)),
        bytemap_tag_owner(tag) == BYTEMAP_NONE ? "" : ", ",
        bytemap_tag_owner(tag) == BYTEMAP_NONE ? "" : bytemap_owner_name(bytemap_tag_owner(tag)));
}

bool command_page(unsigned count, char **arguments)
{
    uint64_t number;
    (void)count;
    if (!command_number(arguments[0], MAP_TOP_END, &number))
        return false;
    uint32_t address = (uint32_t)number;
    const struct memory_row *row = memory_row_of(address);
    struct paging_walk walk = paging_walk(&paging_kernel, address);
    struct paging_translation found = paging_query(&paging_kernel, address);
    monitor_print("0x%08x lies in the row \"%s\", 0x%08x to 0x%08llx\n", address, row->name,
                  row->start, (unsigned long long)row->end);
    monitor_print("%-10s at 0x%llx\n", "CR3", (unsigned long long)paging_kernel.root);
    for (unsigned level = 0; level < walk.levels && level < ARRAY_COUNT(levels); level++)
        print_entry(address, level, walk.entries[level]);
    print_translation(address, &found);
    return true;
}
