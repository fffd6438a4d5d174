#include "kernel/memory/paging/user.h"

#include "kernel/memory/paging/internal.h"

/*
 * The pages of programs. One processor, and preemption is off: nobody runs in user mode meanwhile,
 * and interrupt handlers do not touch user memory, so the processor sets no accessed or dirty bit
 * between the reading of an entry and its writing.
 */

static uint32_t index_of(uint32_t page)
{
    return page % TABLE_ENTRIES;
}

static uint32_t slot_of(uint32_t page)
{
    return (page - PAGE_OF(MAP_USER_START)) / SLOT_PAGES;
}

static union paging_entry *entries_of(frame_t table)
{
    return platform_frame_pointer(table);
}

static struct paging_books *books_at(struct paging_space *space, uint32_t page)
{
    return &space->books[page >= PAGE_OF(MAP_LIBRARY_START)];
}

/* A leaf from flags. */
static uint64_t leaf(frame_t frame, uint32_t flags)
{
    uint64_t entry = frame_address(frame) |
                     entry_rights((flags & (PAGING_WRITE | PAGING_EXECUTE)) | PAGING_USER);
    if (flags & PAGING_OWN)
        entry |= ENTRY_OWN;
    return entry;
}

/* Any value becomes any other; in between it is absent. */
static void entry_put(volatile union paging_entry *entry, uint64_t value)
{
    entry->low = 0;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    entry_set(entry, value);
}

static bool is_frame_shared(uint64_t entry)
{
    return bytemap_tag_is_shared(bytemap_get(entry_frame(entry)));
}

/* One place changes the counts of a slot and the books of its row. Zero is no entry. */
static void note(struct paging_space *space, uint32_t page, uint64_t old, uint64_t value)
{
    struct paging_books *books = books_at(space, page);
    const uint32_t slot = slot_of(page);
    const uint32_t pages = (value != 0) - (uint32_t)(old != 0);
    const uint32_t own = ((value & ENTRY_OWN) != 0) - (uint32_t)((old & ENTRY_OWN) != 0);
    space->slots[slot].used = (uint16_t)(space->slots[slot].used + pages);
    space->slots[slot].own = (uint16_t)(space->slots[slot].own + own);
    space->own_pages += own;
    books->pages += pages;
    books->sum += (value & ~ENTRY_HARDWARE) - (old & ~ENTRY_HARDWARE);
}

void paging_user_forget(const struct paging_space *space)
{
    if (space == paging_loaded)
        platform_load_root(space->root);
}

static void forget_page(const struct paging_space *space, uint32_t address)
{
    if (space == paging_loaded)
        platform_tlb_flush_page(address);
}

/* ---- tables ---- */

static void count_tables(struct paging_space *space, uint32_t in_space, uint32_t frames)
{
    unsigned long interrupts = platform_interrupts_save();
    space->tables += in_space;
    paging_space_frames += frames;
    platform_interrupts_restore(interrupts);
}

static int new_table(struct paging_space *space, uint32_t page)
{
    frame_t table = pageframe_alloc_promised_zeroed(PAGING_TABLE_TAG);
    if (table == FRAME_NONE)
        return -ENOMEM;
    entry_set(directory_entry(space, page), entry_table(table, ENTRY_USER));
    count_tables(space, 1, 1);
    return 0;
}

/* The directory lets go of a table. Returns whether that was the last reference. */
static bool drop_table(struct paging_space *space, uint32_t page)
{
    union paging_entry *directory = directory_entry(space, page);
    int left = pageframe_release_promised(entry_frame(entry_read(directory)));
    MEMORY_ASSERT(left >= 0);
    entry_put(directory, 0);
    count_tables(space, (uint32_t)-1, left == 0 ? (uint32_t)-1 : 0);
    return left == 0;
}

/* What a copy of a table says: own pages have two owners now. The frame gets the entry's reference.
 * An object's page whose references cannot be counted any more is left out: a fault brings it back.
 */
static uint64_t copy_of(struct paging_space *space, uint32_t page, uint64_t entry)
{
    uint64_t copy = entry & ENTRY_OWN ? entry & ~ENTRY_WRITE : entry;
    if (pageframe_reference(entry_frame(entry)) != 0) {
        MEMORY_ASSERT(!(entry & ENTRY_OWN));
        copy = 0;
    }
    if (copy != entry)
        note(space, page, entry, copy);
    return copy;
}

/* The bounded step: 512 entries. */
static int copy_table(struct paging_space *space, uint32_t page, frame_t table)
{
    frame_t copy = pageframe_alloc_promised(PAGEFRAME_DIRECT, PAGING_TABLE_TAG);
    const union paging_entry *from = entries_of(table);
    union paging_entry *to;
    if (copy == FRAME_NONE)
        return -ENOMEM;
    to = entries_of(copy);
    page -= index_of(page);
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++) {
        uint64_t entry = entry_read(&from[i]);
        to[i].whole = entry == 0 ? 0 : copy_of(space, page + i, entry);
    }
    drop_table(space, page);
    entry_set(directory_entry(space, page), entry_table(copy, ENTRY_USER));
    count_tables(space, 1, 1);
    return 0;
}

/* The others are gone; the frames that they copied the table for may not be. */
static void take_over_table(struct paging_space *space, uint32_t page, frame_t table)
{
    const uint64_t both = ENTRY_OWN | ENTRY_WRITE;
    union paging_entry *entries = entries_of(table);
    page -= index_of(page);
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++) {
        uint64_t entry = entry_read(&entries[i]);
        if ((entry & both) == both && is_frame_shared(entry)) {
            entries[i].low = (uint32_t)(entry & ~ENTRY_WRITE);
            note(space, page + i, entry, entry & ~ENTRY_WRITE);
        }
    }
    entry_put(directory_entry(space, page), entry_table(table, ENTRY_USER));
}

static int own_table(struct paging_space *space, uint32_t page)
{
    uint64_t slot = entry_read(directory_entry(space, page));
    int error = 0;
    if (!entry_is_present(slot) || (slot & ENTRY_WRITE))
        return 0;
    if (bytemap_tag_is_shared(bytemap_get(entry_frame(slot))))
        error = copy_table(space, page, entry_frame(slot));
    else
        take_over_table(space, page, entry_frame(slot));
    paging_user_forget(space);
    return error;
}

int paging_user_take_table(struct paging_space *space, uint32_t address)
{
    return own_table(space, PAGE_OF(address));
}

bool paging_user_is_shared(const struct paging_space *space, uint32_t address)
{
    uint64_t slot = entry_read(directory_entry(space, PAGE_OF(address)));
    return entry_is_present(slot) && !(slot & ENTRY_WRITE);
}

/* ---- single pages ---- */

static uint32_t flags_of(uint64_t slot, uint64_t entry)
{
    uint32_t flags = PAGING_USER;
    if (entry & slot & ENTRY_WRITE)
        flags |= PAGING_WRITE;
    if (!(entry & ENTRY_NO_EXECUTE))
        flags |= PAGING_EXECUTE;
    if (entry & ENTRY_OWN)
        flags |= PAGING_OWN;
    if (!entry_is_present(entry))
        flags |= PAGING_HIDDEN;
    return flags;
}

struct paging_user_page paging_user_find(const struct paging_space *space, uint32_t address)
{
    const uint32_t page = PAGE_OF(address);
    uint64_t slot = entry_read(directory_entry(space, page)), entry;
    if (!entry_is_present(slot))
        return (struct paging_user_page){FRAME_NONE, 0, false, false};
    entry = entry_read(table_entry(slot, page));
    if (entry == 0)
        return (struct paging_user_page){FRAME_NONE, 0, false, false};
    return (struct paging_user_page){entry_frame(entry), flags_of(slot, entry),
                                     (entry & ENTRY_ACCESSED) != 0, (entry & ENTRY_DIRTY) != 0};
}

int paging_user_map(struct paging_space *space, uint32_t address, frame_t frame, uint32_t flags)
{
    const uint32_t page = PAGE_OF(address);
    const uint64_t value = leaf(frame, flags);
    uint64_t slot = entry_read(directory_entry(space, page));
    union paging_entry *entry;
    if (!(slot & ENTRY_WRITE)) {
        int error = entry_is_present(slot) ? own_table(space, page) : new_table(space, page);
        if (error != 0)
            return error;
        slot = entry_read(directory_entry(space, page));
    }
    entry = table_entry(slot, page);
    MEMORY_ASSERT(entry_read(entry) == 0 && is_private_page(page));
    entry_set(entry, value);
    note(space, page, 0, value);
    return 0;
}

frame_t paging_user_replace(struct paging_space *space, uint32_t address, frame_t frame,
                            uint32_t flags)
{
    const uint32_t page = PAGE_OF(address);
    const uint64_t value = leaf(frame, flags), slot = entry_read(directory_entry(space, page));
    union paging_entry *entry = table_entry(slot, page);
    uint64_t old = entry_read(entry);
    MEMORY_ASSERT((slot & ENTRY_WRITE) && old != 0);
    entry_put(entry, value);
    note(space, page, old, value);
    forget_page(space, address);
    return entry_frame(old);
}

/* ---- ranges ---- */

/* What a step has taken out, to be released when the processor has forgotten it. */
struct step {
    uint64_t entries[PAGING_USER_STEP];
    uint32_t count;
};

static void forget_step(const struct paging_space *space, uint32_t page, uint32_t end,
                        uint32_t count)
{
    if (space != paging_loaded || count == 0)
        return;
    if (end - page > PAGING_FLUSH_MAX)
        paging_user_forget(space);
    else
        for (; page < end; page++)
            platform_tlb_flush_page(page_address(page));
}

static void release_step(const struct step *step, enum paging_release release)
{
    for (uint32_t i = 0; i < step->count; i++) {
        const frame_t frame = entry_frame(step->entries[i]);
        int left = release == PAGING_RELEASE_PROMISE && (step->entries[i] & ENTRY_OWN)
                       ? pageframe_release_promised(frame)
                       : pageframe_release(frame);
        MEMORY_ASSERT(left >= 0);
    }
}

/* Takes entries out of an own table, up to a step of them; returns where it stopped. */
static uint32_t take_out(struct paging_space *space, uint64_t slot, uint32_t page, uint32_t end,
                         struct step *step)
{
    struct paging_books *books = books_at(space, page);
    union paging_entry *entry = table_entry(slot, page);
    uint32_t own = 0;
    uint64_t sum = 0;
    for (; page < end && step->count < PAGING_USER_STEP; page++, entry++) {
        uint64_t old = entry_read(entry);
        if (old == 0)
            continue;
        entry->low = 0;
        entry->high = 0;
        own += (old & ENTRY_OWN) != 0;
        sum += old & ~ENTRY_HARDWARE;
        step->entries[step->count++] = old;
    }
    space->slots[slot_of(page - 1)].used =
        (uint16_t)(space->slots[slot_of(page - 1)].used - step->count);
    space->slots[slot_of(page - 1)].own = (uint16_t)(space->slots[slot_of(page - 1)].own - own);
    space->own_pages -= own;
    books->pages -= step->count;
    books->sum -= sum;
    return page;
}

/* A table that others share goes with all that it has; they keep its frames. */
static void leave_table(struct paging_space *space, uint32_t page)
{
    const union paging_entry *entries =
        entries_of(entry_frame(entry_read(directory_entry(space, page))));
    page -= index_of(page);
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
        note(space, page + i, entry_read(&entries[i]), 0);
    drop_table(space, page);
    paging_user_forget(space);
}

uint32_t paging_user_clear(struct paging_space *space, uint32_t start, uint32_t end,
                           enum paging_release release)
{
    const uint32_t page = PAGE_OF(start);
    const uint64_t slot = entry_read(directory_entry(space, page));
    struct step step;
    uint32_t stopped;
    if (!entry_is_present(slot))
        return end;
    if (!(slot & ENTRY_WRITE) && bytemap_tag_is_shared(bytemap_get(entry_frame(slot)))) {
        leave_table(space, page);
        return end;
    }
    step.count = 0;
    stopped = take_out(space, slot, page, PAGE_OF(end), &step);
    if (space->slots[slot_of(page)].used == 0)
        drop_table(space, page);
    forget_step(space, page, stopped, step.count);
    release_step(&step, release);
    return page_address(stopped);
}

/* What an entry becomes with other rights; accessed and dirty stay. */
static uint64_t with_rights(uint64_t entry, uint32_t rights)
{
    const uint64_t kept = entry & (ENTRY_FRAME | ENTRY_OWN | ENTRY_HARDWARE);
    uint32_t flags = PAGING_USER | (rights & PAGING_EXECUTE);
    uint64_t value;
    if ((rights & PAGING_WRITE) &&
        (entry & ENTRY_OWN ? !is_frame_shared(entry) : (rights & PAGING_SHARED) != 0))
        flags |= PAGING_WRITE;
    value = kept | entry_rights(flags);
    return rights & PAGING_HIDDEN ? value & ~ENTRY_PRESENT : value;
}

uint32_t paging_user_protect(struct paging_space *space, uint32_t start, uint32_t end,
                             uint32_t rights)
{
    const uint64_t slot = entry_read(directory_entry(space, PAGE_OF(start)));
    uint32_t page = PAGE_OF(start), changed = 0;
    if (!entry_is_present(slot))
        return end;
    MEMORY_ASSERT(slot & ENTRY_WRITE);
    for (; page < PAGE_OF(end) && page < PAGE_OF(start) + PAGING_USER_STEP; page++) {
        union paging_entry *entry = table_entry(slot, page);
        uint64_t old = entry_read(entry), value;
        if (old == 0)
            continue;
        value = with_rights(old, rights);
        if (value == old)
            continue;
        entry_put(entry, value);
        note(space, page, old, value);
        changed++;
    }
    forget_step(space, PAGE_OF(start), page, changed);
    return page_address(page);
}

/* What a step of a move takes along. */
struct moved {
    uint32_t pages, own;
    uint64_t sum;
};

static void move_entries(union paging_entry *from, union paging_entry *to, uint32_t count,
                         struct moved *moved)
{
    for (; count > 0; count--, from++, to++) {
        const uint64_t value = entry_read(from);
        if (value == 0)
            continue;
        MEMORY_ASSERT(to->low == 0);
        from->low = 0;
        from->high = 0;
        to->high = (uint32_t)(value >> 32);
        to->low = (uint32_t)value;
        moved->pages++;
        moved->own += (value & ENTRY_OWN) != 0;
        moved->sum += value & ~ENTRY_HARDWARE;
    }
}

/* Of a slot and the row; times is 1 or, modulo 2^32, -1. */
static void note_moved(struct paging_space *space, uint32_t page, const struct moved *moved,
                       uint32_t times)
{
    struct paging_books *books = books_at(space, page);
    const uint32_t slot = slot_of(page);
    space->slots[slot].used = (uint16_t)(space->slots[slot].used + times * moved->pages);
    space->slots[slot].own = (uint16_t)(space->slots[slot].own + times * moved->own);
    books->pages += times * moved->pages;
    books->sum += times == 1 ? moved->sum : -moved->sum;
}

int paging_user_move(struct paging_space *space, uint32_t from, uint32_t to, uint32_t bytes)
{
    const uint64_t source = entry_read(directory_entry(space, PAGE_OF(from)));
    const uint32_t end = PAGE_OF(from + bytes);
    uint32_t page = PAGE_OF(from), target = PAGE_OF(to);
    uint64_t slot = entry_read(directory_entry(space, target));
    if (!entry_is_present(source))
        return 0;
    MEMORY_ASSERT(source & ENTRY_WRITE);
    if (!(slot & ENTRY_WRITE)) {
        int error = entry_is_present(slot) ? own_table(space, target) : new_table(space, target);
        if (error != 0)
            return error;
        slot = entry_read(directory_entry(space, target));
    }
    struct moved moved = {0, 0, 0};
    move_entries(table_entry(source, page), table_entry(slot, target), end - page, &moved);
    note_moved(space, page, &moved, (uint32_t)-1);
    note_moved(space, target, &moved, 1);
    if (space->slots[slot_of(page)].used == 0)
        drop_table(space, page);
    if (space->slots[slot_of(target)].used == 0)
        drop_table(space, target);
    return 0;
}

/* The directories of both name the table from now on, and neither may write. */
static int share_slot(struct paging_space *parent, struct paging_space *child, uint32_t slot)
{
    const uint32_t page = PAGE_OF(MAP_USER_START) + slot * SLOT_PAGES;
    union paging_entry *from = directory_entry(parent, page);
    const uint64_t entry = entry_read(from);
    if (pageframe_reference(entry_frame(entry)) != 0)
        return -ENOMEM;
    from->low = (uint32_t)(entry & ~ENTRY_WRITE);
    entry_set(directory_entry(child, page), entry & ~(ENTRY_WRITE | ENTRY_ACCESSED));
    child->slots[slot] = parent->slots[slot];
    child->own_pages += parent->slots[slot].own;
    count_tables(child, 1, 0);
    return 0;
}

/* What the parent's books say of a slot is not the child's. */
static void leave_out(const struct paging_space *parent, struct paging_space *child, uint32_t slot)
{
    const uint32_t page = PAGE_OF(MAP_USER_START) + slot * SLOT_PAGES;
    struct paging_books *books = books_at(child, page);
    const union paging_entry *entries =
        entries_of(entry_frame(entry_read(directory_entry(parent, page))));
    books->pages -= parent->slots[slot].used;
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
        books->sum -= entry_read(&entries[i]) & ~ENTRY_HARDWARE;
}

int paging_user_share(struct paging_space *parent, struct paging_space *child,
                      const uint32_t apart[PAGING_USER_SLOTS / 32])
{
    int error = 0;
    MEMORY_ASSERT(paging_user_pages(child) == 0 && child->tables == 0);
    child->books[0] = parent->books[0];
    child->books[1] = parent->books[1];
    for (uint32_t slot = 0; slot < PAGING_USER_SLOTS && error == 0; slot++) {
        if (parent->slots[slot].used == 0)
            continue;
        if (apart[slot / 32] >> slot % 32 & 1)
            leave_out(parent, child, slot);
        else
            error = share_slot(parent, child, slot);
    }
    paging_user_forget(parent);
    return error;
}

bool paging_user_abandon(struct paging_space *space, uint32_t slot)
{
    const uint32_t page = PAGE_OF(MAP_USER_START) + slot * SLOT_PAGES;
    const uint64_t entry = entry_read(directory_entry(space, page));
    if (!entry_is_present(entry))
        return true;
    if ((entry & ENTRY_WRITE) || !bytemap_tag_is_shared(bytemap_get(entry_frame(entry))))
        return false;
    drop_table(space, page);
    space->own_pages -= space->slots[slot].own;
    books_at(space, page)->pages -= space->slots[slot].used;
    space->slots[slot].used = space->slots[slot].own = 0;
    return true;
}

uint32_t paging_user_next(const struct paging_space *space, uint32_t address, uint32_t end)
{
    const uint32_t page_end = PAGE_OF(end);
    for (uint32_t page = PAGE_OF(address), next; page < page_end; page = next) {
        next = slot_end(page, page_end);
        if (space->slots[slot_of(page)].used == 0)
            continue;
        const uint64_t slot = entry_read(directory_entry(space, page));
        for (; page < next; page++)
            if (entry_read(table_entry(slot, page)) != 0)
                return page_address(page);
    }
    return end;
}

uint32_t paging_user_pages(const struct paging_space *space)
{
    return space->books[0].pages + space->books[1].pages;
}

uint32_t paging_user_own_pages(const struct paging_space *space)
{
    return space->own_pages;
}

uint32_t paging_user_tables(const struct paging_space *space)
{
    return space->tables;
}
