#ifndef KERNEL_MEMORY_HEAP_INTERNAL_H
#define KERNEL_MEMORY_HEAP_INTERNAL_H

#include "kernel/memory/heap/heap.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"

/*
 * The heap's own structures: for its files and its tests.
 *
 *   MAP_HEAP_START                                                                    MAP_HEAP_END
 *   |  page 1, 2, 3 ...       | frontier      | guard    | records         | live bits           |
 *   |  slabs, runs, free runs | untouched     | guard.h  | 40 bytes a page | 32 a page           |
 *
 * Pages are numbered from 1, so that 0 says "none", and record 0 and the record at the frontier are
 * always zero: whoever looks at a neighbour never has to ask whether there is one. The tables are
 * at the end of the window, where an overrun meets uncommitted pages first; they are committed page
 * by page as the frontier climbs, and heap_trim gives back what is not needed any more.
 *
 * Objects begin at granules, multiples of 16 bytes. There is a bit for each: set if, and only if,
 * an object that lives begins there. Whatever is wrong with a pointer that is freed, its bit is
 * clear, or there is none. Two instructions find that out: a rotation, which turns misaligned ones
 * into numbers beyond the end, and one that tests and changes the bit.
 *
 * A page below the frontier belongs to exactly one of
 * - a slab: 1 to HEAP_SLAB_PAGES pages of equal slots. All its records name the class; the first
 *   (the head) has a bit for each slot, set if it is out, counts these, and says which of its words
 *   of bits have a clear one. What a slab has when it is made is what records have anyway: zero.
 * - a run: one object of whole pages. Only its first record is not zero.
 * - a free run: maximal; two never touch, and none touches the frontier. Its first and last record
 *   say so and hold its length, those between are zero. Its first `committed` pages are: cached.
 * - a transit run: on its way from free to used or back, while its pages are committed or given
 *   back one at a time with interrupts on. Nobody has a pointer into it. Its first `committed`
 *   pages are. What needs no frame, and gives none back, is done in one go and never in transit.
 *
 * That only the front of a free run may be committed keeps every step on runs O(1): a length says
 * which pages need frames. Where free runs of which this is not true would join, a few cached pages
 * are given back first.
 *
 * A class keeps a few free slots in hand, a stack of addresses: most calls end there and touch
 * neither slab nor record. To the slab they are out. The stack is refilled and emptied by one
 * slot a call, so that no call pays for others.
 *
 * Free runs are indexed by length and place. Each length up to 16 pages has a bin, the lengths
 * below 128 eight for each doubling, those above two. A bin has a list for each zone of the window,
 * about 6.5 MiB, and what of it is committed in part lies in lists of its own. A bit for each list
 * that is not empty, in a word for each bin, and a bit for each such word: two "lowest bit set"
 * find the lowest zone of the shortest length, and the list's newest run is taken. Such a list can
 * be left in ten instructions and joined in as many, whatever is in it, which sets of page numbers
 * cannot: two neighbours leave theirs, and what they become joins one, while somebody waits. Exact
 * sets by address would need a hundredth less address space, one zone a thirtieth more, and one bin
 * for each doubling a tenth.
 *
 * Links, the bits of lists, and what is written in a record are functions of which pages are free;
 * records partition the pages, counters are sums over records, and what is not used is zero. That
 * is what heap_check goes by.
 *
 *   committed = slab + run + cached + transit + bookkeeping + guarded        (pages)
 *   each slot of a slab is one of: live, in hand, free; the first two are out
 *   allocations - frees of a class = its live slots
 *   the list of a class = its slabs that are neither full nor without objects nor the current one
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
#define HEAP_SLOTS_MAX        255u
#define HEAP_SLAB_WORDS       8u
#define HEAP_SLOTS_MIN        8u /* fewer only in slabs of HEAP_SLAB_PAGES */
#define HEAP_CACHE_OBJECT_MAX (HEAP_SLAB_PAGES * PAGE_SIZE / 4)
#define HEAP_IN_HAND_MAX      16u
#define HEAP_IN_HAND_BYTES    8192u /* of a class, if its slots are large */

/* Pages that hold nothing and stay committed for the next call. */
#ifndef HEAP_CACHED_MAX
#define HEAP_CACHED_MAX 64u
#endif

#define HEAP_WINDOW_PAGES  ((uint32_t)(MAP_HEAP_END - MAP_HEAP_START) / PAGE_SIZE)
#define HEAP_GUARD_PAGES   393u /* for guarded objects: guard.h */
#define HEAP_PAGE_GRANULES (PAGE_SIZE / HEAP_GRANULE)
#define HEAP_REACH_PAGES   32u /* the tables are enough for a multiple of so many pages */

/* Bins: one for each length to 16, eight for each doubling to 128, two for each above. */
#define HEAP_BINS        64u
#define HEAP_SHORT_PAGES 128u
#define HEAP_LONG_STEP   64u /* from there on, all bins begin at multiples of so many pages */
#define HEAP_LONG_STEPS  512u
#define HEAP_ZONES       32u
#define HEAP_ZONE_SHIFT  16u                      /* a zone: as many records as have 64 KiB */
#define HEAP_LISTS       (HEAP_BINS * HEAP_ZONES) /* and as many for runs with nothing committed */
#define HEAP_RUN_WORDS   (HEAP_WINDOW_PAGES / 32)
#define HEAP_RUN_SUMMARY (HEAP_RUN_WORDS / 32)

/* What a record says: 1 to HEAP_CLASSES is a slab's page of that class, or one of these. */
enum heap_page_kind {
    HEAP_PAGE_NONE = 0,
    HEAP_PAGE_RUN = 0xF1,     /* count: its pages */
    HEAP_PAGE_FREE = 0xF2,    /* count: its pages; the first also: committed, list, link */
    HEAP_PAGE_TRANSIT = 0xF3, /* count: its pages; committed */
};

/* Of a free run in its list, or the list itself: addresses of such links, in a circle. */
struct heap_link {
    uint32_t after, before;
};

struct heap_page {
    union {
        uint32_t head; /* what follows, as one word: heap_head */
        struct {
            union {
                uint16_t count;
                struct {
                    uint8_t open; /* head of a slab, bit w: word w of its bits has a clear one */
                    uint8_t out;  /* slots that are out */
                };
            };
            uint8_t kind;
            uint8_t rest; /* page of a slab: how far behind the head; 0: the head */
        };
    };
    union {
        uint32_t links; /* what follows, as one word */
        struct {
            uint16_t next, previous; /* head of a slab: pages in its class's list */
        };
        struct {
            uint16_t committed;
            uint16_t list; /* in which the free run is */
        };
    };
    union {
        uint32_t used[HEAP_SLAB_WORDS]; /* head of a slab: a bit for each slot that is out, and for
                                           those of the last word that do not exist */
        struct heap_link link;          /* first of a free run */
    };
};

/*
 * A size class, or a cache. Slots that are not in hand come from the current slab, which is record
 * 0 while there is none: that has no open word. A full slab is in no list: the first slot that
 * comes back puts it there, or makes it current.
 */
struct heap_class {
    uint32_t *top, *end; /* of the hand: what the next slot is put at; where it is full */
    uint32_t hand[HEAP_IN_HAND_MAX]; /* addresses; from top on: zero */
    uint64_t allocations, frees;
    struct heap_page *slab; /* the current slab, or record 0 */
    const char *name;
    uint32_t slab_address; /* of the current slab's first slot, or 0 */
    uint32_t size;         /* bytes a slot; 0: this cache does not exist */
    uint32_t reciprocal;   /* ceil(2^20 / granules a slot): divides offsets in a slab exactly */
    uint32_t fresh;        /* head of a slab of which the first slot is out */
    uint32_t absent;       /* bits of the last word for slots that do not exist */
    uint32_t seal;         /* over what never changes: end, size to absent, slots to last, name */
    uint8_t slots, pages;  /* of a slab */
    uint8_t last, unused;  /* its last word of bits; 0 */
    uint16_t first;        /* page of the first slab of the list, or 0 */
    uint16_t slabs;
};

/* A count that nothing else lets us recompute; kept with its complement. */
struct heap_tally {
    uint64_t count, complement;
};

enum heap_table { HEAP_RECORDS, HEAP_LIVE, HEAP_TABLES };

struct heap {
    struct heap_class classes[HEAP_CLASSES + 1]; /* [0] is never used: a record of 0 is no class */
    struct heap_link lists[2 * HEAP_LISTS]; /* of free runs; the second half: of those with nothing
                                               committed */
    uint32_t zones[2 * HEAP_BINS];          /* bit z: the list of zone z is not empty */
    uint32_t bins[2 * HEAP_BINS / 32];      /* bit b: the word of bin b is not zero */
    uint32_t runs[HEAP_RUN_WORDS];          /* pages where an object of whole pages begins */
    uint32_t run_summary[HEAP_RUN_SUMMARY]; /* bit w: word w of runs is not zero */
    uint32_t frontier;                      /* the first page above all slabs and runs */
    uint32_t reach;                         /* of the pages below it, all tables are committed */
    uint32_t granules;                      /* reach in granules */
    uint32_t table_pages[HEAP_TABLES];      /* committed */
    uint32_t committed, run_pages, cached, transit;
    uint32_t frontier_cached; /* pages from the frontier on that are committed */
    uint64_t run_allocations, run_frees;
    struct heap_tally high_frontier, peak_committed, failures, misuses[HEAP_MISUSE_COUNT];
    struct heap_tally past_caches; /* allocations from caches that are no more; frees, too */
    uint8_t class_of[HEAP_SMALL_MAX / HEAP_GRANULE]; /* (size - 1) / 16 -> class */
    uint8_t bin_of[HEAP_SHORT_PAGES];     /* length -> bin, if it is below HEAP_SHORT_PAGES */
    uint8_t long_bin_of[HEAP_LONG_STEPS]; /* else: length / HEAP_LONG_STEP -> bin */
};

extern struct heap heap;

#define HEAP_RECORD_PAGES ((uint32_t)(HEAP_WINDOW_PAGES * sizeof(struct heap_page) / PAGE_SIZE))
#define HEAP_LIVE_PAGES   (HEAP_WINDOW_PAGES * HEAP_PAGE_GRANULES / 8 / PAGE_SIZE)
#define HEAP_OBJECT_PAGES                                                                          \
    (HEAP_WINDOW_PAGES - HEAP_GUARD_PAGES - HEAP_RECORD_PAGES - HEAP_LIVE_PAGES)
#define HEAP_LIVE_START    (MAP_HEAP_END - HEAP_LIVE_PAGES * PAGE_SIZE)
#define HEAP_RECORDS_START (HEAP_LIVE_START - HEAP_RECORD_PAGES * PAGE_SIZE)

/* What page 0 would have: the origin of page numbers and granules. */
#define HEAP_ORIGIN (MAP_HEAP_START - PAGE_SIZE)

_Static_assert(sizeof(struct heap_page) == 40, "as drawn");
_Static_assert(sizeof(struct heap_class) == (sizeof(void *) == 4 ? 128 : 144), "no holes");
_Static_assert(HEAP_CLASSES < HEAP_PAGE_RUN, "classes and kinds share a byte");
_Static_assert(HEAP_WINDOW_PAGES <= UINT16_MAX, "page numbers and lengths fit a record");
_Static_assert(MAP_HEAP_END <= UINT32_MAX, "addresses fit a hand, and a link");
_Static_assert(HEAP_RECORD_PAGES *PAGE_SIZE <= HEAP_ZONES << HEAP_ZONE_SHIFT, "zones suffice");
_Static_assert(HEAP_SLOTS_MAX <= UINT8_MAX && HEAP_SLOTS_MAX <= HEAP_SLAB_WORDS * 32, "slots fit");
_Static_assert(HEAP_OBJECT_PAGES + HEAP_MAX_ALIGNMENT / PAGE_SIZE <=
                   HEAP_LONG_STEPS * HEAP_LONG_STEP,
               "every length that is asked for has a bin");
_Static_assert(HEAP_RUN_WORDS % 32 == 0, "a summary of whole words");

/*
 * Functions of the heap's own take arguments in registers, and those that are worth it are one with
 * their caller: what a call saves, pushes and passes is a third of a short path.
 */
#ifdef __i386__
#define HEAP_REGISTERS __attribute__((regparm(3)))
#else
#define HEAP_REGISTERS
#endif
#define HEAP_INLINE static inline __attribute__((always_inline))

static inline struct heap_page *heap_page(uint32_t page)
{
    return &((struct heap_page *)(uintptr_t)HEAP_RECORDS_START)[page];
}

static inline struct heap_link *heap_link_at(uint32_t address)
{
    return (struct heap_link *)(uintptr_t)address;
}

static inline uint32_t heap_link_address(const struct heap_link *link)
{
    return (uint32_t)(uintptr_t)link;
}

static inline struct heap_page *heap_record_of_link(uint32_t address)
{
    return (struct heap_page *)(uintptr_t)(address - offsetof(struct heap_page, link));
}

/* The first word of a record. */
static inline uint32_t heap_head(uint32_t kind, uint32_t rest, uint32_t count)
{
    return count | kind << 16 | rest << 24;
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

/* The address of which that is the number. */
static inline uintptr_t heap_granule_address(uintptr_t granule)
{
    return HEAP_ORIGIN + (granule << 4 | granule >> (sizeof(granule) * 8 - 4));
}

static inline uint32_t *heap_live(uint32_t word)
{
    return &((uint32_t *)(uintptr_t)HEAP_LIVE_START)[word];
}

/* The instructions that take a bit number relative to memory (Intel SDM 2A, BTS, BTR) do in one
 * what C says in six. `words`: an array, or the word itself. */
#define HEAP_SET_BIT(words, bit)   __asm__("btsl %1, %0" : "+m"(words) : "r"(bit) : "cc")
#define HEAP_CLEAR_BIT(words, bit) __asm__("btrl %1, %0" : "+m"(words) : "r"(bit) : "cc")

/* The compiler would keep two copies of an address, one without the beginning of the table. */
#define HEAP_KEEP_ADDRESS(pointer) __asm__("" : "+r"(pointer))

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

static inline void heap_tally_set(struct heap_tally *tally, uint64_t count)
{
    tally->count = count;
    tally->complement = ~count;
}

/* The bin in which a free run of this many pages is kept. */
static inline unsigned heap_bin_of(uint32_t pages)
{
    if (__builtin_expect(pages < HEAP_SHORT_PAGES, 1))
        return heap.bin_of[pages];
    return heap.long_bin_of[pages / HEAP_LONG_STEP];
}

/* run.c: pages. With interrupts off. */

void heap_index_init(void);
/* Takes the best fit out of the index, or pages from the frontier: a transit run. 0: there is none,
 * or more bookkeeping must be committed first. */
uint32_t heap_run_take(uint32_t pages);
/* The same for the pages from `first` on. False: they are not all free. */
bool heap_run_take_at(uint32_t first, uint32_t pages);
/* Makes the pages free, of which the first `committed` have frames; their records are zero. */
void heap_run_give(uint32_t first, uint32_t pages, uint32_t committed);
/* Is there a free run that ends before this page, committed in part or not at all? */
bool heap_run_is_left_partial(uint32_t first);
/* Of the free run, or untouched part, that begins there, the last cached page, which does not count
 * as cached any more; 0: there is none. */
uint32_t heap_run_uncommit_front(uint32_t first);
/* The same of any; 0: no page is cached. */
uint32_t heap_run_uncommit_any(void);

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
/* Pages that are all committed, and belong to nothing any more, become a transit run. Interrupts
 * off; their records are zero but the first two words. */
void heap_transit_begin(uint32_t first, uint32_t pages);
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
/* Nothing but no slab: what a cache is that does not exist. */
void heap_class_clear(struct heap_class *class);
uint32_t heap_class_seal(const struct heap_class *class);
/* When nothing is in hand. Turns interrupts back on. NULL: exhausted. */
HEAP_REGISTERS void *heap_class_alloc_slowly(struct heap_class *class, unsigned long saved);
/* A slot that is not live any more, and finds the hand full, goes back to its slab, and an empty
 * slab goes too. Turns interrupts back on. */
HEAP_REGISTERS void heap_slot_free(struct heap_class *class, uint32_t granule, unsigned long saved);
/* One step towards a class that keeps nothing: a slot in hand goes back, or the current slab, if
 * it is empty. Interrupts on. False: there is nothing to do. */
bool heap_class_trim_step(struct heap_class *class);

HEAP_INLINE struct heap_class *heap_class(unsigned index)
{
    struct heap_class *class = &heap.classes[index];
    HEAP_KEEP_ADDRESS(class);
    return class;
}

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

#endif
