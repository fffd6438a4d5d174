#include "tests/unit/e820_oracle.h"

#include <stdlib.h>

#define PAGE_LAST ((UINT64_MAX) / FRAME_SIZE)

/* Pages at which anything can change: three for each end of an entry and of a region, and 64 GiB's.
 */
#define PROBES_MAX (6 * (E820_ENTRIES_MAX + E820_REGIONS_MAX) + 8)

struct probes {
    uint32_t count;
    uint64_t pages[PROBES_MAX];
};

struct sums {
    uint64_t usable_bytes;
    uint64_t beyond_bytes;
};

static bool counts(const struct e820_entry *entry)
{
    return (entry->attributes & 1) != 0 && entry->length != 0;
}

/* Inclusive here, unlike elsewhere, so that the arithmetic is not the one under test. */
static uint64_t last_byte(const struct e820_entry *entry)
{
    uint64_t reach = UINT64_MAX - entry->base;
    return entry->length - 1 > reach ? UINT64_MAX : entry->base + (entry->length - 1);
}

static int kind_of_type(uint32_t type)
{
    static const int kinds[] = {E820_RESERVED, E820_USABLE, E820_RESERVED,
                                E820_ACPI,     E820_NVS,    E820_BAD};
    return type < ARRAY_COUNT(kinds) ? kinds[type] : E820_RESERVED;
}

/* Whether the RAM entries hold each byte from `byte` to `last`: goes from entry to entry. */
static bool is_all_ram(const struct e820_entry *entries, uint32_t count, uint64_t byte,
                       uint64_t last)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct e820_entry *entry = &entries[i];
        if (!counts(entry) || entry->type != 1 || entry->base > byte || last_byte(entry) < byte)
            continue;
        if (last_byte(entry) >= last)
            return true;
        byte = last_byte(entry) + 1;
        i = UINT32_MAX; /* from the first entry again */
    }
    return false;
}

int e820_oracle_page(const struct e820_entry *entries, uint32_t count, uint64_t page)
{
    uint64_t first = page * FRAME_SIZE, last = first + (FRAME_SIZE - 1);
    int strictest = ORACLE_NONE;
    for (uint32_t i = 0; i < count; i++) {
        int kind = kind_of_type(entries[i].type);
        bool is_touched =
            counts(&entries[i]) && entries[i].base <= last && last_byte(&entries[i]) >= first;
        if (is_touched && kind != E820_USABLE && kind > strictest)
            strictest = kind;
    }
    if (strictest == ORACLE_NONE && is_all_ram(entries, count, first, last))
        return E820_USABLE;
    return strictest;
}

static int page_in_map(const struct e820_map *map, uint64_t page)
{
    for (uint32_t i = 0; i < map->count; i++)
        if (page >= map->regions[i].start / FRAME_SIZE && page < map->regions[i].end / FRAME_SIZE)
            return (int)map->regions[i].kind;
    return ORACLE_NONE;
}

static void add_probes(struct probes *probes, uint64_t page)
{
    if (page > 0)
        probes->pages[probes->count++] = page - 1;
    probes->pages[probes->count++] = page;
    if (page < PAGE_LAST)
        probes->pages[probes->count++] = page + 1;
}

static int compare_pages(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void make_probes(struct probes *probes, const struct e820_map *map,
                        const struct e820_entry *entries, uint32_t count)
{
    probes->count = 0;
    add_probes(probes, 0);
    add_probes(probes, E820_LIMIT / FRAME_SIZE);
    add_probes(probes, PAGE_LAST);
    for (uint32_t i = 0; i < count; i++)
        if (counts(&entries[i])) {
            add_probes(probes, entries[i].base / FRAME_SIZE);
            add_probes(probes, last_byte(&entries[i]) / FRAME_SIZE);
        }
    for (uint32_t i = 0; i < map->count; i++) {
        add_probes(probes, map->regions[i].start / FRAME_SIZE);
        add_probes(probes, map->regions[i].end / FRAME_SIZE);
    }
    qsort(probes->pages, probes->count, sizeof(probes->pages[0]), compare_pages);
}

static const char *form_fault(const struct e820_map *map)
{
    paddr_t end = 0;
    if (map->count > E820_REGIONS_MAX)
        return "more regions than fit";
    for (uint32_t i = 0; i < map->count; i++) {
        const struct e820_region *region = &map->regions[i];
        if (region->start % FRAME_SIZE != 0 || region->end % FRAME_SIZE != 0)
            return "a bound is not a multiple of the page size";
        if (region->start >= region->end || region->start < end)
            return "regions are empty, overlap or do not ascend";
        if (region->end > E820_LIMIT)
            return "a region ends above 64 GiB";
        if ((unsigned)region->kind > E820_BAD)
            return "a region has no kind";
        if (i > 0 && region->start == end && region->kind == map->regions[i - 1].kind)
            return "adjacent regions of one kind are not joined";
        end = region->end;
    }
    return NULL;
}

/* One page stands for those up to the next probe: nothing begins or ends between two probes. */
static const char *page_fault(const struct e820_map *map, const struct e820_entry *entries,
                              uint32_t count, uint64_t page, uint64_t pages, struct sums *sums)
{
    bool is_beyond = page >= E820_LIMIT / FRAME_SIZE;
    int expected = e820_oracle_page(entries, count, page);
    if (expected == E820_USABLE && is_beyond)
        sums->beyond_bytes += pages * FRAME_SIZE;
    else if (expected == E820_USABLE)
        sums->usable_bytes += pages * FRAME_SIZE;
    if (page_in_map(map, page) != (is_beyond ? ORACLE_NONE : expected))
        return "a page is in a region of the wrong kind";
    return NULL;
}

const char *e820_oracle_fault(const struct e820_map *map, const struct e820_entry *entries,
                              uint32_t count)
{
    struct probes probes;
    struct sums sums = {0, 0};
    const char *fault = form_fault(map);
    if (fault != NULL)
        return fault;
    make_probes(&probes, map, entries, count);
    for (uint32_t i = 0; i < probes.count && fault == NULL; i++) {
        uint64_t page = probes.pages[i];
        uint64_t next = i + 1 < probes.count ? probes.pages[i + 1] : PAGE_LAST + 1;
        if (next > page)
            fault = page_fault(map, entries, count, page, next - page, &sums);
    }
    if (fault != NULL)
        return fault;
    if (map->usable_bytes != sums.usable_bytes)
        return "usable_bytes is not the sum of the usable pages";
    if (map->beyond_bytes != sums.beyond_bytes)
        return "beyond_bytes is not the sum of the usable pages above 64 GiB";
    return NULL;
}
