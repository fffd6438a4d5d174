#include "kernel/memory/paging/internal.h"

/*
 * Map, unmap, protect. Each has the same three parts: survey (refuse, count the tables that will be
 * needed), take the tables, change. Only the last writes an entry, and it cannot fail. It goes in
 * steps of at most PAGING_STEP small pages or one large one: entries, books and tables fit together
 * whenever interrupts are on.
 *
 * Between the parts and the steps other calls may come, on other pages. They can enter a table
 * where the survey missed one, and split a large page that the survey saw: then a spare table is
 * left, and goes back. They cannot make a table necessary, because tables stay.
 */

#define NOINLINE __attribute__((noinline))

/* A range in pages. */
static int range_pages(uintptr_t start, uint32_t pages, uint32_t *page)
{
    if (start % PAGE_SIZE != 0 || pages == 0)
        return -EINVAL;
    if (start > UINT32_MAX || pages > PAGES_END - PAGE_OF(start))
        return -ERANGE;
    *page = PAGE_OF(start);
    return 0;
}

/* What a survey found: an error, or what the change will need. */
struct survey {
    int error;
    uint32_t tables; /* to be made */
    uint32_t leaves; /* present entries that will change */
};

/* A call on a range. */
struct range {
    struct paging_space *space;
    uint32_t end;
    const struct paging_policy *policy; /* of a page at or before the one that is next */
    struct spare_tables spare;
};

/* The end of the small pages that the next step handles: of one table and one policy. */
static uint32_t step_end(const struct range *range, uint32_t page, uint32_t step)
{
    uint32_t end = slot_end(page, range->end);
    if (end > range->policy->end)
        end = range->policy->end;
    return end - page < step ? end : page + step;
}

static bool is_changed(uint64_t entry, uint64_t rights)
{
    return rights == 0 || entry != entry_regranted(entry, rights);
}

/* Whether the processor may hold translations of the page from this space. */
static bool is_visible(const struct paging_space *space, uint32_t page)
{
    return space == paging_loaded || !is_private_page(page);
}

/* ---- map ---- */

struct mapping {
    struct range range;
    uint64_t leaf; /* of the range's next page, were it a small one */
    bool is_small; /* no large pages */
};

static bool fits_large(const struct mapping *mapping, uint32_t page)
{
    return !mapping->is_small && page % SLOT_PAGES == 0 &&
           entry_frame(mapping->leaf) % SLOT_PAGES == 0 && mapping->range.end - page >= SLOT_PAGES;
}

static bool has_present(uint64_t slot, uint32_t page, uint32_t end)
{
    const volatile union paging_entry *entry = table_entry(slot, page),
                                      *last = entry + (end - page);
    uint32_t seen = 0;
#pragma GCC unroll 4
    for (; entry < last; entry++)
        seen |= entry->low;
    return entry_is_present(seen);
}

/* By value: `leaf` goes along with the page. */
static struct survey survey_map(struct mapping mapping, uint32_t page)
{
    struct survey survey = {0, 0, 0};
    for (uint32_t next; page < mapping.range.end; page = next) {
        uint64_t slot = directory_read(mapping.range.space, page);
        next = slot_end(page, mapping.range.end);
        if (!entry_is_present(slot))
            survey.tables += !fits_large(&mapping, page);
        else if (entry_is_large(slot) || has_present(slot, page, next))
            return (struct survey){.error = -EEXIST};
        mapping.leaf += frame_address(next - page);
    }
    return survey;
}

/* The survey saw all of them absent: a page that another call has mapped meanwhile was that call's
 * mistake. */
static NOINLINE void set_entries(union paging_entry *entry, uint32_t count, uint64_t leaf)
{
    const union paging_entry *last = entry + count;
    uint32_t seen = 0;
#pragma GCC unroll 4
    for (; entry < last; entry++, leaf += PAGE_SIZE) {
        seen |= entry->low;
        entry_set(entry, leaf);
    }
    MEMORY_ASSERT(!entry_is_present(seen));
}

static uint32_t map_small(struct mapping *mapping, uint64_t slot, uint32_t page)
{
    struct range *range = &mapping->range;
    uint32_t end = step_end(range, page, PAGING_MAP_STEP), count = end - page;
    set_entries(table_entry(slot, page), count, mapping->leaf);
    books_add(range->space, range->policy, count, entry_sum(mapping->leaf, count));
    mapping->leaf += frame_address(count);
    return end;
}

static uint32_t map_large(struct mapping *mapping, uint32_t page)
{
    struct range *range = &mapping->range;
    uint64_t entry = mapping->leaf | ENTRY_LARGE;
    directory_set_large(range->space, page, entry);
    books_add(range->space, range->policy, SLOT_PAGES, entry);
    mapping->leaf += PAGE_LARGE_SIZE;
    return page + SLOT_PAGES;
}

/* Returns the page at which the next step begins. */
static uint32_t map_step(struct mapping *mapping, uint32_t page)
{
    struct range *range = &mapping->range;
    uint64_t slot = entry_read(directory_entry(range->space, page));
    range->policy = policy_from(range->policy, page);
    if (entry_is_present(slot))
        return map_small(mapping, slot, page);
    if (fits_large(mapping, page))
        return map_large(mapping, page);
    slot = directory_enter_table(range->space, page, spare_pop(&range->spare));
    return map_small(mapping, slot, page);
}

static int map_pages(struct mapping *mapping, uint32_t page)
{
    struct survey survey = survey_map(*mapping, page);
    if (survey.error != 0)
        return survey.error;
    if (spare_take(&mapping->range.spare, survey.tables) != 0)
        return -ENOMEM;
    while (page < mapping->range.end) {
        unsigned long interrupts = platform_interrupts_save();
        page = map_step(mapping, page);
        platform_interrupts_restore(interrupts);
    }
    spare_give_back(&mapping->range.spare);
    return 0;
}

static int map_range(struct paging_space *space, uintptr_t start, frame_t first, uint32_t pages,
                     uint32_t flags)
{
    struct mapping mapping;
    uint32_t page;
    int error = range_pages(start, pages, &page);
    if (error == 0)
        error = policy_check_map(page, page + pages, first, flags);
    if (error != 0)
        return error;
    mapping = (struct mapping){
        .range = {.space = space, .end = page + pages, .policy = policy_of(page)},
        .leaf = frame_address(first) | entry_rights(flags),
        .is_small = (flags & PAGING_SMALL) || !policy_allows_large(page, page + pages)};
    return map_pages(&mapping, page);
}

/* -ENOMEM: a table is missing, and there is no spare one. */
static int map_one(struct paging_space *space, const struct paging_policy *policy, uint32_t page,
                   uint64_t entry, struct spare_tables *spare)
{
    uint64_t slot = entry_read(directory_entry(space, page));
    if (!entry_is_present(slot)) {
        if (spare->count == 0)
            return -ENOMEM;
        slot = directory_enter_table(space, page, spare_pop(spare));
    } else if (entry_is_large(slot) || entry_is_present(entry_read(table_entry(slot, page)))) {
        return -EEXIST;
    }
    entry_set(table_entry(slot, page), entry);
    books_add(space, policy, 1, entry);
    return 0;
}

/* Once more, with a table, which is had with interrupts on. */
static int map_one_in_new_table(struct paging_space *space, const struct paging_policy *policy,
                                uint32_t page, uint64_t entry)
{
    struct spare_tables spare;
    unsigned long interrupts;
    int error;
    if (spare_take(&spare, 1) != 0)
        return -ENOMEM;
    interrupts = platform_interrupts_save();
    error = map_one(space, policy, page, entry, &spare);
    platform_interrupts_restore(interrupts);
    spare_give_back(&spare);
    return error;
}

int paging_map_page(struct paging_space *space, uintptr_t address, frame_t frame, uint32_t flags)
{
    struct spare_tables none = {0};
    uint32_t page;
    uint64_t entry;
    const struct paging_policy *policy;
    unsigned long interrupts;
    int error = range_pages(address, 1, &page);
    if (error != 0)
        return error;
    policy = policy_of(page);
    error = policy_check_map_page(policy, page, frame, flags);
    if (error != 0)
        return error;
    entry = frame_address(frame) | entry_rights(flags);
    interrupts = platform_interrupts_save();
    error = map_one(space, policy, page, entry, &none);
    platform_interrupts_restore(interrupts);
    return error == -ENOMEM ? map_one_in_new_table(space, policy, page, entry) : error;
}

int paging_map(struct paging_space *space, uintptr_t start, frame_t first, uint32_t pages,
               uint32_t flags)
{
    return pages == 1 ? paging_map_page(space, start, first, flags)
                      : map_range(space, start, first, pages, flags);
}

/* ---- unmap and protect ---- */

struct change {
    struct range range;
    uint64_t rights;  /* zero: unmap */
    bool flush_pages; /* each as it changes; otherwise everything at the end */
    bool was_visible; /* something changed that the processor may have known */
};

static struct survey survey_large(uint64_t slot, uint32_t pages, uint64_t rights)
{
    if (!is_changed(slot, rights))
        return (struct survey){0, 0, 0};
    if (pages == SLOT_PAGES)
        return (struct survey){.leaves = 1};
    return (struct survey){.tables = 1, .leaves = pages};
}

/* More than PAGING_FLUSH_MAX leaves are not counted further. */
static struct survey survey_small(const union paging_entry *entry, uint32_t count, uint64_t rights)
{
    const union paging_entry *end = entry + count;
    uint64_t all = ENTRY_PRESENT;
    uint32_t leaves = 0;
    for (; entry < end && leaves <= PAGING_FLUSH_MAX; entry++) {
        uint64_t value = entry_read(entry);
        all &= value;
        leaves += is_changed(value, rights);
    }
#pragma GCC unroll 4
    for (; entry < end; entry++)
        all &= entry->low;
    return (struct survey){.error = entry_is_present(all) ? 0 : -ENOENT, .leaves = leaves};
}

static struct survey survey_change(const struct change *change, uint32_t page)
{
    struct survey all = {0, 0, 0};
    for (uint32_t next; page < change->range.end; page = next) {
        struct survey one;
        uint64_t slot = directory_read(change->range.space, page);
        next = slot_end(page, change->range.end);
        if (!entry_is_present(slot))
            return (struct survey){.error = -ENOENT};
        one = entry_is_large(slot)
                  ? survey_large(slot, next - page, change->rights)
                  : survey_small(table_entry(slot, page), next - page, change->rights);
        if (one.error != 0)
            return one;
        all.tables += one.tables;
        all.leaves += one.leaves;
    }
    return all;
}

/* Whether a step flushes each page that it changes. The pages of a step are alike in whether the
 * processor may know them: they have one policy. */
static bool begin_step(struct change *change, uint32_t page)
{
    bool is_known = is_visible(change->range.space, page);
    change->was_visible |= is_known;
    return is_known && change->flush_pages;
}

/* Those that have other rights get them. Returns what it adds to the sum. The two loops differ in
 * the flush alone: without it one is much shorter. */
static NOINLINE uint64_t regrant_small(struct change *change, union paging_entry *entry,
                                       uint32_t page, uint32_t end)
{
    const uint64_t rights = change->rights;
    const union paging_entry *last = entry + (end - page);
    struct entry_change sum = {0, 0};
    if (begin_step(change, page)) {
        for (; entry < last; page++, entry++)
            if (entry_regrant(entry, rights, &sum))
                platform_tlb_flush_page(page_address(page));
    } else {
        for (; entry < last; entry++)
            (void)entry_regrant(entry, rights, &sum);
    }
    return entry_change_whole(&sum);
}

/* Returns what it adds to the sum. */
static NOINLINE uint64_t clear_small(union paging_entry *entry, uint32_t count)
{
    const union paging_entry *last = entry + count;
    uint64_t sum = 0;
    for (; entry < last; entry++)
        sum -= entry_clear(entry) & ~ENTRY_HARDWARE;
    return sum;
}

static void flush_small(uint32_t page, uint32_t end)
{
    for (; page < end; page++)
        platform_tlb_flush_page(page_address(page));
}

static uint32_t change_small(struct change *change, uint64_t slot, uint32_t page)
{
    struct range *range = &change->range;
    union paging_entry *entry = table_entry(slot, page);
    uint32_t end;
    if (change->rights != 0) {
        end = step_end(range, page, PAGING_PROTECT_STEP);
        books_add(range->space, range->policy, 0, regrant_small(change, entry, page, end));
    } else {
        end = step_end(range, page, PAGING_UNMAP_STEP);
        books_add(range->space, range->policy, page - end, clear_small(entry, end - page));
        if (begin_step(change, page))
            flush_small(page, end);
    }
    return end;
}

static bool is_whole_slot(const struct change *change, uint32_t page)
{
    return page % SLOT_PAGES == 0 && change->range.end - page >= SLOT_PAGES;
}

/* All of it changes, or none: split_if_needed was there before. */
static void change_large(struct change *change, uint64_t slot, uint32_t page)
{
    struct range *range = &change->range;
    uint64_t difference;
    if (!is_changed(slot, change->rights))
        return;
    MEMORY_ASSERT(is_whole_slot(change, page));
    difference = directory_change_large(range->space, page, change->rights);
    books_add(range->space, range->policy, change->rights == 0 ? -SLOT_PAGES : 0, difference);
    if (begin_step(change, page))
        platform_tlb_flush_page(page_address(page));
}

/* Returns the page at which the next step begins. */
static uint32_t change_step(struct change *change, uint32_t page)
{
    uint64_t slot = entry_read(directory_entry(change->range.space, page));
    change->range.policy = policy_from(change->range.policy, page);
    if (!entry_is_large(slot))
        return change_small(change, slot, page);
    change_large(change, slot, page);
    return slot_end(page, change->range.end);
}

/* A large page of which only a part is to change. */
static void split_if_needed(struct change *change, uint32_t page)
{
    uint64_t slot;
    if (is_whole_slot(change, page))
        return;
    slot = directory_read(change->range.space, page);
    if (entry_is_large(slot) && is_changed(slot, change->rights))
        directory_split(change->range.space, page, &change->range.spare);
}

static void change_range(struct change *change, uint32_t page)
{
    while (page < change->range.end) {
        const uint32_t next = slot_end(page, change->range.end);
        split_if_needed(change, page);
        while (page < next) {
            unsigned long interrupts = platform_interrupts_save();
            page = change_step(change, page);
            platform_interrupts_restore(interrupts);
        }
    }
    if (change->was_visible && !change->flush_pages)
        platform_tlb_flush_all();
}

static int change_pages(struct paging_space *space, uint32_t page, uint32_t pages, uint64_t rights)
{
    struct change change = {
        .range = {.space = space, .end = page + pages, .policy = policy_of(page)},
        .rights = rights};
    struct survey survey = survey_change(&change, page);
    if (survey.error != 0)
        return survey.error;
    if (spare_take(&change.range.spare, survey.tables) != 0)
        return -ENOMEM;
    change.flush_pages = survey.leaves <= PAGING_FLUSH_MAX;
    change_range(&change, page);
    spare_give_back(&change.range.spare);
    return 0;
}

/* The entry of a page that is mapped, and small; else NULL. */
static inline union paging_entry *small_entry(const struct paging_space *space, uint32_t page)
{
    uint64_t slot = entry_read(directory_entry(space, page));
    union paging_entry *entry;
    if (!entry_is_present(slot) || entry_is_large(slot))
        return NULL;
    entry = table_entry(slot, page);
    return entry_is_present(entry->low) ? entry : NULL;
}

/* Whether it is a small page. */
static bool protect_one(struct paging_space *space, uint32_t page, uint64_t rights)
{
    struct entry_change change = {0, 0};
    union paging_entry *entry = small_entry(space, page);
    if (entry == NULL)
        return false;
    if (entry_regrant(entry, rights, &change)) {
        books_add(space, policy_of(page), 0, entry_change_whole(&change));
        if (is_visible(space, page))
            platform_tlb_flush_page(page_address(page));
    }
    return true;
}

static bool protect_page(struct paging_space *space, uint32_t page, uint64_t rights)
{
    unsigned long interrupts = platform_interrupts_save();
    bool is_done = protect_one(space, page, rights);
    platform_interrupts_restore(interrupts);
    return is_done;
}

int paging_protect(struct paging_space *space, uintptr_t start, uint32_t pages, uint32_t flags)
{
    uint32_t page;
    uint64_t rights;
    int error = range_pages(start, pages, &page);
    if (error == 0)
        error = policy_check_protect(page, page + pages, flags);
    if (error != 0)
        return error;
    rights = entry_rights(flags);
    if (pages == 1 && protect_page(space, page, rights))
        return 0;
    return change_pages(space, page, pages, rights);
}

static frame_t unmap_one(struct paging_space *space, uint32_t page)
{
    uint64_t old;
    union paging_entry *entry = small_entry(space, page);
    if (entry == NULL)
        return FRAME_NONE;
    old = entry_clear(entry);
    books_add(space, policy_of(page), (uint32_t)-1, -(old & ~ENTRY_HARDWARE));
    if (is_visible(space, page))
        platform_tlb_flush_page(page_address(page));
    return entry_frame(old);
}

frame_t paging_unmap_page(struct paging_space *space, uintptr_t address)
{
    uint32_t page;
    frame_t frame;
    unsigned long interrupts;
    if (range_pages(address, 1, &page) != 0)
        return FRAME_NONE;
    interrupts = platform_interrupts_save();
    frame = unmap_one(space, page);
    platform_interrupts_restore(interrupts);
    return frame;
}

int paging_unmap(struct paging_space *space, uintptr_t start, uint32_t pages)
{
    uint32_t page;
    int error;
    if (pages == 1 && paging_unmap_page(space, start) != FRAME_NONE)
        return 0;
    error = range_pages(start, pages, &page);
    return error != 0 ? error : change_pages(space, page, pages, 0);
}
