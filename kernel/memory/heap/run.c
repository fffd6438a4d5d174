#include "kernel/memory/heap/index.h"

/* Sixteen lengths with a bin each, then eight bins for each doubling, then two. Where the leading
 * bits of a length count its bin within the doubling, the highest of them counts, too. */
static uint8_t bin_for(uint32_t pages)
{
    unsigned log = 31u ^ (unsigned)__builtin_clz(pages);
    if (pages <= 16)
        return (uint8_t)(pages - 1);
    if (pages < HEAP_SHORT_PAGES)
        return (uint8_t)(8 + (log - 4) * 8 + (pages >> (log - 3)));
    return (uint8_t)(24 + log * 2 + (pages >> (log - 1)));
}

void heap_index_init(void)
{
    for (uint32_t pages = 1; pages < HEAP_SHORT_PAGES; pages++)
        heap.bin_of[pages] = bin_for(pages);
    for (uint32_t i = HEAP_SHORT_PAGES / HEAP_LONG_STEP; i < HEAP_LONG_STEPS; i++)
        heap.long_bin_of[i] = bin_for(i * HEAP_LONG_STEP);
    for (unsigned list = 0; list < ARRAY_COUNT(heap.lists); list++)
        heap.lists[list].after = heap.lists[list].before = heap_link_address(&heap.lists[list]);
}

HEAP_REGISTERS struct heap_page *heap_frontier_take_committed(uint32_t pages)
{
    uint32_t first = heap.frontier;
    if (pages > heap.frontier_cached || pages >= heap.reach - first)
        return NULL;
    heap.frontier_cached -= pages;
    heap.cached -= pages;
    frontier_raise(first + pages);
    return heap_page(first);
}

static void transit_write(struct heap_page *record, uint32_t pages, uint32_t committed)
{
    record_clear(record);
    record->head = heap_head(HEAP_PAGE_TRANSIT, 0, pages);
    record->committed = (uint16_t)committed;
    heap.transit += committed;
}

/* Pages from the untouched part. */
static uint32_t frontier_take(uint32_t pages)
{
    uint32_t first = heap.frontier;
    uint32_t committed = pages < heap.frontier_cached ? pages : heap.frontier_cached;
    if (pages >= heap.reach - first)
        return 0;
    heap.frontier_cached -= committed;
    heap.cached -= committed;
    frontier_raise(first + pages);
    transit_write(heap_page(first), pages, committed);
    return first;
}

static void free_run_take(struct heap_page *record, uint32_t pages)
{
    uint32_t committed = pages < record->committed ? pages : record->committed;
    free_run_cut(record, pages, committed);
    transit_write(record, pages, committed);
}

uint32_t heap_run_take(uint32_t pages)
{
    struct heap_page *record = index_find(pages);
    if (record == NULL)
        return frontier_take(pages);
    free_run_take(record, pages);
    return heap_page_number(record);
}

bool heap_run_take_at(uint32_t first, uint32_t pages)
{
    struct heap_page *record = heap_page(first);
    if (first == heap.frontier)
        return frontier_take(pages) != 0;
    if (record->kind != HEAP_PAGE_FREE || record->count < pages)
        return false;
    free_run_take(record, pages);
    return true;
}

/*
 *      first - before     first         first + pages
 *   ... | free run, maybe | these pages | free run, maybe | ...
 *
 * become one free run, or the frontier comes down. Only the front of a free run may be committed:
 * so each part must be committed whole before the next may be in part.
 */
void heap_run_give(uint32_t first, uint32_t pages, uint32_t committed)
{
    struct heap_page *record = heap_page(first), *behind = record + pages;
    heap.cached += committed;
    record->head = record->links = 0;
    if (record[-1].kind == HEAP_PAGE_FREE) {
        uint32_t before = record[-1].count;
        record[-1].head = 0;
        record -= before;
        pages += before;
        committed += record->committed;
        index_remove(record);
    }
    if (behind->kind == HEAP_PAGE_FREE) {
        committed += behind->committed;
        pages += behind->count;
        index_remove(behind);
        record_clear(behind);
    } else if (behind == heap_page(heap.frontier)) {
        record_clear(record);
        heap.frontier -= pages;
        heap.frontier_cached += committed;
        return;
    }
    free_run_write(record, pages, committed);
}

bool heap_run_is_left_partial(uint32_t first)
{
    const struct heap_page *record = heap_page(first);
    uint32_t before = record[-1].count;
    return record[-1].kind == HEAP_PAGE_FREE && record[-(ptrdiff_t)before].committed != before;
}

HEAP_REGISTERS void heap_run_uncommit(struct heap_page *record, uint32_t pages, unsigned long saved)
{
    uint32_t first = heap_page_number(record);
    heap.cached -= pages;
    heap_transit_begin(first, pages);
    platform_interrupts_restore(saved);
    heap_release(first);
}

/* The last cached page of a free run. Without any, the run changes lists. */
static uint32_t free_run_uncommit(struct heap_page *record)
{
    uint32_t list = record->list;
    if (--record->committed == 0) {
        index_remove(record);
        record->list = (uint16_t)(list + HEAP_LISTS);
        index_insert(record, list + HEAP_LISTS);
    }
    heap.cached--;
    return heap_page_number(record) + record->committed;
}

uint32_t heap_run_uncommit_front(uint32_t first)
{
    struct heap_page *record = heap_page(first);
    if (first == heap.frontier) {
        if (heap.frontier_cached == 0)
            return 0;
        heap.cached--;
        return first + --heap.frontier_cached;
    }
    return record->kind == HEAP_PAGE_FREE && record->committed != 0 ? free_run_uncommit(record) : 0;
}

uint32_t heap_run_uncommit_any(void)
{
    for (unsigned at = 0; at < HEAP_BINS / 32; at++)
        if (heap.bins[at] != 0)
            return free_run_uncommit(bin_lowest(at * 32 + heap_lowest_bit(heap.bins[at])));
    return heap_run_uncommit_front(heap.frontier);
}
