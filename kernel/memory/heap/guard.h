#ifndef KERNEL_MEMORY_HEAP_GUARD_H
#define KERNEL_MEMORY_HEAP_GUARD_H

#include "kernel/memory/heap/internal.h"
#include "kernel/memory/heap/owner.h"

/*
 * The guard's own structures: for the heap's files and its tests.
 *
 * The guard's part of the window lies between the objects' and the bookkeeping, out of reach of
 * granules: so a guarded object that is freed looks wrong to the short path, and is recognised on
 * the way to its refusal. The part has two sizes of places, each with an unmapped page behind it,
 * and one in front of all:
 *
 *   HEAP_GUARD_START
 *   |////|    |////|    |////|  ...  |                |////|                |////|
 *         ^one page  ^128 of these    ^16 pages         ^8 of these
 *
 *   |////////////| pattern |  object  | pat |//////|       an object of a page and a half,
 *                ^page     ^aligned   ^size ^end            at the end of a place of 16
 *
 * A place is free (used before or not), busy while pages come or go, or holds a live object. Free
 * ones wait in a queue and are taken oldest first: that is the quarantine. Who had a place stays
 * written down until it is taken again.
 */
#define HEAP_GUARD_SMALL      128u
#define HEAP_GUARD_LARGE      8u
#define HEAP_GUARD_PLACES     (HEAP_GUARD_SMALL + HEAP_GUARD_LARGE)
#define HEAP_GUARD_MAX_PAGES  (HEAP_GUARD_MAX / PAGE_SIZE)
#define HEAP_GUARD_START      (HEAP_RECORDS_START - HEAP_GUARD_PAGES * PAGE_SIZE)
#define HEAP_GUARD_LARGE_PAGE (1 + HEAP_GUARD_SMALL * 2) /* where the large places begin */

_Static_assert(HEAP_GUARD_PAGES ==
                   HEAP_GUARD_LARGE_PAGE + HEAP_GUARD_LARGE * (HEAP_GUARD_MAX_PAGES + 1),
               "the part of the window is what its places need");

enum heap_guard_state { HEAP_GUARD_FREE, HEAP_GUARD_BUSY, HEAP_GUARD_LIVE };

struct heap_guard_place {
    struct heap_owner owner;
    struct heap_cache *cache; /* NULL: kfree frees it */
    uint16_t pages;           /* committed, at the end of the place */
    uint16_t state;
    uint32_t seal; /* over all that is above */
};

/* Free places, oldest first: a ring. */
struct heap_guard_queue {
    uint16_t first, count;
    uint16_t places[HEAP_GUARD_SMALL];
};

struct heap_guard {
    uint32_t every;     /* 0: off */
    uint32_t countdown; /* objects until the next that is guarded */
    uint32_t committed, objects;
    size_t live_bytes;
    struct heap_tally allocations, frees, skipped, damages;
    struct heap_guard_queue queues[2]; /* small, large */
    struct heap_guard_place places[HEAP_GUARD_PLACES];
};

extern struct heap_guard heap_guard;

void heap_guard_init(void);

/* One more object is wanted, of this cache (or NULL), while the guard is on: a guarded one, if it
 * is its turn, there is a place, and there are frames. NULL: not this time. Interrupts on. */
void *heap_guard_sample(size_t size, size_t alignment, struct heap_cache *cache,
                        const void *caller);

/* Whether the heap's own calls ask heap_guard_sample: in debug builds the layer above does. */
static inline bool heap_guard_is_on(void)
{
    return HEAP_DEBUG == 0 && heap_guard.every != 0;
}

static inline bool heap_guard_holds(const void *object)
{
    return (uintptr_t)object - HEAP_GUARD_START < HEAP_GUARD_PAGES * PAGE_SIZE;
}

/* Frees a guarded object. False: it is none, or not one of this cache. Interrupts on. */
bool heap_guard_free(void *object, const struct heap_cache *cache, const void *caller);
/* What is wrong with freeing an address that the guard holds. */
enum heap_misuse heap_guard_misuse(const void *object, const struct heap_cache *cache);
/* Bytes of a live guarded object that kfree would free; 0: it is none. */
size_t heap_guard_bytes(const void *object);
/* As ksize: of caches' objects, too. */
size_t heap_guard_size(const void *object);
/* Moves a live guarded object; as krealloc. `moved`: what kmalloc gave for it. */
void *heap_guard_move(void *object, void *moved, size_t size, const void *caller);
bool heap_guard_has_objects_of(const struct heap_cache *cache);
bool heap_guard_owner_of(uintptr_t address, struct heap_owner *owner);
/* False: the visitor wants no more. */
bool heap_guard_visit(heap_visitor visit, void *context);
void heap_guard_count(struct heap_statistics *statistics);

/* Whether a page is mapped as it should be is asked through a pointer: the guard comes with every
 * heap, and must not bring the walk of the page tables along, which an embedder may not have. */
enum heap_page_expectation { HEAP_PAGE_COMMITTED, HEAP_PAGE_UNCOMMITTED };
typedef void (*heap_page_checker)(struct check *check, uintptr_t address,
                                  enum heap_page_expectation expectation);
void heap_guard_check(struct check *check, heap_page_checker check_page);

#endif
