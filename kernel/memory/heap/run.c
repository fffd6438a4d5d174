#include "kernel/memory/heap/internal.h"

/* One more, or one less, member in a group of a bin; the levels above follow where they change. */
static void bin_enter(unsigned bin, uint32_t group)
{
    struct heap_bin *at = &heap.bins[bin];
    uint32_t before = at->groups[group / 32];
    at->groups[group / 32] = before | 1u << group % 32;
    if (before != 0)
        return;
    before = at->summary;
    at->summary = before | 1u << group / 32;
    if (before != 0)
        return;
    heap.bin_words[bin / 32] |= 1u << bin % 32;
    heap.bin_summary |= 1u << bin / 32;
}

static void bin_leave(unsigned bin, uint32_t group)
{
    struct heap_bin *at = &heap.bins[bin];
    if ((at->groups[group / 32] &= ~(1u << group % 32)) != 0)
        return;
    if ((at->summary &= ~(1u << group / 32)) != 0)
        return;
    if ((heap.bin_words[bin / 32] &= ~(1u << bin % 32)) == 0)
        heap.bin_summary &= ~(1u << bin / 32);
}

static void index_insert(uint32_t first, unsigned bin)
{
    uint32_t group = first / HEAP_GROUP_PAGES;
    if (bin < HEAP_GROUP_PAGES) {
        uint32_t *word = &heap_group(group)->small[bin - 1];
        uint32_t before = *word;
        *word = before | 1u << first % HEAP_GROUP_PAGES;
        if (before != 0)
            return;
    } else {
        heap_group(group)->large = first;
    }
    bin_enter(bin, group);
}

static void index_remove(uint32_t first, unsigned bin)
{
    uint32_t group = first / HEAP_GROUP_PAGES;
    if (bin < HEAP_GROUP_PAGES) {
        uint32_t *word = &heap_group(group)->small[bin - 1];
        if ((*word &= ~(1u << first % HEAP_GROUP_PAGES)) != 0)
            return;
    } else {
        heap_group(group)->large = 0;
    }
    bin_leave(bin, group);
}

static uint32_t bin_lowest(unsigned bin)
{
    const struct heap_bin *at = &heap.bins[bin];
    unsigned word = heap_lowest_bit(at->summary);
    uint32_t group = word * 32 + heap_lowest_bit(at->groups[word]);
    if (bin >= HEAP_GROUP_PAGES)
        return heap_group(group)->large;
    return group * HEAP_GROUP_PAGES + heap_lowest_bit(heap_group(group)->small[bin - 1]);
}

/* The first bin from `bin` on that is not empty, or 0. */
static unsigned bin_from(unsigned bin)
{
    unsigned at = bin / 32;
    uint32_t word;
    if (at >= HEAP_BIN_WORDS)
        return 0;
    word = heap.bin_words[at] & UINT32_MAX << bin % 32;
    if (word == 0) {
        uint32_t above = heap.bin_summary & ~1u << at;
        if (above == 0)
            return 0;
        at = heap_lowest_bit(above);
        word = heap.bin_words[at];
    }
    return at * 32 + heap_lowest_bit(word);
}

/*
 * The lowest run of the smallest bin that has one long enough: of the bin of `pages` itself only
 * the lowest member is looked at, in each later bin every one is long enough.
 */
static uint32_t index_find(uint32_t pages)
{
    unsigned wanted = heap_bin_of(pages);
    unsigned bin = bin_from(wanted);
    uint32_t first;
    if (bin == 0)
        return 0;
    first = bin_lowest(bin);
    if (bin != wanted || heap_page(first)->count >= pages)
        return first;
    bin = bin_from(wanted + 1);
    return bin == 0 ? 0 : bin_lowest(bin);
}

static void free_run_write(uint32_t first, uint32_t pages, uint32_t committed)
{
    struct heap_page *head = heap_page(first);
    struct heap_page *tail = head + pages - 1;
    head->kind = tail->kind = HEAP_PAGE_FREE;
    head->count = tail->count = (uint16_t)pages;
    head->next = (uint16_t)committed;
    head->rest = (uint8_t)heap_bin_of(pages);
    index_insert(first, head->rest);
}

static void free_run_erase(uint32_t first, uint32_t pages)
{
    struct heap_page *head = heap_page(first);
    struct heap_page *tail = head + pages - 1;
    head->kind = tail->kind = HEAP_PAGE_NONE;
    head->count = tail->count = 0;
    head->next = 0;
    index_remove(first, head->rest);
    head->rest = 0;
}

static void transit_write(uint32_t first, uint32_t pages, uint32_t committed)
{
    struct heap_page *record = heap_page(first);
    record->kind = HEAP_PAGE_TRANSIT;
    record->count = (uint16_t)pages;
    record->next = (uint16_t)committed;
    heap.cached -= committed;
    heap.transit += committed;
}

/* Pages from the untouched part. */
static uint32_t frontier_take(uint32_t pages)
{
    uint32_t first = heap.frontier;
    uint32_t committed = pages < heap.frontier_cached ? pages : heap.frontier_cached;
    if (pages >= heap.reach - first)
        return 0;
    heap.frontier = first + pages;
    heap.frontier_cached -= committed;
    if (heap.frontier > heap.high_frontier.count)
        heap_tally_set(&heap.high_frontier, heap.frontier);
    transit_write(first, pages, committed);
    return first;
}

/* Pages from the front of a free run. */
static void free_run_take(uint32_t first, uint32_t pages)
{
    uint32_t length = heap_page(first)->count;
    uint32_t cached = heap_page(first)->next;
    uint32_t committed = pages < cached ? pages : cached;
    free_run_erase(first, length);
    if (length != pages)
        free_run_write(first + pages, length - pages, cached - committed);
    transit_write(first, pages, committed);
}

uint32_t heap_run_take(uint32_t pages)
{
    uint32_t first = index_find(pages);
    if (first == 0)
        return frontier_take(pages);
    free_run_take(first, pages);
    return first;
}

bool heap_run_take_at(uint32_t first, uint32_t pages)
{
    const struct heap_page *record = heap_page(first);
    if (first == heap.frontier)
        return frontier_take(pages) != 0;
    if (record->kind != HEAP_PAGE_FREE || record->count < pages)
        return false;
    free_run_take(first, pages);
    return true;
}

/*
 *      first - before     first         first + pages
 *   ... | free run, maybe | these pages | free run, maybe | ...
 *
 * become one free run, or the frontier comes down. Only the front of a free run may be committed:
 * so each part is committed whole before the next may be in part; heap_release sees to it.
 */
void heap_run_give(uint32_t first, uint32_t pages, uint32_t committed)
{
    const struct heap_page *record = heap_page(first);
    const struct heap_page *left = record - 1, *right = record + pages;
    heap.cached += committed;
    if (right->kind == HEAP_PAGE_FREE) {
        uint32_t after = right->count;
        committed += right->next;
        free_run_erase(first + pages, after);
        pages += after;
    }
    if (left->kind == HEAP_PAGE_FREE) {
        uint32_t before = left->count;
        first -= before;
        committed += heap_page(first)->next;
        free_run_erase(first, before);
        pages += before;
    }
    if (first + pages == heap.frontier) {
        heap.frontier = first;
        heap.frontier_cached += committed;
    } else {
        free_run_write(first, pages, committed);
    }
}

uint32_t heap_run_uncommit_front(uint32_t first)
{
    struct heap_page *record = heap_page(first);
    uint32_t cached = 0;
    if (first == heap.frontier) {
        if ((cached = heap.frontier_cached) != 0)
            heap.frontier_cached--;
    } else if (record->kind == HEAP_PAGE_FREE) {
        if ((cached = record->next) != 0)
            record->next--;
    }
    if (cached == 0)
        return 0;
    heap.cached--;
    return first + cached - 1;
}
