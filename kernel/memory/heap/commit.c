#include "kernel/memory/heap/core.h"

#include "kernel/lib/string.h"
#include "kernel/memory/heap/internal.h"
#include "kernel/memory/heap/owner.h"
#include "kernel/memory/pageframe/pageframe.h"

/* The two places where a page of the window gets a frame, and loses it. Interrupts off. */
static bool page_commit(uintptr_t address)
{
    frame_t frame = pageframe_alloc(PAGEFRAME_ANYWHERE, BYTEMAP_TAG(BYTEMAP_HEAP, BYTEMAP_KERNEL));
    if (frame == FRAME_NONE)
        return false;
    if (paging_map_page(&paging_kernel, address, frame, PAGING_WRITE) != 0) {
        int error = pageframe_free(frame);
        MEMORY_ASSERT(error == 0);
        return false;
    }
    heap_poison_page(address);
    heap.committed++;
    if (heap.committed > heap.peak_committed.count)
        heap_tally_set(&heap.peak_committed, heap.committed);
    return true;
}

static void page_uncommit(uintptr_t address)
{
    frame_t frame = paging_unmap_page(&paging_kernel, address);
    int error;
    MEMORY_ASSERT(frame != FRAME_NONE);
    error = pageframe_free(frame);
    MEMORY_ASSERT(error == 0);
    heap.committed--;
}

bool heap_commit_page(uintptr_t address)
{
    unsigned long saved = platform_interrupts_save();
    bool done = page_commit(address);
    platform_interrupts_restore(saved);
    return done;
}

void heap_uncommit_page(uintptr_t address)
{
    unsigned long saved = platform_interrupts_save();
    page_uncommit(address);
    platform_interrupts_restore(saved);
}

static const struct {
    uintptr_t start;
    uint32_t limit_pages;
    uint32_t group_bytes; /* for each group of pages */
} tables[HEAP_TABLES] = {
    [HEAP_RECORDS] = {HEAP_RECORDS_START, HEAP_RECORD_PAGES,
                      HEAP_GROUP_PAGES * sizeof(struct heap_page)},
    [HEAP_LIVE] = {HEAP_LIVE_START, HEAP_LIVE_PAGES, HEAP_GROUP_PAGES *HEAP_PAGE_GRANULES / 8},
    [HEAP_GROUP_TABLE] = {HEAP_GROUPS_START, HEAP_GROUP_TABLE_PAGES, sizeof(struct heap_group)},
};

uintptr_t heap_table_start(enum heap_table table)
{
    return tables[table].start;
}

uint32_t heap_table_limit(enum heap_table table)
{
    return tables[table].limit_pages;
}

/* Pages of the window that the committed part of a table is enough for. */
static uint32_t table_reach(unsigned table)
{
    return heap.table_pages[table] * PAGE_SIZE / tables[table].group_bytes * HEAP_GROUP_PAGES;
}

static unsigned shortest_table(void)
{
    unsigned shortest = 0;
    for (unsigned table = 1; table < HEAP_TABLES; table++)
        if (table_reach(table) < table_reach(shortest))
            shortest = table;
    return shortest;
}

uint32_t heap_bookkeeping_reach(void)
{
    uint32_t reach = table_reach(shortest_table());
    /* The frontier stays below it, and ends one page above the last one. */
    return reach < HEAP_OBJECT_PAGES + 2 ? reach : HEAP_OBJECT_PAGES + 2;
}

static void bookkeeping_changed(void)
{
    heap.reach = heap_bookkeeping_reach();
    heap.granules = heap.reach * HEAP_PAGE_GRANULES;
}

bool heap_commit_bookkeeping(void)
{
    unsigned long saved = platform_interrupts_save();
    unsigned table = shortest_table();
    uintptr_t address = tables[table].start + (uintptr_t)heap.table_pages[table] * PAGE_SIZE;
    bool done = heap.table_pages[table] < tables[table].limit_pages && page_commit(address);
    if (done) {
        memset((void *)address, 0, PAGE_SIZE);
        heap.table_pages[table]++;
        bookkeeping_changed();
    }
    platform_interrupts_restore(saved);
    return done;
}

/* One more page of a transit run. False: there is no frame. */
static bool transit_advance(uint32_t first)
{
    struct heap_page *record = heap_page(first);
    unsigned long saved = platform_interrupts_save();
    bool done = page_commit(heap_page_address(first + record->next));
    if (done) {
        record->next++;
        heap.transit++;
    }
    platform_interrupts_restore(saved);
    return done;
}

/* Interrupts are on between the steps. When frames run out, what is cached elsewhere goes first. */
static bool transit_commit(uint32_t first)
{
    const struct heap_page *record = heap_page(first);
    while (record->next != record->count)
        if (!transit_advance(first) && heap_trim() == 0)
            return false;
    return true;
}

/* Cuts a transit run in two. Interrupts off. */
static void transit_split(uint32_t first, uint32_t pages)
{
    struct heap_page *record = heap_page(first);
    struct heap_page *rest = record + pages;
    uint32_t committed = record->next;
    rest->kind = HEAP_PAGE_TRANSIT;
    rest->count = (uint16_t)(record->count - pages);
    rest->next = (uint16_t)(committed > pages ? committed - pages : 0);
    record->count = (uint16_t)pages;
    record->next = (uint16_t)(committed < pages ? committed : pages);
}

/* Of a transit run, only `pages` pages after the first `skip` stay one. What is around it may have
 * changed since it was taken: so the rest goes back the usual way. */
static void transit_cut(uint32_t first, uint32_t skip, uint32_t pages)
{
    unsigned long saved = platform_interrupts_save();
    bool has_rest = heap_page(first)->count != skip + pages;
    if (has_rest)
        transit_split(first, skip + pages);
    if (skip != 0)
        transit_split(first, skip);
    platform_interrupts_restore(saved);
    if (has_rest)
        heap_release(first + skip + pages);
    if (skip != 0)
        heap_release(first);
}

/* Reserves address space, committing bookkeeping for it where that must grow. */
static uint32_t transit_reserve(uint32_t pages)
{
    for (;;) {
        unsigned long saved = platform_interrupts_save();
        uint32_t first = heap_run_take(pages);
        bool fits = pages <= HEAP_OBJECT_PAGES + 1 - heap.frontier;
        platform_interrupts_restore(saved);
        if (first != 0 || !fits || !heap_commit_bookkeeping())
            return first;
    }
}

static uint32_t transit_reserve_aligned(uint32_t pages, uint32_t alignment)
{
    uint32_t first = transit_reserve(pages + alignment / PAGE_SIZE - 1);
    uint32_t skip;
    if (first == 0)
        return 0;
    skip = (uint32_t)(-heap_page_address(first) & (alignment - 1)) / PAGE_SIZE;
    transit_cut(first, skip, pages);
    return first + skip;
}

uint32_t heap_obtain(uint32_t pages, uint32_t alignment)
{
    uint32_t first =
        alignment <= PAGE_SIZE ? transit_reserve(pages) : transit_reserve_aligned(pages, alignment);
    if (first == 0 || transit_commit(first))
        return first;
    heap_release(first);
    return 0;
}

bool heap_obtain_at(uint32_t first, uint32_t pages)
{
    unsigned long saved = platform_interrupts_save();
    bool taken = heap_run_take_at(first, pages);
    platform_interrupts_restore(saved);
    if (!taken)
        return false;
    if (transit_commit(first))
        return true;
    heap_release(first);
    return false;
}

/*
 * One step before a transit run can become free. The pages that stay committed must be few, and at
 * the front of what it becomes together with its neighbours: so its own go if there are too many or
 * if those of the left neighbour end before it, and those of the right neighbour if its own end
 * early. False: nothing is left to do.
 */
static bool release_step(uint32_t first)
{
    struct heap_page *record = heap_page(first);
    uint32_t page = 0;
    if (record->next != 0 &&
        (heap.cached + record->next > HEAP_CACHED_MAX || heap_run_is_left_partial(first))) {
        record->next--;
        heap.transit--;
        page = first + record->next;
    } else if (record->next != record->count) {
        page = heap_run_uncommit_front(first + record->count);
    }
    if (page == 0)
        return false;
    page_uncommit(heap_page_address(page));
    return true;
}

void heap_release(uint32_t first)
{
    struct heap_page *record = heap_page(first);
    unsigned long saved = platform_interrupts_save();
    uint32_t pages, committed;
    while (release_step(first)) {
        platform_interrupts_restore(saved);
        saved = platform_interrupts_save();
    }
    pages = record->count;
    committed = record->next;
    record->kind = HEAP_PAGE_NONE;
    record->count = record->next = 0;
    heap.transit -= committed;
    heap_run_give(first, pages, committed);
    platform_interrupts_restore(saved);
}

/* Takes the frame of one cached page of the free run, or untouched part, that begins at *page; if
 * there is none, goes on to what begins behind. False: this was the end. */
static bool trim_step(uint32_t *page)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t found = 0;
    bool goes_on = *page <= heap.frontier && heap.cached != 0;
    if (goes_on) {
        const struct heap_page *record = heap_page(*page);
        found = heap_run_uncommit_front(*page);
        if (found != 0)
            page_uncommit(heap_page_address(found));
        else if (record->kind >= HEAP_PAGE_RUN)
            *page += record->count;
        else
            ++*page;
    }
    platform_interrupts_restore(saved);
    return goes_on;
}

static void table_page_drop(unsigned table)
{
    heap.table_pages[table]--;
    bookkeeping_changed();
    page_uncommit(tables[table].start + (uintptr_t)heap.table_pages[table] * PAGE_SIZE);
}

/* Gives back the last page of a table, if the frontier is below all that it is for. */
static bool table_trim(unsigned table)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t groups = heap.frontier / HEAP_GROUP_PAGES + 1;
    bool found = heap.table_pages[table] > 1 &&
                 (heap.table_pages[table] - 1) * PAGE_SIZE >= groups * tables[table].group_bytes;
    if (found)
        table_page_drop(table);
    platform_interrupts_restore(saved);
    return found;
}

void heap_bookkeeping_drop(void)
{
    unsigned long saved = platform_interrupts_save();
    for (unsigned table = 0; table < HEAP_TABLES; table++)
        while (heap.table_pages[table] != 0)
            table_page_drop(table);
    platform_interrupts_restore(saved);
}

uint32_t heap_trim(void)
{
    uint32_t before = heap.committed;
    uint32_t page = 1;
    for (unsigned i = 1; i <= HEAP_CLASSES; i++)
        heap_class_trim(&heap.classes[i]);
    while (trim_step(&page))
        ;
    for (unsigned table = 0; table < HEAP_TABLES; table++)
        while (table_trim(table))
            ;
    return heap.committed < before ? before - heap.committed : 0;
}
