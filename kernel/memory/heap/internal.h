#ifndef KERNEL_MEMORY_HEAP_INTERNAL_H
#define KERNEL_MEMORY_HEAP_INTERNAL_H

#include "kernel/memory/heap/heap.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"

/*
 * The heap's own structures: for its files and its tests.
 *
 *   MAP_HEAP_START                                                                    MAP_HEAP_END
 *   |  page 1, 2, 3 ...       | frontier  | guard   | records         | live bits  | groups | |
 * slabs, runs, free runs | untouched | guard.h | 40 bytes a page | 32 a page  | 132 for 32 p. |
 *
 * Pages are numbered from 1, so that 0 says "none", and record 0 and the record at the frontier are
 * always zero: whoever looks at a neighbour never has to ask whether there is one. The three tables
 * are at the end of the window, where an overrun meets uncommitted pages first; they are committed
 * page by page as the frontier climbs, and heap_trim gives back what is not needed any more.
 *
 * Objects begin at granules, multiples of 16 bytes. There is a bit for each: set if, and only if,
 * an object that lives begins there. Whatever is wrong with a pointer that is freed, its bit is
 * clear, or there is none. Two instructions find that out: a rotation, which turns misaligned ones
 * into numbers beyond the end, and one that tests and changes the bit.
 *
 * A page below the frontier belongs to exactly one of
 * - a slab: 1 to HEAP_SLAB_PAGES pages of equal slots. All its records name the class; the first
 *   (the head) says how many slots are out, and has a bit for each that is not.
 * - a run: one object of whole pages. Only its first record is not zero.
 * - a free run: maximal; two never touch, and none touches the frontier. Its first and last record
 *   hold its length (one record, if it is one page), those between are zero. Its first `next` pages
 *   are committed: cached.
 * - a transit run: on its way from free to used or back, while its pages are committed or given
 *   back one at a time with interrupts on. Nobody has a pointer into it. Its first `next` pages are
 *   committed.
 *
 * That only the front of a free run may be committed keeps every step on runs O(1): a length says
 * which pages need frames. Where free runs of which this is not true would join, a few cached pages
 * are given back first.
 *
 * A class keeps a few free slots in hand, a stack of addresses: most calls end there and touch
 * neither slab nor record. To the slab they are out. The stack is refilled and emptied by one
 * slot a call, so that no call pays for others.
 *
 * Free runs are indexed by length. Lengths below 32 pages have a bin each; above, each doubling has
 * 16. A bin is a set of first pages, as bitmaps of three levels (a word of words of groups of
 * pages), so the lowest address in it is found by counting zeros three times. Two free runs of 32
 * pages or more cannot begin in one group, so for those the lowest level is a single page number,
 * shared by all bins. Best fit with the lowest address first fragments least on large mixes; lists
 * of free runs, last in first out, needed a tenth more address space, and first fit a twentieth.
 *
 * Bitmaps are functions of the records, records partition the pages, counters are sums over
 * records, and what is not used is zero. That is what heap_check goes by.
 *
 *   committed = slab + run + cached + transit + bookkeeping        (pages)
 *   each slot of a slab is one of: live, in hand, free in the head's bits
 *   count of a head = its slots that are not free
 *   allocations - frees of a class = its live slots
 *   the list of a class = its slabs with 0 < count < slots, without the current one
 *   cached <= HEAP_CACHED_MAX, except inside a call
 *
 * Slabs keep no list inside free slots: an overrun, or a write after free, destroys objects but
 * never the heap.
 */

#define HEAP_GRANULE          16u
#define HEAP_SMALL_MAX        4096u /* larger objects are runs */
#define HEAP_SIZE_CLASSES     44u
#define HEAP_CACHES           40u
#define HEAP_CLASSES          (HEAP_SIZE_CLASSES + HEAP_CACHES)
#define HEAP_SLAB_PAGES       4u
#define HEAP_SLOTS_MAX        256u
#define HEAP_SLOTS_MIN        8u /* fewer only in slabs of HEAP_SLAB_PAGES */
#define HEAP_CACHE_OBJECT_MAX (HEAP_SLAB_PAGES * PAGE_SIZE / 4)
#define HEAP_IN_HAND_MAX      16u
#define HEAP_IN_HAND_BYTES    8192u /* of a class, if its slots are large */

/* Pages that hold nothing and stay committed for the next call. */
#ifndef HEAP_CACHED_MAX
#define HEAP_CACHED_MAX 64u
#endif

#define HEAP_GROUP_PAGES     32u
#define HEAP_WINDOW_PAGES    ((uint32_t)(MAP_HEAP_END - MAP_HEAP_START) / PAGE_SIZE)
#define HEAP_GROUPS          (HEAP_WINDOW_PAGES / HEAP_GROUP_PAGES)
#define HEAP_GUARD_PAGES     393u /* for guarded objects: guard.h */
#define HEAP_PAGE_GRANULES   (PAGE_SIZE / HEAP_GRANULE)

#define HEAP_BIN_STEPS_SHIFT 4u /* 16 bins for each doubling from 32 pages on */
#define HEAP_BINS            (HEAP_GROUP_PAGES + (10u << HEAP_BIN_STEPS_SHIFT))
#define HEAP_BIN_WORDS       (HEAP_BINS / 32)

/* What a record says: 1 to HEAP_CLASSES is a slab's page of that class, or one of these. */
enum heap_page_kind {
    HEAP_PAGE_NONE = 0,
    HEAP_PAGE_RUN = 0xF1,     /* count: its pages */
    HEAP_PAGE_FREE = 0xF2,    /* count: its pages; next: how many of them are committed */
    HEAP_PAGE_TRANSIT = 0xF3, /* count: its pages; next: how many of them are committed */
};

struct heap_page {
    uint8_t kind;
    uint8_t
        rest; /* page of a slab: how far behind the head; 0: the head. Free run's head: its bin */
    uint16_t count;                     /* head: slots that are out */
    uint16_t next, previous;            /* head: in its class's list */
    uint32_t free[HEAP_SLOTS_MAX / 32]; /* head: a bit for each slot that is not out */
};

struct heap_group {
    uint32_t runs;  /* pages where an object of whole pages begins */
    uint32_t large; /* the free run of 32 pages or more that begins here, or 0 */
    uint32_t small[HEAP_GROUP_PAGES - 1]; /* [n - 1]: where free runs of n pages begin */
};

/* Bit g % 32 of word g / 32: group g has a member. Bit w of summary: word w is not zero. */
struct heap_bin {
    uint32_t summary;
    uint32_t groups[HEAP_GROUPS / 32];
};

/*
 * A size class, or a cache. Slots that are not in hand come from `word`, a word of the current
 * slab's free bits, until it is zero; it points to heap.no_slots while there is no current slab, so
 * one test covers both. A full slab is in no list: the first slot that comes back puts it there, or
 * makes it current.
 */
struct heap_class {
    uint32_t *top, *end; /* of the hand: what the next slot is put at; where it is full */
    uint32_t hand[HEAP_IN_HAND_MAX]; /* addresses; from top on: zero */
    uint64_t allocations, frees;
    uint32_t *word;
    uintptr_t word_address; /* of the slot that bit 0 of the word stands for */
    struct heap_page *slab; /* the current slab, or NULL */
    const char *name;
    uint32_t size;         /* bytes a slot; 0: this cache does not exist */
    uint32_t reciprocal;   /* ceil(2^32 / size): divides offsets in a slab exactly */
    uint16_t slots, words; /* in a slab; words of bits */
    uint16_t first;        /* page of the first slab of the list, or 0 */
    uint16_t pages;        /* of a slab */
    uint32_t slabs;
    uint32_t seal; /* over what never changes: end, size to words, pages, name */
};

/* A count that nothing else lets us recompute; kept with its complement. */
struct heap_tally {
    uint64_t count, complement;
};

enum heap_table { HEAP_RECORDS, HEAP_LIVE, HEAP_GROUP_TABLE, HEAP_TABLES };

struct heap {
    struct heap_class classes[HEAP_CLASSES + 1]; /* [0] is never used: a record of 0 is no class */
    struct heap_bin bins[HEAP_BINS];             /* [0] is never used: no run has 0 pages */
    uint32_t bin_words[HEAP_BIN_WORDS];          /* bit b: bin b is not empty */
    uint32_t bin_summary;                        /* bit w: bin word w is not zero */
    uint32_t frontier;                           /* the first page above all slabs and runs */
    uint32_t reach;                    /* of the pages below it, all tables are committed */
    uint32_t granules;                 /* reach in granules */
    uint32_t table_pages[HEAP_TABLES]; /* committed */
    uint32_t committed, slab_pages, run_pages, cached, transit;
    uint32_t run_objects;
    uint32_t frontier_cached;  /* pages from the frontier on that are committed */
    uint32_t no_slots, unused; /* always 0 */
    uint64_t run_allocations, run_frees;
    struct heap_tally high_frontier, peak_committed, failures, misuses[HEAP_MISUSE_COUNT];
    struct heap_tally past_caches; /* allocations from caches that are no more; frees, too */
    uint8_t class_of[HEAP_SMALL_MAX / HEAP_GRANULE]; /* (size - 1) / 16 -> class */
};

extern struct heap heap;

#define HEAP_RECORD_PAGES      ((uint32_t)(HEAP_WINDOW_PAGES * sizeof(struct heap_page) / PAGE_SIZE))
#define HEAP_LIVE_PAGES        (HEAP_WINDOW_PAGES * HEAP_PAGE_GRANULES / 8 / PAGE_SIZE)
#define HEAP_GROUP_TABLE_PAGES ((uint32_t)(HEAP_GROUPS * sizeof(struct heap_group) / PAGE_SIZE))
#define HEAP_OBJECT_PAGES                                                                          \
    (HEAP_WINDOW_PAGES - HEAP_GUARD_PAGES - HEAP_RECORD_PAGES - HEAP_LIVE_PAGES -                  \
     HEAP_GROUP_TABLE_PAGES)
#define HEAP_GROUPS_START  (MAP_HEAP_END - HEAP_GROUP_TABLE_PAGES * PAGE_SIZE)
#define HEAP_LIVE_START    (HEAP_GROUPS_START - HEAP_LIVE_PAGES * PAGE_SIZE)
#define HEAP_RECORDS_START (HEAP_LIVE_START - HEAP_RECORD_PAGES * PAGE_SIZE)

/* What page 0 would have: the origin of page numbers and granules. */
#define HEAP_ORIGIN (MAP_HEAP_START - PAGE_SIZE)

_Static_assert(sizeof(struct heap_page) == 40 && sizeof(struct heap_group) == 132, "as drawn");
_Static_assert(sizeof(struct heap_class) == (sizeof(void *) == 4 ? 128 : 152), "no holes");
_Static_assert(HEAP_GROUPS * sizeof(struct heap_group) % PAGE_SIZE == 0, "whole pages");
_Static_assert(HEAP_CLASSES < HEAP_PAGE_RUN, "classes and kinds share a byte");
_Static_assert(HEAP_WINDOW_PAGES <= UINT16_MAX, "page numbers and lengths fit a record");
_Static_assert(MAP_HEAP_END <= UINT32_MAX, "addresses fit a hand");

static inline struct heap_page *heap_page(uint32_t page)
{
    return &((struct heap_page *)(uintptr_t)HEAP_RECORDS_START)[page];
}

static inline struct heap_group *heap_group(uint32_t group)
{
    return &((struct heap_group *)(uintptr_t)HEAP_GROUPS_START)[group];
}

static inline uint32_t heap_page_number(const struct heap_page *record)
{
    return (uint32_t)(record - heap_page(0));
}

static inline uintptr_t heap_page_address(uint32_t page)
{
    return HEAP_ORIGIN + (uintptr_t)page * PAGE_SIZE;
}

/* The number of the granule that begins at an address; beyond all granules, if none does or it is
 * below the window: what is not zero of the lowest bits becomes highest. */
static inline uintptr_t heap_granule(uintptr_t address)
{
    uintptr_t offset = address - HEAP_ORIGIN;
    return offset / HEAP_GRANULE | offset << (sizeof(offset) * 8 - 4);
}

static inline uint32_t *heap_live(uint32_t word)
{
    return &((uint32_t *)(uintptr_t)HEAP_LIVE_START)[word];
}

/* The instructions that take a bit number relative to memory (Intel SDM 2A, BTS, BTR) do in one
 * what C says in six. */
static inline void heap_live_set(uint32_t granule)
{
    __asm__ volatile("btsl %1, %0" : "+m"(*heap_live(0)) : "r"(granule) : "cc", "memory");
}

/* Returns what it was. */
static inline bool heap_live_clear(uint32_t granule)
{
    bool was;
    __asm__ volatile("btrl %2, %0" : "+m"(*heap_live(0)), "=@ccc"(was) : "r"(granule) : "memory");
    return was;
}

static inline bool heap_is_live(uint32_t granule)
{
    return (*heap_live(granule / 32) >> granule % 32 & 1) != 0;
}

static inline unsigned heap_lowest_bit(uint32_t word)
{
    return (unsigned)__builtin_ctz(word);
}

/* Bits [from, to) of a word; to > from. */
static inline uint32_t heap_bits(unsigned from, unsigned to)
{
    return (UINT32_MAX << from) & (UINT32_MAX >> (32 - to));
}

static inline void heap_tally_set(struct heap_tally *tally, uint64_t count)
{
    tally->count = count;
    tally->complement = ~count;
}

/* The bin in which a free run of this many pages is kept. */
static inline unsigned heap_bin_of(uint32_t pages)
{
    unsigned log;
    if (pages < HEAP_GROUP_PAGES)
        return pages;
    log = 31u - (unsigned)__builtin_clz(pages);
    /* The leading bit counts as one whole doubling: hence one less. */
    return HEAP_GROUP_PAGES + ((log - 6) << HEAP_BIN_STEPS_SHIFT) +
           (pages >> (log - HEAP_BIN_STEPS_SHIFT));
}

/* run.c: pages. With interrupts off. */

/* Takes the lowest best fit out of the index, or pages from the frontier: a transit run with no
 * page committed. 0: there is none, or more bookkeeping must be committed first. */
uint32_t heap_run_take(uint32_t pages);
/* The same for the pages from `first` on. False: they are not all free. */
bool heap_run_take_at(uint32_t first, uint32_t pages);
/* Makes the pages free, of which the first `committed` have frames; their records are zero. */
void heap_run_give(uint32_t first, uint32_t pages, uint32_t committed);
/* Is there a free run that ends before this page, committed in part or not at all? */
static inline bool heap_run_is_left_partial(uint32_t first)
{
    const struct heap_page *left = heap_page(first) - 1;
    if (left->kind != HEAP_PAGE_FREE)
        return false;
    return heap_page(first - left->count)->next != left->count;
}
/* Of the free run, or untouched part, that begins there, the last cached page, which does not count
 * as cached any more; 0: there is none. */
uint32_t heap_run_uncommit_front(uint32_t first);

/* commit.c: frames. These turn interrupts off by themselves, for one page at a time. */

/* A transit run, all committed, at an address that is a multiple of alignment; 0: exhausted, and
 * everything is as it was. */
uint32_t heap_obtain(uint32_t pages, uint32_t alignment);
/* The same for the pages from `first` on. False: not all free, or no frames. */
bool heap_obtain_at(uint32_t first, uint32_t pages);
/* Gives back a transit run. */
void heap_release(uint32_t first);
/* A page of the window that is neither a run's nor a table's: the guard's. False: no frame. */
bool heap_commit_page(uintptr_t address);
void heap_uncommit_page(uintptr_t address);
/* Commits one more page of the tables. False: no frame, or all are committed. */
bool heap_commit_bookkeeping(void);
/* Gives back all pages of the tables. For heap_init that failed. */
void heap_bookkeeping_drop(void);
/* What the committed pages of the tables suffice for. */
uint32_t heap_bookkeeping_reach(void);
uintptr_t heap_table_start(enum heap_table table);
uint32_t heap_table_limit(enum heap_table table); /* pages */

/* slab.c: with interrupts off, except where it says otherwise. */

void heap_classes_init(void);
/* Fills a class in for slots of `size` bytes, a multiple of 16 up to HEAP_CACHE_OBJECT_MAX. */
void heap_class_set_up(struct heap_class *class, uint32_t size, const char *name);
uint32_t heap_class_seal(const struct heap_class *class);
/* When nothing is in hand. Interrupts on. NULL: exhausted. */
void *heap_class_alloc_slowly(struct heap_class *class);
/* A slot that is not live any more, and finds the hand full, goes back to its slab, and an empty
 * slab goes too. Turns interrupts back on. */
void heap_slot_free(struct heap_class *class, uint32_t granule, unsigned long saved);
/* Gives back what is in hand, and the current slab if it is empty. Interrupts on. */
void heap_class_trim(struct heap_class *class);

/* The guard was switched on or off: while it is on, hands hold nothing, and every call goes the
 * slow way. Interrupts on. */
void heap_hands_set(void);

static inline unsigned heap_class_index(const struct heap_class *class)
{
    return (unsigned)(class - heap.classes);
}

/* heap.c */

/* What is wrong with freeing this, which is no live object of the cache (NULL: of kmalloc's).
 * Interrupts off. */
enum heap_misuse heap_misuse_of(const void *object, const struct heap_cache *cache);
/* Counts it, and logs it with the caller. */
void heap_refuse(const void *object, enum heap_misuse misuse, const void *caller);

/* check.c */

enum heap_page_expectation { HEAP_PAGE_COMMITTED, HEAP_PAGE_UNCOMMITTED };
void heap_check_page(struct check *check, uintptr_t address,
                     enum heap_page_expectation expectation);

#endif
