#include "kernel/memory/paging/internal.h"

/*
 * Map, unmap, protect. Each has the same three steps, with interrupts off: survey (refuse, count
 * the tables that will be needed), take the tables, change. Only the last writes an entry, and it
 * cannot fail.
 */

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

/* A change of pages that are mapped already. */
struct change {
    struct paging_space *space;
    const struct paging_policy *policy; /* of the page at which the change has arrived */
    uint64_t rights;                    /* zero: unmap */
    bool is_visible;  /* the processor may hold translations of this space's range */
    bool flush_whole; /* at the end, instead of page by page */
};

static bool is_changed(uint64_t entry, uint64_t rights)
{
    return ((entry ^ entry_with_rights(entry, rights)) & ~ENTRY_HARDWARE) != 0;
}

static bool is_loaded(const struct paging_space *space, uint32_t page, uint32_t end)
{
    return space == paging_loaded || !is_private_page(page) || !is_private_page(end - 1);
}

/* ---- map ---- */

static bool fits_large(uint32_t page, uint32_t end, frame_t frame, uint32_t flags)
{
    return !(flags & PAGING_SMALL) && page % SLOT_PAGES == 0 && frame % SLOT_PAGES == 0 &&
           end - page >= SLOT_PAGES;
}

static bool has_present(uint64_t directory_entry, uint32_t page, uint32_t end)
{
    for (; page < end; page++)
        if (entry_is_present(entry_read(table_entry(directory_entry, page))))
            return true;
    return false;
}

static struct survey survey_map(const struct paging_space *space, uint32_t page, uint32_t end,
                                frame_t frame, uint32_t flags)
{
    struct survey survey = {0, 0, 0};
    while (page < end) {
        uint32_t next = slot_end(page, end);
        uint64_t slot = entry_read(directory_entry(space, page));
        if (!entry_is_present(slot))
            survey.tables += !fits_large(page, end, frame, flags);
        else if (entry_is_large(slot) || has_present(slot, page, next))
            return (struct survey){.error = -EEXIST};
        frame += next - page;
        page = next;
    }
    return survey;
}

static void map_slot(struct paging_space *space, uint32_t page, uint32_t end, frame_t frame,
                     uint32_t flags, struct spare_tables *spare)
{
    uint64_t slot = entry_read(directory_entry(space, page));
    uint64_t entry = frame_address(frame) | entry_rights(flags);
    const struct paging_policy *policy = policy_of(page);
    if (!entry_is_present(slot) && fits_large(page, end, frame, flags)) {
        directory_set_large(space, page, entry | ENTRY_LARGE);
        books_change(space, policy, 0, entry | ENTRY_LARGE);
        return;
    }
    if (!entry_is_present(slot)) {
        directory_enter_table(space, page, spare_pop(spare));
        slot = entry_read(directory_entry(space, page));
    }
    for (end = slot_end(page, end); page < end; page++, entry += PAGE_SIZE) {
        entry_set(table_entry(slot, page), entry);
        policy = policy_from(policy, page);
        books_change(space, policy, 0, entry);
    }
}

static int map_pages(struct paging_space *space, uint32_t page, uint32_t end, frame_t frame,
                     uint32_t flags)
{
    struct spare_tables spare;
    struct survey survey = survey_map(space, page, end, frame, flags);
    if (survey.error != 0)
        return survey.error;
    if (spare_take(&spare, survey.tables) != 0)
        return -ENOMEM;
    while (page < end) {
        uint32_t next = slot_end(page, end);
        map_slot(space, page, end, frame, flags, &spare);
        frame += next - page;
        page = next;
    }
    MEMORY_ASSERT(spare.count == 0);
    return 0;
}

int paging_map(struct paging_space *space, uintptr_t start, frame_t first, uint32_t pages,
               uint32_t flags)
{
    uint32_t page;
    unsigned long interrupts;
    int error = range_pages(start, pages, &page);
    if (error == 0)
        error = policy_check_map(page, page + pages, first, flags);
    if (error != 0)
        return error;
    if (!policy_allows_large(page, page + pages))
        flags |= PAGING_SMALL;
    interrupts = platform_interrupts_save();
    error = map_pages(space, page, page + pages, first, flags);
    platform_interrupts_restore(interrupts);
    return error;
}

static int map_one(struct paging_space *space, const struct paging_policy *policy, uint32_t page,
                   uint64_t entry)
{
    struct spare_tables spare;
    uint64_t slot = entry_read(directory_entry(space, page));
    if (!entry_is_present(slot)) {
        if (spare_take(&spare, 1) != 0)
            return -ENOMEM;
        directory_enter_table(space, page, spare_pop(&spare));
        slot = entry_read(directory_entry(space, page));
    } else if (entry_is_large(slot) || entry_is_present(entry_read(table_entry(slot, page)))) {
        return -EEXIST;
    }
    entry_set(table_entry(slot, page), entry);
    books_change(space, policy, 0, entry);
    return 0;
}

int paging_map_page(struct paging_space *space, uintptr_t address, frame_t frame, uint32_t flags)
{
    uint32_t page;
    const struct paging_policy *policy;
    unsigned long interrupts;
    int error = range_pages(address, 1, &page);
    if (error != 0)
        return error;
    policy = policy_of(page);
    error = policy_check_map_page(policy, page, frame, flags);
    if (error != 0)
        return error;
    interrupts = platform_interrupts_save();
    error = map_one(space, policy, page, frame_address(frame) | entry_rights(flags));
    platform_interrupts_restore(interrupts);
    return error;
}

/* ---- unmap and protect ---- */

static struct survey survey_large(uint64_t slot, uint32_t pages, uint64_t rights)
{
    if (!is_changed(slot, rights))
        return (struct survey){0, 0, 0};
    if (pages == SLOT_PAGES)
        return (struct survey){.leaves = 1};
    return (struct survey){.tables = 1, .leaves = pages};
}

static struct survey survey_small(uint64_t slot, uint32_t page, uint32_t end, uint64_t rights)
{
    struct survey survey = {0, 0, 0};
    for (; page < end; page++) {
        uint64_t entry = entry_read(table_entry(slot, page));
        if (!entry_is_present(entry))
            return (struct survey){.error = -ENOENT};
        survey.leaves += is_changed(entry, rights);
    }
    return survey;
}

static struct survey survey_change(const struct paging_space *space, uint32_t page, uint32_t end,
                                   uint64_t rights)
{
    struct survey all = {0, 0, 0};
    for (uint32_t next; page < end; page = next) {
        struct survey one;
        uint64_t slot = entry_read(directory_entry(space, page));
        next = slot_end(page, end);
        if (!entry_is_present(slot))
            return (struct survey){.error = -ENOENT};
        one = entry_is_large(slot) ? survey_large(slot, next - page, rights)
                                   : survey_small(slot, page, next, rights);
        if (one.error != 0)
            return one;
        all.tables += one.tables;
        all.leaves += one.leaves;
    }
    return all;
}

/* After an entry was changed from `old`: the books, and the TLB. */
static void note_changed(struct change *change, uint32_t page, uint64_t old)
{
    change->policy = policy_from(change->policy, page);
    books_change(change->space, change->policy, old, entry_with_rights(old, change->rights));
    if (change->is_visible && !change->flush_whole)
        platform_tlb_flush_page(page_address(page));
}

static void change_small(struct change *change, uint64_t slot, uint32_t page, uint32_t end)
{
    for (; page < end; page++) {
        union paging_entry *entry = table_entry(slot, page);
        if (is_changed(entry_read(entry), change->rights))
            note_changed(change, page, entry_change(entry, change->rights));
    }
}

static void change_slot(struct change *change, uint32_t page, uint32_t end,
                        struct spare_tables *spare)
{
    uint64_t slot = entry_read(directory_entry(change->space, page));
    if (entry_is_large(slot)) {
        if (!is_changed(slot, change->rights))
            return;
        if (end - page == SLOT_PAGES) {
            note_changed(change, page, directory_change_large(change->space, page, change->rights));
            return;
        }
        directory_split(change->space, page, spare_pop(spare));
        slot = entry_read(directory_entry(change->space, page));
    }
    change_small(change, slot, page, end);
}

static int change_pages(struct paging_space *space, uint32_t page, uint32_t end, uint64_t rights)
{
    struct spare_tables spare;
    struct survey survey = survey_change(space, page, end, rights);
    struct change change = {.space = space,
                            .policy = policy_of(page),
                            .rights = rights,
                            .is_visible = is_loaded(space, page, end),
                            .flush_whole = survey.leaves > PAGING_FLUSH_MAX};
    if (survey.error != 0)
        return survey.error;
    if (spare_take(&spare, survey.tables) != 0)
        return -ENOMEM;
    for (; page < end; page = slot_end(page, end))
        change_slot(&change, page, slot_end(page, end), &spare);
    MEMORY_ASSERT(spare.count == 0);
    if (change.is_visible && change.flush_whole)
        platform_tlb_flush_all();
    return 0;
}

int paging_unmap(struct paging_space *space, uintptr_t start, uint32_t pages)
{
    uint32_t page;
    unsigned long interrupts;
    int error = range_pages(start, pages, &page);
    if (error != 0)
        return error;
    interrupts = platform_interrupts_save();
    error = change_pages(space, page, page + pages, 0);
    platform_interrupts_restore(interrupts);
    return error;
}

int paging_protect(struct paging_space *space, uintptr_t start, uint32_t pages, uint32_t flags)
{
    uint32_t page;
    unsigned long interrupts;
    int error = range_pages(start, pages, &page);
    if (error == 0)
        error = policy_check_protect(page, page + pages, flags);
    if (error != 0)
        return error;
    interrupts = platform_interrupts_save();
    error = change_pages(space, page, page + pages, entry_rights(flags));
    platform_interrupts_restore(interrupts);
    return error;
}

static frame_t unmap_one(struct paging_space *space, uint32_t page)
{
    uint64_t old, slot = entry_read(directory_entry(space, page));
    union paging_entry *entry;
    if (!entry_is_present(slot) || entry_is_large(slot))
        return FRAME_NONE;
    entry = table_entry(slot, page);
    if (!entry_is_present(entry_read(entry)))
        return FRAME_NONE;
    old = entry_change(entry, 0);
    books_change(space, policy_of(page), old, 0);
    if (is_loaded(space, page, page + 1))
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
