#include "kernel/memory/paging/internal.h"

/* Reading page tables: for those who ask about an address, and for those who show them all. Starts
 * at the root, as the processor does. */

static uint64_t read_entry(frame_t table, uint32_t index)
{
    const union paging_entry *entries = platform_frame_pointer(table);
    return entry_read(&entries[index % TABLE_ENTRIES]);
}

struct paging_walk paging_walk(const struct paging_space *space, uintptr_t address)
{
    struct paging_walk walk = {.levels = 1};
    uint32_t page = PAGE_OF(address);
    walk.entries[0] = read_entry(frame_of(space->root),
                                 (uint32_t)(space->root % FRAME_SIZE) / sizeof(union paging_entry) +
                                     page / (SLOT_PAGES * TABLE_ENTRIES));
    if (!entry_is_present(walk.entries[0]))
        return walk;
    walk.levels = 2;
    walk.entries[1] = read_entry(entry_frame(walk.entries[0]), page / SLOT_PAGES);
    if (!entry_is_present(walk.entries[1]) || entry_is_large(walk.entries[1]))
        return walk;
    walk.levels = 3;
    walk.entries[2] = read_entry(entry_frame(walk.entries[1]), page);
    return walk;
}

/* entry_cache_type, read backwards. */
static uint32_t cache_flags(uint64_t leaf)
{
    if (entry_has(leaf, ENTRY_CACHE_DISABLE))
        return PAGING_UNCACHED;
    if (entry_has(leaf, ENTRY_WRITE_THROUGH) && platform_features.pat)
        return PAGING_WRITE_COMBINING;
    return 0;
}

/* Write and user need every level's consent, no-execute any level's veto. */
static uint32_t flags_in_effect(uint64_t directory, uint64_t leaf)
{
    uint32_t flags = cache_flags(leaf);
    if (entry_has(directory & leaf, ENTRY_WRITE))
        flags |= PAGING_WRITE;
    if (entry_has(directory & leaf, ENTRY_USER))
        flags |= PAGING_USER;
    if (!((directory | leaf) & ENTRY_NO_EXECUTE))
        flags |= PAGING_EXECUTE;
    return flags;
}

static struct paging_translation translate(uint64_t directory, uint64_t leaf, uint32_t address)
{
    struct paging_translation result = {.present = entry_is_present(directory & leaf)};
    if (!result.present)
        return (struct paging_translation){.present = false};
    result.large = entry_is_large(directory);
    result.physical = (leaf & ENTRY_FRAME) + address % (result.large ? PAGE_LARGE_SIZE : PAGE_SIZE);
    result.flags = flags_in_effect(directory, leaf);
    result.global = entry_has(leaf, ENTRY_GLOBAL);
    result.accessed = entry_has(leaf, ENTRY_ACCESSED);
    result.dirty = entry_has(leaf, ENTRY_DIRTY);
    return result;
}

struct paging_translation paging_query(const struct paging_space *space, uintptr_t address)
{
    struct paging_walk walk = paging_walk(space, address);
    if (walk.levels == 1)
        return (struct paging_translation){.present = false};
    return translate(walk.entries[1], walk.entries[walk.levels - 1], (uint32_t)address);
}

/* The stretch that paging_visit is collecting. */
struct stretch {
    uint32_t start;
    uint64_t end; /* equal to start: none */
    struct paging_translation first;
    paging_visitor visit;
    void *context;
};

static bool continues(const struct stretch *stretch, uint32_t start,
                      const struct paging_translation *next)
{
    return stretch->end == start && stretch->start != stretch->end &&
           stretch->first.flags == next->flags && stretch->first.large == next->large &&
           stretch->first.global == next->global &&
           stretch->first.physical + (start - stretch->start) == next->physical;
}

static bool finish(struct stretch *stretch)
{
    if (stretch->start == stretch->end)
        return true;
    return stretch->visit(stretch->context, stretch->start, stretch->end, &stretch->first);
}

/* Adds a leaf; false when the visitor has had enough. */
static bool add(struct stretch *stretch, uint32_t page, uint64_t directory, uint64_t leaf)
{
    uint32_t start = page_address(page);
    struct paging_translation next = translate(directory, leaf, start);
    if (!next.present)
        return true;
    if (!continues(stretch, start, &next)) {
        if (!finish(stretch))
            return false;
        stretch->start = start;
        stretch->first = next;
    }
    stretch->end = (uint64_t)start + (next.large ? PAGE_LARGE_SIZE : PAGE_SIZE);
    return true;
}

static bool add_slot(struct stretch *stretch, uint32_t page, uint64_t directory)
{
    if (!entry_is_present(directory))
        return true;
    if (entry_is_large(directory))
        return add(stretch, page, directory, directory);
    for (uint32_t i = 0; i < SLOT_PAGES; i++)
        if (!add(stretch, page + i, directory, read_entry(entry_frame(directory), i)))
            return false;
    return true;
}

void paging_visit(const struct paging_space *space, paging_visitor visit, void *context)
{
    struct stretch stretch = {.visit = visit, .context = context};
    for (uint32_t page = 0; page < PAGES_END; page += SLOT_PAGES)
        if (!add_slot(&stretch, page, entry_read(directory_entry(space, page))))
            return;
    finish(&stretch);
}
