#include "kernel/memory/heap/core.h"

#include "kernel/lib/string.h"
#include "kernel/memory/heap/internal.h"
#include "kernel/memory/heap/owner.h"
#include "kernel/memory/pageframe/pageframe.h"

#define TAG_HEAP BYTEMAP_TAG(BYTEMAP_HEAP, BYTEMAP_KERNEL)

static void frame_give_back(frame_t frame)
{
    int error = pageframe_free(frame);
    MEMORY_ASSERT(error == 0);
}

/* The two places where a page of the window gets a frame, and loses it. Interrupts off. If there is
 * no table for the page, the frame goes back. */
static bool page_map(uintptr_t address, frame_t frame)
{
    if (paging_map_page(&paging_kernel, address, frame, PAGING_WRITE) != 0) {
        frame_give_back(frame);
        return false;
    }
    heap.committed++;
    if (heap.committed > heap.peak_committed.count)
        heap_tally_set(&heap.peak_committed, heap.committed);
    return true;
}

static void page_uncommit(uintptr_t address)
{
    frame_t frame = paging_unmap_page(&paging_kernel, address);
    MEMORY_ASSERT(frame != FRAME_NONE);
    frame_give_back(frame);
    heap.committed--;
}

static bool page_commit(uintptr_t address)
{
    frame_t frame = pageframe_alloc(PAGEFRAME_ANYWHERE, TAG_HEAP);
    if (frame == FRAME_NONE || !page_map(address, frame))
        return false;
    heap_poison_page(address);
    return true;
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
    uint32_t bytes; /* for each HEAP_REACH_PAGES pages */
} tables[HEAP_TABLES] = {
    [HEAP_RECORDS] = {HEAP_RECORDS_START, HEAP_RECORD_PAGES,
                      HEAP_REACH_PAGES * sizeof(struct heap_page)},
    [HEAP_LIVE] = {HEAP_LIVE_START, HEAP_LIVE_PAGES, HEAP_REACH_PAGES *HEAP_PAGE_GRANULES / 8},
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
    return heap.table_pages[table] * PAGE_SIZE / tables[table].bytes * HEAP_REACH_PAGES;
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

/* The shortest table gets a frame of zeros; if it cannot, the frame goes back. */
static bool table_grow(frame_t frame)
{
    unsigned table = shortest_table();
    uintptr_t address = tables[table].start + (uintptr_t)heap.table_pages[table] * PAGE_SIZE;
    if (heap.table_pages[table] == tables[table].limit_pages) {
        frame_give_back(frame);
        return false;
    }
    if (!page_map(address, frame))
        return false;
    heap.table_pages[table]++;
    bookkeeping_changed();
    return true;
}

/* Interrupts are on while the frame is cleared; whoever comes in between may do the same, and then
 * one more page is had than was wanted. */
bool heap_commit_bookkeeping(void)
{
    frame_t frame = pageframe_alloc_zeroed(PAGEFRAME_ANYWHERE, TAG_HEAP);
    if (frame == FRAME_NONE)
        return false;
    unsigned long saved = platform_interrupts_save();
    bool done = table_grow(frame);
    platform_interrupts_restore(saved);
    return done;
}

/* One more page of a transit run. False: there is no frame. */
static bool transit_advance(uint32_t first)
{
    struct heap_page *record = heap_page(first);
    unsigned long saved = platform_interrupts_save();
    bool done = page_commit(heap_page_address(first + record->committed));
    if (done) {
        record->committed++;
        heap.transit++;
    }
    platform_interrupts_restore(saved);
    return done;
}

/* Gives back one page that holds no object. False: there is none. */
static bool cached_page_drop(void)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t page = heap_run_uncommit_any();
    if (page != 0)
        page_uncommit(heap_page_address(page));
    platform_interrupts_restore(saved);
    return page != 0;
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
    uint32_t needed = heap.frontier / HEAP_REACH_PAGES + 1;
    bool found = heap.table_pages[table] > 1 &&
                 (heap.table_pages[table] - 1) * PAGE_SIZE >= needed * tables[table].bytes;
    if (found)
        table_page_drop(table);
    platform_interrupts_restore(saved);
    return found;
}

/* False: nothing was left to give back. */
static bool tables_trim(void)
{
    bool found = false;
    for (unsigned table = 0; table < HEAP_TABLES; table++)
        while (table_trim(table))
            found = true;
    return found;
}

static void classes_trim(void)
{
    for (unsigned i = 1; i <= HEAP_CLASSES; i++)
        while (heap_class_trim_step(&heap.classes[i]))
            ;
}

/* No frame is left: one of the heap's own, behind which there is no object, becomes one. A cached
 * page is found at once; what classes keep goes only when there is none, and all of it. */
static bool find_frame(void)
{
    uint32_t before = heap.committed;
    if (cached_page_drop())
        return true;
    classes_trim();
    return heap.committed < before || cached_page_drop();
}

/* Interrupts are on between the steps. */
static bool transit_commit(uint32_t first)
{
    const struct heap_page *record = heap_page(first);
    while (record->committed != record->count)
        if (!transit_advance(first) && !find_frame() && !tables_trim())
            return false;
    return true;
}

/* Cuts a transit run in two. Interrupts off. */
static void transit_split(uint32_t first, uint32_t pages)
{
    struct heap_page *record = heap_page(first);
    struct heap_page *rest = record + pages;
    uint32_t committed = record->committed;
    rest->head = heap_head(HEAP_PAGE_TRANSIT, 0, record->count - pages);
    rest->committed = (uint16_t)(committed > pages ? committed - pages : 0);
    record->count = (uint16_t)pages;
    record->committed = (uint16_t)(committed < pages ? committed : pages);
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

/* Reserves address space, committing bookkeeping for it where that must grow. What of the tables is
 * above the frontier stays: it may be what was just committed. */
static uint32_t transit_reserve(uint32_t pages)
{
    for (;;) {
        unsigned long saved = platform_interrupts_save();
        uint32_t first = heap_run_take(pages);
        bool fits = pages <= HEAP_OBJECT_PAGES + 1 - heap.frontier;
        platform_interrupts_restore(saved);
        if (first != 0 || !fits || !(heap_commit_bookkeeping() || find_frame()))
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
    if (record->committed != 0 &&
        (heap.cached + record->committed > HEAP_CACHED_MAX || heap_run_is_left_partial(first))) {
        record->committed--;
        heap.transit--;
        page = first + record->committed;
    } else if (record->committed != record->count) {
        page = heap_run_uncommit_front(first + record->count);
    }
    if (page == 0)
        return false;
    page_uncommit(heap_page_address(page));
    return true;
}

void heap_transit_begin(uint32_t first, uint32_t pages)
{
    struct heap_page *record = heap_page(first);
    record->head = heap_head(HEAP_PAGE_TRANSIT, 0, pages);
    record->links = pages;
    heap.transit += pages;
}

void heap_release(uint32_t first)
{
    struct heap_page *record = heap_page(first);
    unsigned long saved = platform_interrupts_save();
    uint32_t committed;
    while (release_step(first)) {
        platform_interrupts_restore(saved);
        saved = platform_interrupts_save();
    }
    committed = record->committed;
    heap.transit -= committed;
    heap_run_give(first, record->count, committed);
    platform_interrupts_restore(saved);
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
    classes_trim();
    while (cached_page_drop())
        ;
    tables_trim();
    return heap.committed < before ? before - heap.committed : 0;
}
