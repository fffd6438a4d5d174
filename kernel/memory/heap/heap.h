#ifndef KERNEL_MEMORY_HEAP_HEAP_H
#define KERNEL_MEMORY_HEAP_HEAP_H

#include "kernel/memory/check.h"
#include "kernel/memory/memory.h"

/*
 * The allocator of the whole system's objects, in the heap's window. Pages are committed on demand
 * and given back when they empty. Bookkeeping lies apart from the objects. Every call is O(1), plus
 * one frame and one page-table entry for each page that it commits or gives back, and may be made
 * from interrupt handlers.
 */
#define HEAP_ALIGNMENT     16u /* of every object; the smallest has 16 bytes */
#define HEAP_MAX_ALIGNMENT 0x200000u

/* Takes the first pages of the bookkeeping, which lies at the end of the window. After paging_init,
 * with paging_kernel loaded. 0, -ENOMEM. */
int heap_init(void) MUST_CHECK;

/* NULL: exhausted (window, frames, or frames for tables), or size is 0 or cannot be had. Content
 * unspecified. */
void *kmalloc(size_t size) __attribute__((malloc, alloc_size(1))) MUST_CHECK;

/* count * size bytes, all zero; NULL also when the product overflows. */
void *kcalloc(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2))) MUST_CHECK;

/* Alignment is a power of two up to HEAP_MAX_ALIGNMENT, else NULL. Freed by kfree. */
void *kmalloc_aligned(size_t size, size_t alignment)
    __attribute__((malloc, alloc_size(1))) MUST_CHECK;

/* In place where possible (shrinks always, grows where the size class or the next pages allow).
 * NULL leaves the object as it was. object NULL: kmalloc. size 0: kfree, returns NULL. A wrong
 * object: refused as kfree does, NULL. */
void *krealloc(void *object, size_t size) __attribute__((alloc_size(2))) MUST_CHECK;

/* NULL is nothing. Double, foreign, interior and misaligned frees are recognised, refused, counted,
 * and logged with the caller; nothing changes and execution goes on. */
void kfree(void *object);

/* Bytes that may be used, at least what was asked for; 0 for what is not an object. */
size_t ksize(const void *object);

/* A cache of equal objects, with slabs of its own: `name` is kept by reference. Sizes up to 4096
 * bytes, alignment a power of two up to a page. NULL: 40 caches exist, or sizes that make no sense.
 * Its objects are freed with heap_cache_free only; for kfree they are foreign. */
struct heap_cache;
struct heap_cache *heap_cache_create(const char *name, size_t size, size_t alignment) MUST_CHECK;
void *heap_cache_alloc(struct heap_cache *cache) MUST_CHECK;
void heap_cache_free(struct heap_cache *cache,
                     void *object); /* refuses an object of another cache */
int heap_cache_destroy(struct heap_cache *cache) MUST_CHECK; /* -EBUSY while objects live */

enum heap_misuse {
    HEAP_DOUBLE_FREE,     /* free already, or pages that held something and do not any more */
    HEAP_FOREIGN_FREE,    /* outside the window's used part; another cache's; no object's bytes */
    HEAP_INTERIOR_FREE,   /* inside an object, not at its start */
    HEAP_MISALIGNED_FREE, /* not at any possible start */
    HEAP_MISUSE_COUNT
};

struct heap_statistics {
    uint64_t allocations, frees, failures;
    uint64_t misuses[HEAP_MISUSE_COUNT];
    uint32_t objects;       /* live */
    size_t live_bytes;      /* as ksize counts them */
    size_t committed_bytes; /* pages of the window with a frame: the sum of the next five */
    size_t slab_bytes, run_bytes, bookkeeping_bytes, cached_bytes, guarded_bytes;
    size_t peak_committed_bytes;
    size_t window_bytes;
};
/* Bytes of pages and misuses are of one moment. Of each class, what was allocated and freed is; a
 * handler that comes between two classes may have changed others. */
void heap_read_statistics(struct heap_statistics *statistics);

/* One row for each size class and cache: for `heap top`. The index runs from 0; false after the
 * last. */
struct heap_class_statistics {
    const char *name; /* a cache's name, or NULL for a size class */
    size_t object_bytes;
    uint32_t live, slabs;
    size_t committed_bytes;
};
bool heap_read_class(unsigned index, struct heap_class_statistics *statistics);

/* Visits every live object in ascending order of address, until visit returns false. O(window). */
typedef bool (*heap_visitor)(void *context, void *object, size_t bytes);
void heap_visit(heap_visitor visit, void *context);

/* Gives back every page that holds no object and was kept for speed, and bookkeeping beyond the
 * highest object, page by page, with interrupts on in between. What is kept is bounded by a
 * constant, and each page of it is found at once. Returns how many. */
uint32_t heap_trim(void);

/* Slabs, runs, bitmaps and counters agree with each other; every committed page has a frame in
 * state heap and the other way round; committed = slabs + runs + bookkeeping + cached + guarded. */
void heap_check(struct check *check);

#endif
