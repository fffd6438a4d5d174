#ifndef KERNEL_MEMORY_HEAP_INDEX_H
#define KERNEL_MEMORY_HEAP_INDEX_H

#include "kernel/memory/heap/internal.h"

/*
 * The index of free runs, and what is done to it: by run.c, and as part of the two calls that a
 * program may have to wait for (slab.c, heap.c). Interrupts off throughout. No step has a loop but
 * index_find, which goes round twice at most.
 */

HEAP_INLINE uint32_t list_of(const struct heap_page *record, uint32_t pages, uint32_t committed)
{
    uint32_t zone = ((uint32_t)(uintptr_t)record - HEAP_RECORDS_START) >> HEAP_ZONE_SHIFT;
    uint32_t list = heap_bin_of(pages) * HEAP_ZONES + zone;
    return committed != 0 ? list : list + HEAP_LISTS;
}

HEAP_INLINE void index_insert(struct heap_page *record, uint32_t list)
{
    struct heap_link *ends = &heap.lists[list];
    uint32_t link = heap_link_address(&record->link), after;
    HEAP_KEEP_ADDRESS(ends);
    record->link.after = after = ends->after;
    record->link.before = heap_link_address(ends);
    heap_link_at(after)->before = link;
    ends->after = link;
    HEAP_SET_BIT(heap.zones, list);
    HEAP_SET_BIT(heap.bins, list / HEAP_ZONES);
}

HEAP_INLINE void index_remove(const struct heap_page *record)
{
    uint32_t after = record->link.after, before = record->link.before, list;
    heap_link_at(after)->before = before;
    heap_link_at(before)->after = after;
    if (after != before)
        return;
    list = record->list; /* empty now: only its two ends can be the same */
    HEAP_CLEAR_BIT(heap.zones, list);
    list /= HEAP_ZONES;
    if (heap.zones[list] == 0)
        HEAP_CLEAR_BIT(heap.bins, list);
}

/* Of a bin that is not empty, the newest of the lowest zone: of those with committed pages, if
 * there are any. */
HEAP_INLINE struct heap_page *bin_lowest(unsigned bin)
{
    uint32_t zones = heap.zones[bin];
    if (__builtin_expect(zones == 0, 0)) {
        bin += HEAP_BINS;
        zones = heap.zones[bin];
    }
    return heap_record_of_link(heap.lists[bin * HEAP_ZONES + heap_lowest_bit(zones)].after);
}

HEAP_INLINE uint32_t bin_word(unsigned at)
{
    return heap.bins[at] | heap.bins[at + HEAP_BINS / 32];
}

/*
 * What bin_lowest finds in the first bin that has one long enough: of the bin of `pages` itself
 * only this one is looked at, and in each later bin every one is long enough. So this asks two bins
 * at most. NULL: there is none.
 */
HEAP_INLINE struct heap_page *index_find(uint32_t pages)
{
    unsigned bin = heap_bin_of(pages), at = bin / 32;
    uint32_t word = bin_word(at) & UINT32_MAX << bin % 32;
    for (;;) {
        struct heap_page *record;
        if (word == 0) {
            if (at == HEAP_BINS / 32 - 1 || (word = bin_word(++at)) == 0)
                return NULL;
        }
        record = bin_lowest(at * 32 + heap_lowest_bit(word));
        if (__builtin_expect(record->count >= pages, 1))
            return record;
        word &= word - 1;
    }
}

/* The same for so few pages that their bin has no other lengths, and is in the first word. */
HEAP_INLINE struct heap_page *index_find_few(uint32_t pages)
{
    uint32_t word = bin_word(0) & UINT32_MAX << (pages - 1);
    if (__builtin_expect(word != 0, 1))
        return bin_lowest(heap_lowest_bit(word));
    word = bin_word(1);
    return word == 0 ? NULL : bin_lowest(32 + heap_lowest_bit(word));
}

HEAP_INLINE void free_run_write(struct heap_page *record, uint32_t pages, uint32_t committed)
{
    uint32_t list = list_of(record, pages, committed);
    record->head = record[pages - 1].head = heap_head(HEAP_PAGE_FREE, 0, pages);
    record->committed = (uint16_t)committed;
    record->list = (uint16_t)list;
    index_insert(record, list);
}

/* What a first record of a free run has, and what a last one has. */
HEAP_INLINE void record_clear(struct heap_page *record)
{
    record->head = record->links = 0;
    record->link.after = record->link.before = 0;
}

/* Takes the pages from the front of a free run; its first record is for the caller to write. */
HEAP_INLINE void free_run_cut(struct heap_page *record, uint32_t pages, uint32_t committed)
{
    uint32_t length = record->count;
    index_remove(record);
    heap.cached -= committed;
    if (length != pages)
        free_run_write(record + pages, length - pages, record->committed - committed);
    else
        record[pages - 1].head = 0;
}

HEAP_INLINE void frontier_raise(uint32_t frontier)
{
    heap.frontier = frontier;
    if (frontier > heap.high_frontier.count)
        heap_tally_set(&heap.high_frontier, frontier);
}

/* Pages that all have frames, from the untouched part. NULL: there are not so many. */
HEAP_REGISTERS struct heap_page *heap_frontier_take_committed(uint32_t pages);

/* Takes pages that all have frames from the free run, or, if it is NULL, from the frontier. Returns
 * the first record, of which the first four words are to be written; all others are zero. NULL:
 * there are no frames behind these pages, or behind too few. */
HEAP_INLINE struct heap_page *take_committed(struct heap_page *record, uint32_t pages)
{
    if (__builtin_expect(record == NULL, 0))
        return heap_frontier_take_committed(pages);
    if (__builtin_expect(record->committed < pages, 0))
        return NULL;
    free_run_cut(record, pages, pages);
    return record;
}

/* What cannot stay committed, or not next to what is left of it, goes page by page. Turns
 * interrupts back on. */
HEAP_REGISTERS void heap_run_uncommit(struct heap_page *record, uint32_t pages,
                                      unsigned long saved);

/* Makes pages that all have frames free, as heap_run_give does, where what is free before them has
 * frames, too. Their records are zero but the first word. Turns interrupts back on. */
HEAP_INLINE void run_free_committed(struct heap_page *record, uint32_t pages, unsigned long saved)
{
    struct heap_page *behind = record + pages;
    uint32_t committed;
    heap.cached += pages;
    if (__builtin_expect(heap.cached > HEAP_CACHED_MAX, 0)) {
        heap_run_uncommit(record, pages, saved);
        return;
    }
    if (record[-1].kind == HEAP_PAGE_FREE) {
        uint32_t before = record[-1].count;
        struct heap_page *left = record + -(int32_t)before;
        if (__builtin_expect(left->committed != before, 0)) {
            heap_run_uncommit(record, pages, saved);
            return;
        }
        record[-1].head = record->head = 0;
        index_remove(left);
        record = left;
        pages += before;
    }
    committed = pages;
    if (behind->kind == HEAP_PAGE_FREE) {
        pages += behind->count;
        committed += behind->committed;
        index_remove(behind);
        record_clear(behind);
    } else if (behind == heap_page(heap.frontier)) {
        record_clear(record);
        heap.frontier -= pages;
        heap.frontier_cached += pages;
        platform_interrupts_restore(saved);
        return;
    }
    if (committed == 0)
        __builtin_unreachable(); /* so nobody asks */
    free_run_write(record, pages, committed);
    platform_interrupts_restore(saved);
}

#endif
