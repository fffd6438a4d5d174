#include "kernel/memory/paging/user.h"

#include "kernel/memory/bytemap/internal.h"
#include "kernel/memory/paging/internal.h"

#define NOINLINE __attribute__((noinline))

/*
 * The pages of programs. One processor, and preemption is off: nobody runs in user mode meanwhile,
 * and interrupt handlers do not touch user memory, so the processor sets no accessed or dirty bit
 * between the reading of an entry and its writing.
 */

static inline uint32_t slot_of(uint32_t page)
{
    return (page - PAGE_OF(MAP_USER_START)) / SLOT_PAGES;
}

static inline union paging_entry *entries_of(frame_t table)
{
    return platform_frame_pointer(table);
}

/* Own rows lie in the first directory; tables lie in the direct view, so below 4 GiB. */
static inline union paging_entry *directory_at(const struct paging_space *space, uint32_t page)
{
    return entries_of(space->directory) + page / SLOT_PAGES;
}

static inline frame_t table_of(uint32_t slot)
{
    return slot >> FRAME_SHIFT;
}

static inline union paging_entry *entry_at(uint32_t slot, uint32_t page)
{
    return entries_of(table_of(slot)) + page % TABLE_ENTRIES;
}

#define SLOT_PRESENT ((uint32_t)ENTRY_PRESENT)
#define SLOT_OWN     ((uint32_t)ENTRY_WRITE) /* the table is written by nobody else */

static inline struct paging_books *books_at(struct paging_space *space, uint32_t page)
{
    return &space->books[page >= PAGE_OF(MAP_LIBRARY_START)];
}

/* A leaf from flags. */
static inline uint64_t leaf(frame_t frame, uint32_t flags)
{
    uint64_t entry = frame_address(frame) |
                     entry_rights((flags & (PAGING_WRITE | PAGING_EXECUTE)) | PAGING_USER);
    if (flags & PAGING_OWN)
        entry |= ENTRY_OWN;
    return entry;
}

/* Any value becomes any other; in between it is absent. */
static inline void entry_put(volatile union paging_entry *entry, uint64_t value)
{
    entry->low = 0;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    entry_set(entry, value);
}

static inline void entry_wipe(volatile union paging_entry *entry)
{
    entry->low = 0;
    entry->high = 0;
}

/* Of an entry that is there, so that its frame has a byte. */
static inline bool is_frame_shared(uint64_t entry)
{
    return bytemap_tag_is_shared(bytemap.bytes[entry_frame(entry)]);
}

static inline bool is_table_shared(uint32_t slot)
{
    return bytemap_tag_is_shared(bytemap.bytes[table_of(slot)]);
}

/* What a step adds to a slot and its row, or takes away: counts modulo 2^32, the sum modulo 2^64.
 */
struct change {
    uint32_t pages, own;
    uint64_t sum;
};

static inline void change_add(struct change *change, uint64_t entry)
{
    change->pages++;
    change->own += (uint32_t)(entry >> 9) & 1;
    change->sum += entry & ~ENTRY_HARDWARE;
}

static inline void change_replace(struct change *change, uint64_t old, uint64_t value)
{
    change->own += ((uint32_t)(value >> 9) & 1) - ((uint32_t)(old >> 9) & 1);
    change->sum += (value & ~ENTRY_HARDWARE) - (old & ~ENTRY_HARDWARE);
}

_Static_assert(ENTRY_OWN == 1u << 9, "change_add");

/* One place changes the counts of a slot and the books of its row. */
static inline void note(struct paging_space *space, uint32_t page, const struct change *change)
{
    struct paging_books *books = books_at(space, page);
    const uint32_t slot = slot_of(page);
    space->slots[slot].used = (uint16_t)(space->slots[slot].used + change->pages);
    space->slots[slot].own = (uint16_t)(space->slots[slot].own + change->own);
    space->own_pages += change->own;
    books->pages += change->pages;
    books->sum += change->sum;
}

static void note_gone(struct paging_space *space, uint32_t page, const struct change *change)
{
    const struct change gone = {-change->pages, -change->own, -change->sum};
    note(space, page, &gone);
}

static void note_replaced(struct paging_space *space, uint32_t page, uint64_t old, uint64_t value)
{
    struct change change = {0, 0, 0};
    change_replace(&change, old, value);
    note(space, page, &change);
}

/* The first of [index, end) that is not zero, or end. */
static inline uint32_t next_used(const union paging_entry *entries, uint32_t index, uint32_t end)
{
    if (index < end && entries[index].low != 0)
        return index;
    while (index + 4 <= end && (entries[index].low | entries[index + 1].low |
                                entries[index + 2].low | entries[index + 3].low) == 0)
        index += 4;
    while (index < end && entries[index].low == 0)
        index++;
    return index;
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

static void clear_by_words(void *page)
{
    memset(page, 0, FRAME_SIZE);
}

static void (*clear_table)(void *page) = clear_by_words;

void paging_user_use_clear(void (*clear)(void *page))
{
    clear_table = clear;
}

/* An empty table, out of what is promised: one zeroed ahead, or cleared now. */
static frame_t alloc_table(void)
{
    frame_t table = pageframe_take_promised_zeroed(PAGING_TABLE_TAG);
    if (table == FRAME_NONE) {
        table = pageframe_alloc_promised(PAGEFRAME_DIRECT, PAGING_TABLE_TAG);
        if (table != FRAME_NONE)
            clear_table(entries_of(table));
    }
    return table;
}

static int new_table(struct paging_space *space, uint32_t page)
{
    frame_t table = alloc_table();
    if (table == FRAME_NONE)
        return -ENOMEM;
    entry_set(directory_at(space, page), entry_table(table, ENTRY_USER));
    count_tables(space, 1, 1);
    return 0;
}

/* The directory lets go of a table. */
static void drop_table(struct paging_space *space, uint32_t page)
{
    union paging_entry *directory = directory_at(space, page);
    int left = pageframe_release_promised(table_of(directory->low));
    MEMORY_ASSERT(left >= 0);
    entry_wipe(directory);
    count_tables(space, (uint32_t)-1, left == 0 ? (uint32_t)-1 : 0);
}

/* Some entries of a table that is being copied. */
struct copying {
    uint32_t count;
    frame_t frames[PAGING_USER_STEP];
    uint16_t indices[PAGING_USER_STEP];
};

/* Their frames get the copy's references, and the copy its entries: own pages have two owners now.
 * An object's page whose references cannot be counted any more is left out; a fault brings it back.
 */
static void copy_some(const union paging_entry *from, union paging_entry *to,
                      const struct copying *some, struct change *change)
{
    uint32_t done = pageframe_reference_each(some->frames, some->count);
    for (uint32_t i = 0; i < some->count; i++) {
        const uint64_t entry = entry_read(&from[some->indices[i]]);
        uint64_t copy = entry & ENTRY_OWN ? entry & ~ENTRY_WRITE : entry;
        if (i >= done && pageframe_reference(some->frames[i]) != 0) {
            struct change lost = {0, 0, 0};
            MEMORY_ASSERT(!(entry & ENTRY_OWN));
            change_add(&lost, entry);
            change->pages -= lost.pages;
            change->sum -= lost.sum;
            continue;
        }
        to[some->indices[i]].whole = copy;
        change->sum += copy - entry;
    }
}

static void copy_entries(const union paging_entry *from, union paging_entry *to, uint32_t used,
                         struct change *change)
{
    struct copying some;
    some.count = 0;
    for (uint32_t index = 0; used > 0; index++, used--) {
        index = next_used(from, index, TABLE_ENTRIES);
        some.frames[some.count] = entry_frame(entry_read(&from[index]));
        some.indices[some.count] = (uint16_t)index;
        if (++some.count < PAGING_USER_STEP && used > 1)
            continue;
        copy_some(from, to, &some, change);
        some.count = 0;
    }
}

/* The bounded step: 512 entries. */
static int copy_table(struct paging_space *space, uint32_t page, frame_t table)
{
    const frame_t copy = alloc_table();
    struct change change = {0, 0, 0};
    if (copy == FRAME_NONE)
        return -ENOMEM;
    copy_entries(entries_of(table), entries_of(copy), space->slots[slot_of(page)].used, &change);
    note(space, page, &change);
    drop_table(space, page);
    entry_set(directory_at(space, page), entry_table(copy, ENTRY_USER));
    count_tables(space, 1, 1);
    return 0;
}

/* The others are gone; the frames that they copied the table for may not be. */
static void take_over_table(struct paging_space *space, uint32_t page, frame_t table)
{
    const uint32_t both = (uint32_t)(ENTRY_OWN | ENTRY_WRITE);
    union paging_entry *entries = entries_of(table);
    struct change change = {0, 0, 0};
    uint32_t index = 0;
    for (uint32_t used = space->slots[slot_of(page)].used; used > 0; used--, index++) {
        index = next_used(entries, index, TABLE_ENTRIES);
        if ((entries[index].low & both) != both || !is_frame_shared(entry_read(&entries[index])))
            continue;
        entries[index].low &= ~(uint32_t)ENTRY_WRITE;
        change.sum -= ENTRY_WRITE;
    }
    note(space, page, &change);
    directory_at(space, page)->low |= SLOT_OWN;
}

static NOINLINE int own_table(struct paging_space *space, uint32_t page)
{
    const uint32_t slot = directory_at(space, page)->low;
    int error = 0;
    if ((slot & (SLOT_PRESENT | SLOT_OWN)) != SLOT_PRESENT)
        return 0;
    if (is_table_shared(slot))
        error = copy_table(space, page, table_of(slot));
    else
        take_over_table(space, page, table_of(slot));
    paging_user_forget(space);
    return error;
}

int paging_user_take_table(struct paging_space *space, uint32_t address)
{
    return own_table(space, PAGE_OF(address));
}

bool paging_user_is_shared(const struct paging_space *space, uint32_t address)
{
    const uint32_t slot = directory_at(space, PAGE_OF(address))->low;
    return (slot & (SLOT_PRESENT | SLOT_OWN)) == SLOT_PRESENT;
}

/* ---- single pages ---- */

static inline uint32_t flags_of(uint32_t slot, uint64_t entry)
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
    const uint32_t page = PAGE_OF(address), slot = directory_at(space, page)->low;
    struct paging_user_page found = {FRAME_NONE, 0, PAGING_TABLE_NONE, false, false};
    uint64_t entry;
    if (!(slot & SLOT_PRESENT))
        return found;
    found.table = slot & SLOT_OWN ? PAGING_TABLE_OWN : PAGING_TABLE_SHARED;
    entry = entry_read(entry_at(slot, page));
    if (entry == 0)
        return found;
    found.frame = entry_frame(entry);
    found.flags = flags_of(slot, entry);
    found.accessed = (entry & ENTRY_ACCESSED) != 0;
    found.dirty = (entry & ENTRY_DIRTY) != 0;
    return found;
}

/* A table of its own for the page. */
static NOINLINE int make_table(struct paging_space *space, uint32_t page)
{
    return directory_at(space, page)->low & SLOT_PRESENT ? own_table(space, page)
                                                         : new_table(space, page);
}

int paging_user_map(struct paging_space *space, uint32_t address, frame_t frame, uint32_t flags)
{
    const uint32_t page = PAGE_OF(address);
    const uint64_t value = leaf(frame, flags);
    struct change change = {0, 0, 0};
    union paging_entry *entry;
    MEMORY_ASSERT(is_private_page(page));
    if (!(directory_at(space, page)->low & SLOT_OWN)) {
        int error = make_table(space, page);
        if (error != 0)
            return error;
    }
    entry = entry_at(directory_at(space, page)->low, page);
    MEMORY_ASSERT(entry->low == 0);
    entry_set(entry, value);
    change_add(&change, value);
    note(space, page, &change);
    return 0;
}

frame_t paging_user_replace(struct paging_space *space, uint32_t address, frame_t frame,
                            uint32_t flags)
{
    const uint32_t page = PAGE_OF(address), slot = directory_at(space, page)->low;
    const uint64_t value = leaf(frame, flags);
    union paging_entry *entry = entry_at(slot, page);
    uint64_t old = entry_read(entry);
    MEMORY_ASSERT((slot & SLOT_OWN) && old != 0);
    entry_put(entry, value);
    note_replaced(space, page, old, value);
    forget_page(space, address);
    return entry_frame(old);
}

/* ---- ranges ---- */

/* What a step has taken out, to be released when the processor has forgotten it: own pages from the
 * front, others from the back. */
struct step {
    frame_t frames[PAGING_USER_STEP];
    uint32_t own, others;
};

static void forget_step(const struct paging_space *space, uint32_t page, uint32_t end)
{
    if (space != paging_loaded)
        return;
    if (end - page > PAGING_FLUSH_MAX)
        paging_user_forget(space);
    else
        for (; page < end; page++)
            platform_tlb_flush_page(page_address(page));
}

static void release_frames(const frame_t *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int left = pageframe_release(frames[i]);
        MEMORY_ASSERT(left >= 0);
    }
}

static void release_step(const struct step *step, enum paging_release release)
{
    if (release == PAGING_RELEASE_PROMISE)
        pageframe_release_promised_each(step->frames, step->own);
    else
        release_frames(step->frames, step->own);
    release_frames(step->frames + PAGING_USER_STEP - step->others, step->others);
}

/* Takes entries out of an own table, up to a step of them; returns where it stopped. */
static uint32_t take_out(struct paging_space *space, uint32_t slot, uint32_t page, uint32_t end,
                         struct step *step)
{
    union paging_entry *entries = entries_of(table_of(slot));
    const uint32_t first = page % TABLE_ENTRIES, last = first + (end - page);
    struct change change = {0, 0, 0};
    uint32_t index = next_used(entries, first, last);
    step->own = step->others = 0;
    if (index == last)
        return page + (index - first);
    while (index < last && change.pages < PAGING_USER_STEP) {
        const uint64_t old = entry_read(&entries[index]);
        entry_wipe(&entries[index]);
        change_add(&change, old);
        if (old & ENTRY_OWN)
            step->frames[step->own++] = entry_frame(old);
        else
            step->frames[PAGING_USER_STEP - ++step->others] = entry_frame(old);
        index = next_used(entries, index + 1, last);
    }
    note_gone(space, page, &change);
    return page + (index - first);
}

/* A table that others share goes with all that it has; they keep its frames. */
static void leave_table(struct paging_space *space, uint32_t page)
{
    const union paging_entry *entries = entries_of(table_of(directory_at(space, page)->low));
    struct change change = {0, 0, 0};
    uint32_t index = 0;
    for (uint32_t used = space->slots[slot_of(page)].used; used > 0; used--, index++) {
        index = next_used(entries, index, TABLE_ENTRIES);
        change_add(&change, entry_read(&entries[index]));
    }
    note_gone(space, page, &change);
    drop_table(space, page);
    paging_user_forget(space);
}

uint32_t paging_user_clear(struct paging_space *space, uint32_t start, uint32_t end,
                           enum paging_release release)
{
    const uint32_t page = PAGE_OF(start), slot = directory_at(space, page)->low;
    struct step step;
    uint32_t stopped;
    if (!(slot & SLOT_PRESENT))
        return end;
    if (!(slot & SLOT_OWN) && is_table_shared(slot)) {
        leave_table(space, page);
        return end;
    }
    stopped = take_out(space, slot, page, PAGE_OF(end), &step);
    if (space->slots[slot_of(page)].used == 0) {
        drop_table(space, page);
        stopped = PAGE_OF(end);
    }
    if (step.own + step.others != 0) {
        forget_step(space, page, stopped);
        release_step(&step, release);
    }
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
    const uint32_t page = PAGE_OF(start), slot = directory_at(space, page)->low;
    const uint32_t first = page % TABLE_ENTRIES;
    uint32_t last = first + (PAGE_OF(end) - page), changed = 0;
    struct change change = {0, 0, 0};
    union paging_entry *entries;
    if (!(slot & SLOT_PRESENT))
        return end;
    MEMORY_ASSERT(slot & SLOT_OWN);
    entries = entries_of(table_of(slot));
    if (last > first + PAGING_USER_STEP)
        last = first + PAGING_USER_STEP;
    for (uint32_t index = next_used(entries, first, last); index < last;
         index = next_used(entries, index + 1, last)) {
        uint64_t old = entry_read(&entries[index]), value = with_rights(old, rights);
        if (value == old)
            continue;
        entry_put(&entries[index], value);
        change_replace(&change, old, value);
        changed++;
    }
    note(space, page, &change);
    if (changed != 0)
        forget_step(space, page, page + (last - first));
    return page_address(page + (last - first));
}

/* What is there of `count` entries goes to the other table. */
static void move_entries(union paging_entry *from, union paging_entry *to, uint32_t count,
                         struct change *change)
{
    for (uint32_t i = next_used(from, 0, count); i < count; i = next_used(from, i + 1, count)) {
        const uint64_t value = entry_read(&from[i]);
        MEMORY_ASSERT(to[i].low == 0);
        entry_wipe(&from[i]);
        entry_set(&to[i], value);
        change_add(change, value);
    }
}

int paging_user_move(struct paging_space *space, uint32_t from, uint32_t to, uint32_t bytes)
{
    const uint32_t page = PAGE_OF(from), target = PAGE_OF(to);
    const uint32_t source = directory_at(space, page)->low;
    struct change change = {0, 0, 0};
    if (!(source & SLOT_PRESENT))
        return 0;
    MEMORY_ASSERT(source & SLOT_OWN);
    if (!(directory_at(space, target)->low & SLOT_OWN)) {
        int error = make_table(space, target);
        if (error != 0)
            return error;
    }
    move_entries(entry_at(source, page), entry_at(directory_at(space, target)->low, target),
                 bytes / PAGE_SIZE, &change);
    note_gone(space, page, &change);
    note(space, target, &change);
    if (space->slots[slot_of(page)].used == 0)
        drop_table(space, page);
    if (space->slots[slot_of(target)].used == 0) /* then it is not the source's */
        drop_table(space, target);
    return 0;
}

/* Whether a table has nothing outside of [first, last). */
static bool has_nothing_else(const union paging_entry *entries, uint32_t first, uint32_t last)
{
    return next_used(entries, 0, first) == first &&
           next_used(entries, last, TABLE_ENTRIES) == TABLE_ENTRIES;
}

bool paging_user_move_table(struct paging_space *space, uint32_t from, uint32_t to, uint32_t bytes)
{
    const uint32_t page = PAGE_OF(from), target = PAGE_OF(to), first = page % TABLE_ENTRIES;
    union paging_entry *source = directory_at(space, page), *there = directory_at(space, target);
    if (target % TABLE_ENTRIES != first || (there->low & SLOT_PRESENT) ||
        books_at(space, page) != books_at(space, target) ||
        !has_nothing_else(entries_of(table_of(source->low)), first, first + bytes / PAGE_SIZE))
        return false;
    entry_set(there, entry_read(source));
    entry_wipe(source);
    space->slots[slot_of(target)] = space->slots[slot_of(page)];
    space->slots[slot_of(page)].used = space->slots[slot_of(page)].own = 0;
    return true;
}

_Static_assert(TOP_FRAMES *TOPS_A_FRAME < PAGEFRAME_REFERENCES_MAX,
               "a table can be shared by all spaces that there can be");

/* The directories of both name the table from now on, and neither may write. */
static void share_slot(struct paging_space *parent, struct paging_space *child, uint32_t slot)
{
    const uint32_t page = PAGE_OF(MAP_USER_START) + slot * SLOT_PAGES;
    union paging_entry *from = directory_at(parent, page);
    const uint64_t entry = entry_read(from);
    const int error = pageframe_reference(table_of(from->low));
    MEMORY_ASSERT(error == 0);
    from->low &= ~SLOT_OWN;
    entry_set(directory_at(child, page), entry & ~(ENTRY_WRITE | ENTRY_ACCESSED));
    child->slots[slot] = parent->slots[slot];
    child->own_pages += parent->slots[slot].own;
    count_tables(child, 1, 0);
}

/* What the parent's books say of a slot is not the child's. */
static void leave_out(const struct paging_space *parent, struct paging_space *child, uint32_t slot)
{
    const uint32_t page = PAGE_OF(MAP_USER_START) + slot * SLOT_PAGES;
    struct paging_books *books = books_at(child, page);
    const union paging_entry *entries = entries_of(table_of(directory_at(parent, page)->low));
    books->pages -= parent->slots[slot].used;
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
        books->sum -= entry_read(&entries[i]) & ~ENTRY_HARDWARE;
}

void paging_user_share(struct paging_space *parent, struct paging_space *child,
                       const uint32_t apart[PAGING_USER_SLOTS / 32])
{
    MEMORY_ASSERT(paging_user_pages(child) == 0 && child->tables == 0);
    child->books[0] = parent->books[0];
    child->books[1] = parent->books[1];
    for (uint32_t slot = 0; slot < PAGING_USER_SLOTS; slot++) {
        if (parent->slots[slot].used == 0)
            continue;
        if (apart[slot / 32] >> slot % 32 & 1)
            leave_out(parent, child, slot);
        else
            share_slot(parent, child, slot);
    }
    paging_user_forget(parent);
}

bool paging_user_abandon(struct paging_space *space, uint32_t slot)
{
    const uint32_t page = PAGE_OF(MAP_USER_START) + slot * SLOT_PAGES;
    const uint32_t entry = directory_at(space, page)->low;
    if (!(entry & SLOT_PRESENT))
        return true;
    if ((entry & SLOT_OWN) || !is_table_shared(entry))
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
        const union paging_entry *entries;
        uint32_t first = page % TABLE_ENTRIES, index;
        next = slot_end(page, page_end);
        if (space->slots[slot_of(page)].used == 0)
            continue;
        entries = entries_of(table_of(directory_at(space, page)->low));
        index = next_used(entries, first, first + (next - page));
        if (index < first + (next - page))
            return page_address(page + (index - first));
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
