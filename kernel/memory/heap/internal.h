#ifndef KERNEL_MEMORY_HEAP_INTERNAL_H
#define KERNEL_MEMORY_HEAP_INTERNAL_H

#include "kernel/memory/heap/heap.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"

/*
 * The heap's own structures: for its files and its tests.
 *
 *   MAP_HEAP_START                                                               MAP_HEAP_END
 *   |  page 1, 2, 3 ...          | frontier          | records            | groups           |
 *   |  slabs, runs, free runs    | untouched         | one a page         | one a 32 pages   |
 *   |  in any order              |                   | of 40 bytes        | of 136 bytes     |
 *
 * Pages are numbered from 1, so that 0 says "none", and record 0 and the record at the frontier are
 * always zero: whoever looks at a neighbour never has to ask whether there is one. Records and
 * groups are at the end of the window, where an overrun meets uncommitted pages first, and are
 * committed page by page as the frontier climbs; heap_trim gives back what it no longer needs.
 *
 * A page below the frontier belongs to exactly one of
 *   a slab       1 to HEAP_SLAB_PAGES pages of equal slots. Its first record (the head) holds the
 *                class, how many slots are used, and a bit for each free slot; the others lead to
 * it. a run        one object of whole pages. Only its first record is not zero. a free run
 * maximal: two never touch, and none touches the frontier. Its first and last record hold its
 * length (one record, if it is one page), those between are zero. a transit run   on its way from
 * free to used or back, while its pages are committed or given back one at a time with interrupts
 * on. Nobody has a pointer into it. Its first `next` pages are committed.
 *
 * Free runs are indexed by length. Lengths below 32 pages have a bin each; above, each doubling has
 * 16. A bin is a set of first pages, as bitmaps of three levels (a word of words of groups of
 * pages), so the lowest address in it is found by counting zeros three times. Two free runs of 32
 * pages or more cannot begin in one group, so for those the lowest level is a single page number,
 * shared by all bins. Best fit with the lowest address first fragments least on large mixes; lists
 * of free runs, last in first out, needed a tenth more address space, and first fit a twentieth.
 *
 * No bitmap word, counter or link is redundant in a way that nobody checks: bitmaps are functions
 * of the records, records partition the pages, counters are sums over records, and what is not used
 * is zero. That is what heap_check goes by.
 *
 *   committed = slab + run + cached + transit + bookkeeping        (pages)
 *   slots of a slab = used + number of free bits
 *   parity of a class = exclusive or of all words of free bits of its slabs
 *   allocations - frees of a class = sum of used over its slabs
 *   the list of a class = its slabs with 0 < used < slots, without the current one
 *   cached <= HEAP_CACHED_MAX, except inside a call
 *
 * Slabs keep no list inside free slots: an overrun, or a write after free, destroys objects but
 * never the heap.
 */

#define HEAP_SLOT_BYTES       16u   /* sizes are rounded to it; every object is aligned to it */
#define HEAP_SMALL_MAX        2048u /* larger objects are runs */
#define HEAP_SIZE_CLASSES     40u   /* 8 below 128 in steps of 16, then at most 8 a doubling */
#define HEAP_CACHES           40u
#define HEAP_CLASSES          (HEAP_SIZE_CLASSES + HEAP_CACHES)
#define HEAP_SLAB_PAGES       4u
#define HEAP_SLOTS_MAX        256u
#define HEAP_SLOTS_MIN        8u
#define HEAP_CACHE_OBJECT_MAX (HEAP_SLAB_PAGES * PAGE_SIZE / 4)

/* Pages that hold nothing and stay committed for the next call. */
#ifndef HEAP_CACHED_MAX
#define HEAP_CACHED_MAX 64u
#endif

#define HEAP_GROUP_PAGES     32u
#define HEAP_WINDOW_PAGES    ((uint32_t)(MAP_HEAP_END - MAP_HEAP_START) / PAGE_SIZE)
#define HEAP_GROUPS          (HEAP_WINDOW_PAGES / HEAP_GROUP_PAGES)

#define HEAP_BIN_STEPS_SHIFT 4u /* 16 bins for each doubling from 32 pages on */
#define HEAP_BINS            (HEAP_GROUP_PAGES + (10u << HEAP_BIN_STEPS_SHIFT))
#define HEAP_BIN_WORDS       (HEAP_BINS / 32)

/* What a record says: 1 to HEAP_CLASSES is the head of a slab of that class, or one of these. */
enum heap_page_kind {
    HEAP_PAGE_NONE = 0,
    HEAP_PAGE_REST = 0xF0,    /* not the first page of a slab; count: how far behind it */
    HEAP_PAGE_RUN = 0xF1,     /* count: its pages */
    HEAP_PAGE_FREE = 0xF2,    /* count: its pages */
    HEAP_PAGE_TRANSIT = 0xF3, /* count: its pages; next: how many of them are committed */
};

struct heap_page {
    uint8_t kind;
    uint8_t unused;
    uint16_t count;                     /* head of a slab: used slots */
    uint16_t next, previous;            /* head of a slab in its class's list */
    uint32_t free[HEAP_SLOTS_MAX / 32]; /* head of a slab: a bit for each free slot */
};

struct heap_group {
    uint32_t cached; /* free pages that are committed */
    uint32_t runs;   /* pages where an object of whole pages begins */
    uint32_t large;  /* the free run of 32 pages or more that begins here, or 0 */
    uint32_t small[HEAP_GROUP_PAGES - 1]; /* [n - 1]: where free runs of n pages begin */
};

/* Bit g % 32 of word g / 32: group g has a member. Bit w of summary: word w is not zero. */
struct heap_bin {
    uint32_t summary;
    uint32_t groups[HEAP_GROUPS / 32];
};

/*
 * A size class, or a cache. Objects come from `word`, a word of the current slab's free bits, until
 * it is zero; it points to heap.no_slots while there is no current slab, so the common path
 * has one test. A full slab is in no list: the first free in it puts it there, or makes it current.
 * The parity is for heap_check: a byte of free bits that is wrong, but has as many bits, shows
 * there.
 */
#define HEAP_CLASS_BYTES (sizeof(void *) == 4 ? 64u : 128u) /* a power of two: short indexing */

struct heap_class {
    uint32_t *word;
    uintptr_t word_address; /* of the slot that bit 0 of the word stands for */
    struct heap_page *slab; /* the current slab, or NULL */
    uint32_t size;          /* bytes a slot; 0: this cache does not exist */
    uint32_t reciprocal;    /* ceil(2^32 / size): divides offsets in a slab exactly */
    uint16_t slots, words;  /* in a slab; words of bits */
    uint16_t first;         /* page of the first slab of the list, or 0 */
    uint16_t pages;         /* of a slab */
    uint64_t allocations, frees;
    uint32_t slabs;
    uint32_t seal; /* over what never changes: size, reciprocal, slots, words, pages, name */
    const char *name;
    uint32_t parity;
    uint8_t unused[HEAP_CLASS_BYTES - 4 * sizeof(void *) - 44];
};

/* A count that nothing else lets us recompute; kept with its complement. */
struct heap_tally {
    uint64_t count, complement;
};

struct heap {
    struct heap_class classes[HEAP_CLASSES + 1]; /* [0] is never used: a record of 0 is no class */
    struct heap_bin bins[HEAP_BINS];             /* [0] is never used: no run has 0 pages */
    uint32_t bin_words[HEAP_BIN_WORDS];          /* bit b: bin b is not empty */
    uint32_t bin_summary;                        /* bit w: bin word w is not zero */
    uint32_t frontier;                           /* the first page above all slabs and runs */
    uint32_t reach;                     /* records and groups of the pages below it are committed */
    uint32_t record_pages, group_pages; /* committed for bookkeeping */
    uint32_t committed, slab_pages, run_pages, cached, transit;
    uint32_t run_objects;
    uint32_t no_slots; /* always 0 */
    uint64_t run_allocations, run_frees;
    struct heap_tally high_frontier, peak_committed, failures, misuses[HEAP_MISUSE_COUNT];
    struct heap_tally past_caches; /* allocations from caches that are no more; frees, too */
    uint8_t class_of[HEAP_SMALL_MAX / HEAP_SLOT_BYTES]; /* (size - 1) / 16 -> class */
};

extern struct heap heap;

#define HEAP_RECORD_PAGES      ((uint32_t)(HEAP_WINDOW_PAGES * sizeof(struct heap_page) / PAGE_SIZE))
#define HEAP_GROUP_TABLE_PAGES ((uint32_t)(HEAP_GROUPS * sizeof(struct heap_group) / PAGE_SIZE))
#define HEAP_OBJECT_PAGES      (HEAP_WINDOW_PAGES - HEAP_RECORD_PAGES - HEAP_GROUP_TABLE_PAGES)
#define HEAP_GROUPS_START      (MAP_HEAP_END - HEAP_GROUP_TABLE_PAGES * PAGE_SIZE)
#define HEAP_RECORDS_START     (HEAP_GROUPS_START - HEAP_RECORD_PAGES * PAGE_SIZE)

_Static_assert(sizeof(struct heap_page) == 40 && sizeof(struct heap_group) == 136, "as drawn");
_Static_assert(sizeof(struct heap_class) == HEAP_CLASS_BYTES, "no holes");
_Static_assert(HEAP_GROUPS * sizeof(struct heap_group) % PAGE_SIZE == 0, "whole pages");
_Static_assert(HEAP_CLASSES < HEAP_PAGE_REST, "classes and kinds share a byte");
_Static_assert(HEAP_WINDOW_PAGES <= UINT16_MAX, "page numbers and lengths fit a record");

#define HEAP_PAGES_OF  ((struct heap_page *)(uintptr_t)HEAP_RECORDS_START)
#define HEAP_GROUPS_OF ((struct heap_group *)(uintptr_t)HEAP_GROUPS_START)

static inline struct heap_page *heap_page(uint32_t page)
{
    return &HEAP_PAGES_OF[page];
}

static inline struct heap_group *heap_group(uint32_t group)
{
    return &HEAP_GROUPS_OF[group];
}

static inline uint32_t heap_page_number(const struct heap_page *record)
{
    return (uint32_t)(record - HEAP_PAGES_OF);
}

static inline uintptr_t heap_page_address(uint32_t page)
{
    return MAP_HEAP_START + (uintptr_t)(page - 1) * PAGE_SIZE;
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

/* commit.c: frames. These turn interrupts off by themselves, for one page at a time. */

/* A transit run, all committed, at an address that is a multiple of alignment; 0: exhausted, and
 * everything is as it was. */
uint32_t heap_obtain(uint32_t pages, uint32_t alignment);
/* The same for the pages from `first` on. False: not all free, or no frames. */
bool heap_obtain_at(uint32_t first, uint32_t pages);
/* Gives back a transit run. */
void heap_release(uint32_t first);
/* Commits one more page of records or groups. False: no frame, or all are committed. */
bool heap_commit_bookkeeping(void);
/* Gives back the last page of each table. For heap_init that failed. */
void heap_bookkeeping_drop(void);
/* What record_pages and group_pages suffice for. */
uint32_t heap_bookkeeping_reach(void);

/* slab.c: with interrupts off, except where it says otherwise. */

void heap_classes_init(void);
/* Fills a class in for slots of `size` bytes, a multiple of 16 up to HEAP_CACHE_OBJECT_MAX. */
void heap_class_set_up(struct heap_class *class, uint32_t size, const char *name);
uint32_t heap_class_seal(const struct heap_class *class);
/* When the current word is used up. Interrupts on. NULL: exhausted. */
void *heap_class_alloc_slowly(struct heap_class *class);
/* The slab was full until the slot `index` was freed. */
void heap_slab_not_full(struct heap_class *class, struct heap_page *slab, uint32_t index);
/* An empty slab that is in its class's list becomes a transit run. Returns its first page. */
uint32_t heap_slab_retire(struct heap_class *class, struct heap_page *slab);
/* Gives the class's current slab back if it has no objects. Interrupts on. Returns its pages. */
uint32_t heap_class_trim(struct heap_class *class);

static inline unsigned heap_class_index(const struct heap_class *class)
{
    return (unsigned)(class - heap.classes);
}

/* The lowest free slot of the current word, which is not zero. */
static inline void *heap_class_take(struct heap_class *class)
{
    uint32_t word = *class->word;
    uint32_t rest = word & (word - 1);
    *class->word = rest;
    class->parity ^= word ^ rest;
    class->slab->count++;
    class->allocations++;
    return (void *)(class->word_address + (uintptr_t)heap_lowest_bit(word) * class->size);
}

#endif
