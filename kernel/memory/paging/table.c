#include "kernel/memory/paging/internal.h"

/* Where the tables come from, and how they hang together. */

struct paging_space paging_kernel;
const struct paging_space *paging_loaded;

static frame_t shared_directories[TOP_ENTRIES]; /* 1 to 3; the first is the space's own */
static struct paging_books shared_books[POLICY_COUNT];
static uint32_t table_frames; /* spare ones too */
uint32_t paging_spares;

static union paging_entry *entries_of(frame_t table)
{
    return platform_frame_pointer(table);
}

uint32_t paging_table_frames(void)
{
    return table_frames + paging_space_frames;
}

static struct paging_books *books_at(struct paging_space *space, const struct paging_policy *policy)
{
    const struct paging_policy *own = paging_policies + POLICY_USER;
    if (policy >= own && policy < own + ARRAY_COUNT(space->books))
        return &space->books[policy - own];
    return &shared_books[policy - paging_policies];
}

const struct paging_books *books_of(const struct paging_space *space,
                                    const struct paging_policy *policy)
{
    return books_at((struct paging_space *)space, policy);
}

void books_add(struct paging_space *space, const struct paging_policy *policy, uint32_t pages,
               uint64_t sum)
{
    struct paging_books *books = books_at(space, policy);
    books->pages += pages;
    books->sum += sum;
}

static void count_spares(int32_t change)
{
    unsigned long interrupts = platform_interrupts_save();
    paging_spares += (uint32_t)change;
    table_frames += (uint32_t)change;
    platform_interrupts_restore(interrupts);
}

/* The first of the chain. */
static frame_t spare_unlink(struct spare_tables *spare)
{
    frame_t frame = spare->first;
    MEMORY_ASSERT(spare->count > 0);
    spare->count--;
    spare->first = (frame_t)entries_of(frame)->whole;
    entries_of(frame)->whole = 0;
    return frame;
}

/* A table that nothing names goes back; it may hold anything. */
static void free_spare(frame_t table)
{
    int error = pageframe_free(table);
    MEMORY_ASSERT(error == 0);
    count_spares(-1);
}

void spare_give_back(struct spare_tables *spare)
{
    while (spare->count > 0)
        free_spare(spare_unlink(spare));
}

int spare_take(struct spare_tables *spare, uint32_t count)
{
    *spare = (struct spare_tables){0};
    while (spare->count < count) {
        frame_t frame;
        count_spares(+1);
        frame = pageframe_alloc_zeroed(PAGEFRAME_DIRECT, PAGING_TABLE_TAG);
        if (frame == FRAME_NONE) {
            count_spares(-1);
            spare_give_back(spare);
            return -ENOMEM;
        }
        if (spare->count > 0)
            entries_of(frame)->whole = spare->first;
        spare->first = frame;
        spare->count++;
    }
    return 0;
}

frame_t spare_pop(struct spare_tables *spare)
{
    paging_spares--;
    return spare_unlink(spare);
}

frame_t directory_frame(const struct paging_space *space, uint32_t top)
{
    return top == 0 ? space->directory : shared_directories[top];
}

union paging_entry *directory_entry(const struct paging_space *space, uint32_t page)
{
    uint32_t top = page / (SLOT_PAGES * TABLE_ENTRIES);
    return entries_of(directory_frame(space, top)) + page / SLOT_PAGES % TABLE_ENTRIES;
}

uint64_t directory_read(const struct paging_space *space, uint32_t page)
{
    unsigned long interrupts = platform_interrupts_save();
    uint64_t entry = entry_read(directory_entry(space, page));
    platform_interrupts_restore(interrupts);
    return entry;
}

union paging_entry *table_entry(uint64_t directory_entry, uint32_t page)
{
    return entries_of(entry_frame(directory_entry)) + page % TABLE_ENTRIES;
}

/*
 * The functions down to directory_split are the only writers of directory entries, but for own rows
 * of other spaces (user.c). An entry of kernel rows in the first directory belongs to every space:
 * such a change goes to each of their first directories, with interrupts off as they are here.
 */
uint64_t directory_enter_table(struct paging_space *space, uint32_t page, frame_t table)
{
    const uint64_t entry = entry_table(table, is_private_page(page) ? ENTRY_USER : 0);
    entry_set(directory_entry(space, page), entry);
    spaces_publish(page);
    return entry;
}

void directory_set_large(struct paging_space *space, uint32_t page, uint64_t entry)
{
    entry_set(directory_entry(space, page), entry);
    spaces_publish(page);
}

uint64_t directory_change_large(struct paging_space *space, uint32_t page, uint64_t rights)
{
    union paging_entry *entry = directory_entry(space, page);
    struct entry_change change = {0, 0};
    uint64_t cleared = 0;
    if (rights == 0)
        cleared = entry_clear(entry) & ~ENTRY_HARDWARE;
    else
        (void)entry_regrant(entry, rights, &change);
    spaces_publish(page);
    return entry_change_whole(&change) - cleared;
}

/* All pieces of a large page have the same high half: its frames begin at a multiple of 2 MiB. */
static void fill_with_pieces(union paging_entry *entries, uint64_t large)
{
    const uint32_t high = (uint32_t)(large >> 32);
    uint32_t low = (uint32_t)(large & ~ENTRY_LARGE);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++, low += PAGE_SIZE) {
        entries[i].high = high;
        entries[i].low = low;
    }
}

/* Whether the page's slot is the part of the direct view through which the directory that names it
 * is seen. */
static bool is_view_of_own_directory(const struct paging_space *space, uint32_t page)
{
    frame_t directory = directory_frame(space, page / (SLOT_PAGES * TABLE_ENTRIES));
    return page / SLOT_PAGES == (PAGE_OF(MAP_DIRECT_START) + directory) / SLOT_PAGES;
}

/*
 * The slot as it was read becomes the table. Processors err where the TLB holds a large page while
 * a table in its place is read (AMD family 10h, erratum 383; Intel SDM 3A, 4.10.4.2), so the slot
 * is absent until the TLB has forgotten the large page. Nothing needs the slot meanwhile:
 * interrupts are off, and code, stack and books lie in rows of small pages. Only the directory may
 * be seen through the very slot; it cannot be absent then, and the flush comes right behind the
 * exchange: the two differ in size alone, and that slot is kernel memory, which no program reads.
 * The same goes for the directories of other spaces, one of which may be the one that is loaded.
 */
static bool exchange_for_table(struct paging_space *space, uint32_t page, uint64_t large,
                               frame_t table)
{
    union paging_entry *entry = directory_entry(space, page);
    const bool is_needed = is_view_of_own_directory(space, page);
    const uint64_t split = entry_table(table, is_private_page(page) ? ENTRY_USER : 0);
    if (!entry_compare_exchange(entry, large, is_needed ? split : 0))
        return false;
    if (space == paging_loaded || !is_private_page(page))
        platform_tlb_flush_page(page_address(page));
    if (!is_needed)
        entry_set(entry, split);
    if (spaces_publish(page))
        platform_tlb_flush_page(page_address(page));
    return true;
}

/* The books' part: the pieces instead of the whole, in one policy, as the large page was. */
static void note_split(struct paging_space *space, uint32_t page, uint64_t large)
{
    large &= ~ENTRY_HARDWARE;
    paging_spares--;
    books_add(space, policy_of(page), 0, entry_sum(large & ~ENTRY_LARGE, SLOT_PAGES) - large);
}

static bool try_split(struct paging_space *space, uint32_t page, uint64_t large, frame_t table)
{
    unsigned long interrupts = platform_interrupts_save();
    bool is_done = exchange_for_table(space, page, large, table);
    if (is_done)
        note_split(space, page, large);
    platform_interrupts_restore(interrupts);
    return is_done;
}

/* The table says all that the large page said, A and D included: it is filled again if the
 * processor set one of them meanwhile, which it can do twice; if somebody else split the page, it
 * is not needed. */
void directory_split(struct paging_space *space, uint32_t page, struct spare_tables *spare)
{
    frame_t table = spare_unlink(spare);
    for (;;) {
        uint64_t large = directory_read(space, page);
        if (!entry_is_present(large) || !entry_is_large(large))
            break;
        fill_with_pieces(entries_of(table), large);
        if (try_split(space, page, large, table))
            return;
    }
    free_spare(table);
}

/* How many tables the heap's row can need: as many as it takes to map all RAM there is. */
static uint32_t heap_end_page(void)
{
    struct pageframe_statistics statistics;
    uint32_t pages = PAGE_OF(MAP_HEAP_END) - PAGE_OF(MAP_HEAP_START);
    pageframe_read_statistics(&statistics);
    if (statistics.ram_frames < pages)
        pages = statistics.ram_frames;
    return PAGE_OF(MAP_HEAP_START) + pages;
}

static uint32_t slots_in(uint32_t page, uint32_t end)
{
    return (end + SLOT_PAGES - 1) / SLOT_PAGES - page / SLOT_PAGES;
}

static void enter_tables(struct spare_tables *spare, uint32_t page, uint32_t end)
{
    for (; page < end; page = slot_end(page, end))
        if (!entry_is_present(entry_read(directory_entry(&paging_kernel, page))))
            (void)directory_enter_table(&paging_kernel, page, spare_pop(spare));
}

/* The four directories, and the top that names them. */
static void make_top(struct spare_tables *spare)
{
    frame_t root = spare_pop(spare);
    for (uint32_t i = 0; i < TOP_ENTRIES; i++) {
        shared_directories[i] = spare_pop(spare);
        entry_set(entries_of(root) + i, entry_directory(shared_directories[i]));
    }
    paging_kernel =
        (struct paging_space){.root = frame_address(root), .directory = shared_directories[0]};
}

int paging_init(void)
{
    struct spare_tables spare;
    uint32_t heap = PAGE_OF(MAP_HEAP_START), heap_end = heap_end_page();
    uint32_t stack = PAGE_OF(MAP_STACK_START), stack_end = PAGE_OF(MAP_STACK_END);
    uint32_t tables = slots_in(heap, heap_end) + slots_in(stack, stack_end);
    /* The heap's end and the stack may share a table. */
    if ((heap_end - 1) / SLOT_PAGES == stack / SLOT_PAGES)
        tables--;
    table_frames = paging_spares = 0;
    paging_loaded = &paging_kernel; /* as good as: a flush too many does no harm */
    memset(shared_books, 0, sizeof(shared_books));
    windows_init();
    if (spare_take(&spare, 1 + TOP_ENTRIES + tables) != 0)
        return -ENOMEM;
    make_top(&spare);
    enter_tables(&spare, heap, heap_end);
    enter_tables(&spare, stack, stack_end);
    MEMORY_ASSERT(spare.count == 0);
    spaces_init();
    return 0;
}

void paging_load(const struct paging_space *space)
{
    paging_loaded = space;
    platform_load_root(space->root);
}
