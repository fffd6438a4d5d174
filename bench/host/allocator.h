#ifndef BENCH_HOST_ALLOCATOR_H
#define BENCH_HOST_ALLOCATOR_H

#include "kernel/include/types.h"

/* What the heap traces run against. */
struct heap_allocator {
    const char *name;
    /* Starts afresh, where that is possible, with a pool of so many bytes; POOL_TOUCHED: and takes
     * and gives back 60 MiB, so that whatever is kept for later use is there. */
    void (*start)(size_t pool_bytes, unsigned flags);
    void *(*alloc)(size_t bytes);
    void (*free)(void *object);
    void *(*realloc)(void *object, size_t bytes);
    uintptr_t pool_start; /* of the lowest object's address; 0: objects lie anywhere */
    /* Of the pool, in bytes: what bookkeeping outside the objects' addresses takes now, and the
     * most that was ever taken from it. NULL: not known. */
    size_t (*bookkeeping_bytes)(void);
    size_t (*peak_bytes)(void);
    /* Pages that were committed and given back, together, since the start. NULL: not known. */
    uint64_t (*pages_moved)(void);
    void (*check)(void); /* NULL: it has no validator */
};

#define POOL_TOUCHED (1u << 0)

extern const struct heap_allocator heap_ours, heap_system, heap_nothing;

/* What the frame traces run against. Frames are numbers below FRAME_COUNT; blocks of 2^order. */
#define FRAME_COUNT 262144u

struct frame_allocator {
    const char *name;
    void (*start)(void);
    int (*alloc)(unsigned order); /* the first frame; -1: none */
    void (*free)(int frame, unsigned order);
    unsigned highest_order;
    size_t (*metadata_bytes)(void); /* everything counted */
    void (*check)(void);
};

extern const struct frame_allocator frame_ours, frame_stack, frame_buddy, frame_buddy_cached;

#endif
