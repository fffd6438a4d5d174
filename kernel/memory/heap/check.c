#include "kernel/memory/heap/core.h"

#include "kernel/memory/bytemap/bytemap.h"
#include "kernel/memory/heap/guard.h"

/*
 * The validator. It trusts nothing that it has not looked at: first that the bookkeeping is mapped
 * as the counters say (else it could not be read), then page after page from the first to the
 * frontier, then the index and the lists, each in both directions: what the records say is entered,
 * and nothing else is.
 */
struct walk {
    struct check *check;
    uint32_t slab_pages, run_pages, run_objects, transit, free_runs, cached;
    uint32_t slabs[HEAP_CLASSES + 1], listed[HEAP_CLASSES + 1]; /* of each class */
    uint32_t live[HEAP_CLASSES + 1], held[HEAP_CLASSES + 1];    /* slots; held: out, but not live */
    bool after_free; /* the page before belongs to a free run */
};

static unsigned count_bits(uint32_t word)
{
    unsigned bits = 0;
    for (; word != 0; word &= word - 1)
        bits++;
    return bits;
}

static void expect_equal(struct check *check, const char *what, uint64_t kept, uint64_t counted)
{
    if (kept != counted)
        check_fault(check, "heap: %s is kept as %llu, but is %llu", what, (unsigned long long)kept,
                    (unsigned long long)counted);
}

/* A page that should be committed is mapped, writable, to a frame of the heap. */
static void check_committed(struct check *check, uintptr_t address)
{
    struct paging_translation at = paging_query(&paging_kernel, address);
    bytemap_tag_t tag;
    if (!at.present) {
        check_fault(check, "heap: page %p should be committed, but is not mapped", (void *)address);
        return;
    }
    /* Without a no-execute bit everything is executable. */
    if ((at.flags & ~(platform_features.no_execute ? 0u : PAGING_EXECUTE)) != PAGING_WRITE)
        check_fault(check, "heap: page %p is mapped with the wrong rights", (void *)address);
    tag = bytemap_get(frame_of(at.physical));
    if (bytemap_tag_state(tag) != BYTEMAP_HEAP || bytemap_tag_owner(tag) != BYTEMAP_KERNEL)
        check_fault(check, "heap: page %p is mapped to frame 0x%x, which is not the heap's",
                    (void *)address, frame_of(at.physical));
}

static void check_uncommitted(struct check *check, uintptr_t address)
{
    if (paging_query(&paging_kernel, address).present)
        check_fault(check, "heap: page %p should not be committed, but is mapped", (void *)address);
}

static void check_page(struct check *check, uintptr_t address,
                       enum heap_page_expectation expectation)
{
    if (expectation == HEAP_PAGE_COMMITTED)
        check_committed(check, address);
    else
        check_uncommitted(check, address);
}

/* False: a table cannot be read as its length says. */
static bool check_table(struct check *check, enum heap_table table)
{
    uint32_t before = check->faults;
    uint32_t pages = heap.table_pages[table], limit = heap_table_limit(table);
    for (uint32_t page = 0; page < limit; page++)
        if (page < pages)
            check_committed(check, heap_table_start(table) + (uintptr_t)page * PAGE_SIZE);
        else
            check_uncommitted(check, heap_table_start(table) + (uintptr_t)page * PAGE_SIZE);
    if (pages == 0 || pages > limit)
        check_fault(check, "heap: bookkeeping has %u pages of at most %u", pages, limit);
    return check->faults == before;
}

static bool check_bookkeeping(struct check *check)
{
    uint32_t before = check->faults;
    for (unsigned table = 0; table < HEAP_TABLES; table++)
        if (!check_table(check, table))
            return false;
    expect_equal(check, "the reach of the bookkeeping", heap.reach, heap_bookkeeping_reach());
    expect_equal(check, "the number of granules", heap.granules,
                 heap_bookkeeping_reach() * HEAP_PAGE_GRANULES);
    if (heap.frontier == 0 || heap.frontier >= heap_bookkeeping_reach())
        check_fault(check, "heap: the frontier %u is beyond the bookkeeping", heap.frontier);
    return check->faults == before;
}

static uint32_t bookkeeping_pages(void)
{
    uint32_t pages = 0;
    for (unsigned table = 0; table < HEAP_TABLES; table++)
        pages += heap.table_pages[table];
    return pages;
}

static bool is_zero(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    while (size != 0 && *at == 0)
        at++, size--;
    return size == 0;
}

/* The page's live bits: those of its first 32 granules, and none behind. */
static void check_live_page(struct walk *walk, uint32_t page, uint32_t first_word)
{
    const uint32_t *words = heap_live(page * HEAP_PAGE_GRANULES / 32);
    bool is_wrong = words[0] != first_word;
    for (unsigned i = 1; i < HEAP_PAGE_GRANULES / 32; i++)
        is_wrong |= words[i] != 0;
    if (is_wrong)
        check_fault(walk->check, "heap: page %u has live bits where no object begins", page);
}

static void check_record_zero(struct walk *walk, uint32_t page)
{
    if (!is_zero(heap_page(page), sizeof(struct heap_page)))
        check_fault(walk->check, "heap: the record of page %u should be empty", page);
    check_live_page(walk, page, 0);
}

static void check_record(struct walk *walk, uint32_t page, const struct heap_page *expected)
{
    const unsigned char *want = (const unsigned char *)expected;
    const unsigned char *have = (const unsigned char *)heap_page(page);
    for (size_t i = 0; i < sizeof(*expected); i++)
        if (want[i] != have[i]) {
            check_fault(walk->check, "heap: the record of page %u is wrong in byte %u", page,
                        (unsigned)i);
            return;
        }
}

/* Only the first word; everything else is zero. */
static void check_record_plain(struct walk *walk, uint32_t page, unsigned kind, uint32_t count)
{
    struct heap_page expected = {.head = heap_head(kind, 0, count)};
    check_record(walk, page, &expected);
}

static void check_rest(struct walk *walk, uint32_t page, unsigned kind, uint32_t rest)
{
    struct heap_page expected = {.head = heap_head(kind, rest, 0)};
    check_record(walk, page, &expected);
}

static void check_frames(struct walk *walk, uint32_t first, uint32_t pages)
{
    for (uint32_t page = first; page < first + pages; page++)
        check_committed(walk->check, heap_page_address(page));
}

/* The front of a free run, or of the untouched part, that is committed. */
static void check_cached(struct walk *walk, uint32_t first, uint32_t pages, uint32_t cached)
{
    if (cached > pages) {
        check_fault(walk->check, "heap: of %u free pages at page %u, %u are cached", pages, first,
                    cached);
        return;
    }
    check_frames(walk, first, cached);
    walk->cached += cached;
}

/* The list in which a free run must be. */
static uint32_t list_of(uint32_t first, uint32_t pages, uint32_t committed)
{
    uint32_t zone = first * (uint32_t)sizeof(struct heap_page) >> HEAP_ZONE_SHIFT;
    return heap_bin_of(pages) * HEAP_ZONES + zone + (committed == 0 ? HEAP_LISTS : 0);
}

/* Its links are looked at from their lists: check_index. */
static void walk_free(struct walk *walk, uint32_t first, uint32_t pages)
{
    const struct heap_page *record = heap_page(first);
    struct heap_page head = {.link = record->link};
    head.head = heap_head(HEAP_PAGE_FREE, 0, pages);
    head.committed = record->committed;
    head.list = (uint16_t)list_of(first, pages, record->committed);
    check_record(walk, first, &head);
    check_live_page(walk, first, 0);
    for (uint32_t page = first + 1; page + 1 < first + pages; page++)
        check_record_zero(walk, page);
    if (pages > 1) {
        check_record_plain(walk, first + pages - 1, HEAP_PAGE_FREE, pages);
        check_live_page(walk, first + pages - 1, 0);
    }
    check_cached(walk, first, pages, head.committed);
    if (walk->after_free)
        check_fault(walk->check, "heap: two free runs touch at page %u", first);
    if (first + pages == heap.frontier)
        check_fault(walk->check, "heap: the free run at page %u touches the frontier", first);
    walk->free_runs++;
}

static bool is_run_start(uint32_t page)
{
    return (heap.runs[page / 32] >> page % 32 & 1) != 0;
}

static void walk_run(struct walk *walk, uint32_t first, uint32_t pages)
{
    check_record_plain(walk, first, HEAP_PAGE_RUN, pages);
    for (uint32_t page = first + 1; page < first + pages; page++)
        check_record_zero(walk, page);
    check_live_page(walk, first, 1);
    if (!is_run_start(first))
        check_fault(walk->check, "heap: the object at page %u has no bit as a run", first);
    check_frames(walk, first, pages);
    walk->run_objects++;
    walk->run_pages += pages;
}

static void walk_transit(struct walk *walk, uint32_t first, uint32_t pages)
{
    struct heap_page expected = {.head = heap_head(HEAP_PAGE_TRANSIT, 0, pages)};
    uint32_t committed = heap_page(first)->committed;
    if (committed > pages) {
        check_fault(walk->check, "heap: the transit run at page %u has too many pages", first);
        committed = pages;
    }
    expected.committed = (uint16_t)committed;
    check_record(walk, first, &expected);
    check_live_page(walk, first, 0);
    for (uint32_t page = first + 1; page < first + pages; page++)
        check_record_zero(walk, page);
    check_frames(walk, first, committed);
    walk->transit += committed;
}

static bool is_in_hand(const struct heap_class *class, uintptr_t address)
{
    for (unsigned i = 0; i < HEAP_IN_HAND_MAX; i++)
        if (class->hand[i] == address)
            return true;
    return false;
}

static uint32_t count_live(uint32_t first, uint32_t pages)
{
    const uint32_t *words = heap_live(first * HEAP_PAGE_GRANULES / 32);
    uint32_t bits = 0;
    for (uint32_t i = 0; i < pages * HEAP_PAGE_GRANULES / 32; i++)
        bits += count_bits(words[i]);
    return bits;
}

/* Each slot that is out is live or in hand, no other is, and no live bit is set but at the
 * beginning of a slot. Returns how many are out. */
static uint32_t walk_slots(struct walk *walk, uint32_t first, unsigned index)
{
    const struct heap_class *class = &heap.classes[index];
    const struct heap_page *slab = heap_page(first);
    uint32_t granule = first * HEAP_PAGE_GRANULES;
    uint32_t live = 0, held = 0;
    for (uint32_t slot = 0; slot < class->slots; slot++, granule += class->size / HEAP_GRANULE) {
        uintptr_t address = HEAP_ORIGIN + (uintptr_t)granule * HEAP_GRANULE;
        bool is_live = heap_is_live(granule);
        bool is_out = (slab->used[slot / 32] >> slot % 32 & 1) != 0;
        if (is_live && !is_out)
            check_fault(walk->check, "heap: the slot at %p is in use and free", (void *)address);
        if (!is_live && is_out && !is_in_hand(class, address))
            check_fault(walk->check, "heap: the slot at %p is neither in use nor free nor in hand",
                        (void *)address);
        live += is_live;
        held += !is_live && is_out;
    }
    if (count_live(first, class->pages) != live)
        check_fault(walk->check, "heap: the slab at page %u has live bits where no object begins",
                    first);
    walk->live[index] += live;
    walk->held[index] += held;
    return live + held;
}

/* Bits for slots that do not exist are set in the last word, and in those behind it clear; which
 * words have a clear one is said. */
static void check_used_words(struct walk *walk, uint32_t first, const struct heap_class *class)
{
    const struct heap_page *slab = heap_page(first);
    bool is_wrong = (slab->used[class->last] & class->absent) != class->absent;
    for (unsigned word = 0; word < HEAP_SLAB_WORDS; word++) {
        bool is_open = word <= class->last && slab->used[word] != UINT32_MAX;
        is_wrong |= word > class->last && slab->used[word] != 0;
        is_wrong |= is_open != ((slab->open >> word & 1) != 0);
    }
    if (is_wrong)
        check_fault(walk->check, "heap: the slab at page %u has slots that it cannot have", first);
}

static void walk_slab(struct walk *walk, uint32_t first, unsigned index)
{
    const struct heap_class *class = &heap.classes[index];
    const struct heap_page *slab = heap_page(first);
    uint32_t out = walk_slots(walk, first, index);
    check_used_words(walk, first, class);
    if (slab->rest != 0)
        check_fault(walk->check, "heap: the record of page %u is wrong in byte 1", first);
    if (slab->out != out)
        check_fault(walk->check, "heap: the slab at page %u counts %u slots out, but has %u", first,
                    slab->out, out);
    for (uint32_t page = 1; page < class->pages; page++)
        check_rest(walk, first + page, index, page);
    if (class->slab != slab && slab->out != class->slots) {
        walk->listed[index]++;
        if (slab->out == 0)
            check_fault(walk->check, "heap: the slab at page %u is kept without objects", first);
    } else if (slab->links != 0) {
        check_fault(walk->check, "heap: the slab at page %u has links, but is in no list", first);
    }
    check_frames(walk, first, class->pages);
    walk->slabs[index]++;
    walk->slab_pages += class->pages;
}

/* Its geometry can be relied on. */
static bool class_is_sound(const struct heap_class *class)
{
    return class->size != 0 && class->pages != 0 && class->pages <= HEAP_SLAB_PAGES &&
           class->slots != 0 && class->last < HEAP_SLAB_WORDS && class->unused == 0 &&
           class->seal == heap_class_seal(class);
}

/* Looks at what begins at a page; returns how many pages it has, 0 if that cannot be told. */
static uint32_t walk_page(struct walk *walk, uint32_t page)
{
    const struct heap_page *record = heap_page(page);
    uint32_t left = heap.frontier - page;
    bool is_slab = record->kind - 1u < HEAP_CLASSES;
    bool is_known = is_slab || record->kind == HEAP_PAGE_RUN || record->kind == HEAP_PAGE_FREE ||
                    record->kind == HEAP_PAGE_TRANSIT;
    uint32_t pages = record->count;
    if (is_slab)
        pages = class_is_sound(&heap.classes[record->kind]) ? heap.classes[record->kind].pages : 0;
    if (!is_known || pages == 0 || pages > left) {
        check_fault(walk->check, "heap: the record of page %u makes no sense", page);
        return 0;
    }
    if (is_slab)
        walk_slab(walk, page, record->kind);
    else if (record->kind == HEAP_PAGE_RUN)
        walk_run(walk, page, pages);
    else if (record->kind == HEAP_PAGE_FREE)
        walk_free(walk, page, pages);
    else
        walk_transit(walk, page, pages);
    walk->after_free = record->kind == HEAP_PAGE_FREE;
    return pages;
}

static void walk_pages(struct walk *walk)
{
    uint32_t page = 1;
    check_record_zero(walk, 0);
    while (page < heap.frontier) {
        uint32_t pages = walk_page(walk, page);
        if (pages == 0)
            return;
        page += pages;
    }
    for (; page < heap.reach; page++)
        check_record_zero(walk, page);
}

/* What is committed of a table, but more than the reach needs, is zero. */
static void check_unreached(struct check *check, enum heap_table table, uintptr_t entries)
{
    uintptr_t end = heap_table_start(table) + (uintptr_t)heap.table_pages[table] * PAGE_SIZE;
    if (entries < end && !is_zero((void *)entries, end - entries))
        check_fault(check, "heap: there are entries beyond the reach of the bookkeeping");
}

static void check_all_unreached(struct check *check)
{
    check_unreached(check, HEAP_RECORDS, (uintptr_t)heap_page(heap.reach));
    check_unreached(check, HEAP_LIVE, (uintptr_t)heap_live(heap.granules / 32));
}

/* The link of the first record of a free run of this list. */
static bool is_listed(uint32_t address, uint32_t list)
{
    uint32_t offset = address - (uint32_t)HEAP_RECORDS_START - offsetof(struct heap_page, link);
    uint32_t page = offset / sizeof(struct heap_page);
    if (offset % sizeof(struct heap_page) != 0 || page >= heap.frontier)
        return false;
    const struct heap_page *record = heap_page(page);
    return record->kind == HEAP_PAGE_FREE && record->list == list &&
           list_of(page, record->count, record->committed) == list;
}

/* Returns how many free runs it has; each says in which list it is, so none is in two. */
static uint32_t check_free_list(struct walk *walk, uint32_t list)
{
    const struct heap_link *ends = &heap.lists[list];
    uint32_t end = heap_link_address(ends), at = ends->after, before = end, length = 0;
    bool is_marked = (heap.zones[list / HEAP_ZONES] >> list % HEAP_ZONES & 1) != 0;
    if (is_marked != (at != end))
        check_fault(walk->check, "heap: list %u of free runs is marked wrongly", list);
    while (at != end && length <= walk->free_runs) {
        if (!is_listed(at, list) || heap_link_at(at)->before != before) {
            check_fault(walk->check, "heap: list %u of free runs is broken at link %p", list,
                        (void *)(uintptr_t)at);
            return length;
        }
        before = at;
        at = heap_link_at(at)->after;
        length++;
    }
    if (at == end && ends->before != before)
        check_fault(walk->check, "heap: list %u of free runs ends wrongly", list);
    return length;
}

static void check_index(struct walk *walk)
{
    uint32_t listed = 0;
    for (uint32_t list = 0; list < ARRAY_COUNT(heap.lists); list++)
        listed += check_free_list(walk, list);
    expect_equal(walk->check, "the number of free runs in lists", listed, walk->free_runs);
    for (unsigned bin = 0; bin < ARRAY_COUNT(heap.zones); bin++)
        if ((heap.zones[bin] != 0) != ((heap.bins[bin / 32] >> bin % 32 & 1) != 0))
            check_fault(walk->check, "heap: bin %u is marked wrongly", bin);
}

/* That each run has its bit the walk has seen: here, that nothing else has. */
static void check_runs(struct walk *walk)
{
    uint32_t starts = 0;
    for (unsigned word = 0; word < HEAP_RUN_WORDS; word++) {
        starts += count_bits(heap.runs[word]);
        if ((heap.runs[word] != 0) != ((heap.run_summary[word / 32] >> word % 32 & 1) != 0))
            check_fault(walk->check, "heap: the summary of runs is wrong in bit %u", word);
    }
    expect_equal(walk->check, "the number of bits of runs", starts, walk->run_objects);
}

static bool is_head_of(uint32_t page, unsigned index)
{
    return heap_page(page)->kind == index && heap_page(page)->rest == 0;
}

/* The list of a class has as many slabs as the walk found for it, each linked both ways. */
static void check_list(struct walk *walk, unsigned index)
{
    const struct heap_class *class = &heap.classes[index];
    uint32_t page = class->first, previous = 0, length = 0;
    while (page != 0 && length <= walk->listed[index]) {
        const struct heap_page *slab;
        if (page >= heap.frontier || !is_head_of(page, index) ||
            heap_page(page)->previous != previous) {
            check_fault(walk->check, "heap: the list of class %u is broken at page %u", index,
                        page);
            return;
        }
        slab = heap_page(page);
        if (slab == class->slab || slab->out == class->slots)
            check_fault(walk->check, "heap: the slab at page %u is in a list", page);
        previous = page;
        page = slab->next;
        length++;
    }
    if (length != walk->listed[index])
        check_fault(walk->check, "heap: the list of class %u has %u slabs instead of %u", index,
                    length, walk->listed[index]);
}

static void check_current(struct check *check, unsigned index)
{
    const struct heap_class *class = &heap.classes[index];
    uintptr_t offset = (uintptr_t) class->slab - HEAP_RECORDS_START;
    uintptr_t page = offset / sizeof(struct heap_page);
    if (offset == 0) {
        if (class->slab_address != 0)
            check_fault(check, "heap: class %u has an address, but no slab", index);
    } else if (offset % sizeof(struct heap_page) != 0 || page >= heap.frontier ||
               !is_head_of((uint32_t)page, index) ||
               class->slab_address != heap_page_address((uint32_t)page)) {
        check_fault(check, "heap: the current slab of class %u is none", index);
    }
}

/* As many as the walk found, each once; the rest is empty. That each is a slot the walk has seen.
 */
static void check_hand(struct walk *walk, unsigned index)
{
    const struct heap_class *class = &heap.classes[index];
    uint32_t held = walk->held[index];
    bool is_wrong = class->top != class->hand + held || class->top > class->end;
    for (unsigned i = 0; i < HEAP_IN_HAND_MAX; i++) {
        is_wrong |= (class->hand[i] != 0) != (i < held);
        for (unsigned j = 0; j < i; j++)
            is_wrong |= class->hand[i] != 0 && class->hand[i] == class->hand[j];
    }
    if (is_wrong)
        check_fault(walk->check, "heap: what class %u has in hand is wrong", index);
}

static void check_class(struct walk *walk, unsigned index)
{
    const struct heap_class *class = &heap.classes[index];
    struct heap_class empty = {.slab = index == 0 ? NULL : heap_page(0)};
    if (index == 0 || (index > HEAP_SIZE_CLASSES && class->size == 0)) {
        for (size_t i = 0; i < sizeof(empty); i++)
            if (((const char *)class)[i] != ((const char *)&empty)[i]) {
                check_fault(walk->check, "heap: class %u does not exist, but is not empty", index);
                return;
            }
        return;
    }
    if (!class_is_sound(class)) {
        check_fault(walk->check, "heap: class %u is not as it was made", index);
        return;
    }
    if (class->slabs != walk->slabs[index])
        check_fault(walk->check, "heap: class %u counts %u slabs, but has %u", index, class->slabs,
                    walk->slabs[index]);
    if (class->allocations - class->frees != walk->live[index])
        check_fault(walk->check, "heap: class %u counts %llu objects, but has %u", index,
                    (unsigned long long)(class->allocations - class->frees), walk->live[index]);
    check_hand(walk, index);
    check_current(walk->check, index);
    check_list(walk, index);
}

static void check_class_table(struct check *check)
{
    for (unsigned entry = 0; entry < ARRAY_COUNT(heap.class_of); entry++) {
        unsigned index = heap.class_of[entry];
        uint32_t size = (entry + 1) * HEAP_GRANULE;
        if (index == 0 || index > HEAP_SIZE_CLASSES || heap.classes[index].size < size ||
            (index > 1 && heap.classes[index - 1].size >= size))
            check_fault(check, "heap: size %u is led to class %u", size, index);
    }
}

static void check_bin_table(struct check *check)
{
    for (uint32_t pages = 0; pages < HEAP_SHORT_PAGES; pages++) {
        uint32_t step = pages <= 16 ? 1 : pages < 32 ? 2 : pages < 64 ? 4 : 8;
        uint32_t first = pages <= 16 ? 1 : pages < 32 ? 0 : pages < 64 ? 8 : 16;
        uint32_t bin = pages == 0 ? 0 : pages <= 16 ? pages - first : 8 + first + pages / step;
        if (heap.bin_of[pages] != bin)
            check_fault(check, "heap: %u free pages are led to bin %u", pages, heap.bin_of[pages]);
    }
    for (uint32_t i = 0, first = HEAP_SHORT_PAGES / HEAP_LONG_STEP, bin = 40; i < HEAP_LONG_STEPS;
         i++) {
        if (i == 2 * first)
            first = i, bin += 2;
        if (heap.long_bin_of[i] != (i < first ? 0 : bin + (i >= first + first / 2)))
            check_fault(check, "heap: %u free pages are led to bin %u", i * HEAP_LONG_STEP,
                        heap.long_bin_of[i]);
    }
}

static void check_tally(struct check *check, const char *what, const struct heap_tally *tally)
{
    if (tally->count != ~tally->complement)
        check_fault(check, "heap: the count of %s and its complement do not agree", what);
}

static void check_counters(struct walk *walk)
{
    struct check *check = walk->check;
    expect_equal(check, "the number of run pages", heap.run_pages, walk->run_pages);
    expect_equal(check, "the number of cached pages", heap.cached, walk->cached);
    expect_equal(check, "the number of pages in transit", heap.transit, walk->transit);
    expect_equal(check, "allocations less frees of runs", heap.run_allocations - heap.run_frees,
                 walk->run_objects);
    expect_equal(check, "the number of committed pages", heap.committed,
                 (uint64_t)walk->slab_pages + walk->run_pages + walk->cached + walk->transit +
                     bookkeeping_pages() + heap_guard.committed);
    check_tally(check, "the highest frontier", &heap.high_frontier);
    check_tally(check, "the highest committed", &heap.peak_committed);
    check_tally(check, "failures", &heap.failures);
    check_tally(check, "objects of past caches", &heap.past_caches);
    for (unsigned i = 0; i < HEAP_MISUSE_COUNT; i++)
        check_tally(check, "misuses", &heap.misuses[i]);
    if (heap.high_frontier.count < heap.frontier || heap.peak_committed.count < heap.committed)
        check_fault(check, "heap: a highest value is below the present one");
}

static bool count_mapped(void *context, uint32_t start, uint64_t end,
                         const struct paging_translation *first)
{
    uint32_t *pages = context;
    uint64_t from = start > MAP_HEAP_START ? start : MAP_HEAP_START;
    uint64_t to = end < MAP_HEAP_END ? end : MAP_HEAP_END;
    (void)first;
    if (from < to)
        *pages += (uint32_t)((to - from) / PAGE_SIZE);
    return end < MAP_HEAP_END;
}

/* All that should be mapped is: so, if there are as many, nothing else is. */
static void check_mapped(struct walk *walk)
{
    uint32_t mapped = 0;
    paging_visit(&paging_kernel, count_mapped, &mapped);
    expect_equal(walk->check, "the number of mapped pages of the window",
                 (uint64_t)walk->slab_pages + walk->run_pages + walk->cached + walk->transit +
                     bookkeeping_pages() + heap_guard.committed,
                 mapped);
}

void heap_check(struct check *check)
{
    unsigned long saved = platform_interrupts_save();
    struct walk walk = {.check = check};
    if (check_bookkeeping(check)) {
        uint32_t before = check->faults;
        check_all_unreached(check);
        check_bin_table(check);
        walk_pages(&walk);
        check_cached(&walk, heap.frontier, HEAP_OBJECT_PAGES + 1 - heap.frontier,
                     heap.frontier_cached);
        check_index(&walk);
        check_runs(&walk);
        for (unsigned i = 0; i <= HEAP_CLASSES; i++)
            check_class(&walk, i);
        check_class_table(check);
        heap_guard_check(check, check_page);
        if (check->faults == before) {
            check_counters(&walk);
            check_mapped(&walk);
        }
    }
    platform_interrupts_restore(saved);
}
