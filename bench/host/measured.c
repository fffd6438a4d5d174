#include "bench/host/measured.h"

/* Where a callgrind that counts starts and stops: so never inlined, and the empty assembly keeps
 * the calls from becoming jumps. */
#define MEASURED     __attribute__((noinline))
#define NO_TAIL_CALL __asm__ volatile("" : : : "memory")

void *measured_alloc(const struct heap_allocator *allocator, size_t bytes)
{
    void *object = allocator->alloc(bytes);
    NO_TAIL_CALL;
    return object;
}

void measured_free(const struct heap_allocator *allocator, void *object)
{
    allocator->free(object);
    NO_TAIL_CALL;
}

void *measured_realloc(const struct heap_allocator *allocator, void *object, size_t bytes)
{
    void *moved = allocator->realloc(object, bytes);
    NO_TAIL_CALL;
    return moved;
}
