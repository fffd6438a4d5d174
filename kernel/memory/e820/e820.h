#ifndef KERNEL_MEMORY_E820_E820_H
#define KERNEL_MEMORY_E820_E820_H

#include "kernel/include/bootinfo.h"

/*
 * Turns what the firmware said into something true: sorted, disjoint, page-aligned regions.
 * A pure function of its input: no allocation, no globals, no hardware.
 */

/* In ascending strictness: where claims meet in one page, the stricter wins. */
enum e820_kind { E820_USABLE, E820_ACPI, E820_NVS, E820_RESERVED, E820_BAD };

/* [start, end), bytes, both multiples of FRAME_SIZE, below E820_LIMIT. */
struct e820_region {
    paddr_t start;
    paddr_t end;
    enum e820_kind kind;
};

#define E820_LIMIT ((paddr_t)1 << 36) /* PAE's reach: what lies above is left out */
#define E820_REGIONS_MAX                                                                           \
    (2 * E820_ENTRIES_MAX + 1) /* more than the entries can give: e820.c has the argument */

struct e820_map {
    uint32_t count;
    uint64_t usable_bytes;
    uint64_t beyond_bytes; /* usable by the same rule, but at or above E820_LIMIT: left out */
    struct e820_region regions[E820_REGIONS_MAX];
};

/*
 * Fills *map from 1 to E820_ENTRIES_MAX entries in any order. The rule: a page is usable if and
 * only if every byte of it is RAM by an entry that counts and no byte of it is claimed as anything
 * else; a page of which any byte is claimed as something else is of the strictest such kind; any
 * other page is in no region. An entry that wraps is cut at 2^64; length 0 claims nothing;
 * attribute bit 0 clear means that the entry does not count; an unknown type is reserved. Adjacent
 * regions of one kind are joined. Errors: -EINVAL count is 0 or above E820_ENTRIES_MAX (*map is
 * empty). Worst case: 32,640 comparisons to sort 128 entries given in descending order, then one
 * pass over at most 256 events. Writes nothing but *map (about 6 KiB); its stack stays below 1 KiB.
 * May be called anywhere, also before the kernel runs.
 */
int e820_resolve(struct e820_map *map, const struct e820_entry *entries, uint32_t count) MUST_CHECK;

/* "usable", "acpi", "nvs", "reserved", "bad". */
const char *e820_kind_name(enum e820_kind kind);

#endif
