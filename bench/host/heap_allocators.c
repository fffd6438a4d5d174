#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "bench/host/allocator.h"
#include "bench/host/machine.h"
#include "kernel/memory/heap/heap.h"

#define TOUCHED_BYTES (60u << 20)

static void touch_pool(void *(*alloc)(size_t), void (*release)(void *))
{
    void *everything = alloc(TOUCHED_BYTES);
    if (everything == NULL)
        fail("no object of %u bytes", TOUCHED_BYTES);
    memset(everything, 1, TOUCHED_BYTES);
    release(everything);
}

static void ours_start(size_t pool_bytes, unsigned flags)
{
    machine_start_heap((uint32_t)(pool_bytes / FRAME_SIZE));
    if (flags & POOL_TOUCHED)
        touch_pool(kmalloc, kfree);
}

static size_t ours_bookkeeping_bytes(void)
{
    struct heap_statistics statistics;
    heap_read_statistics(&statistics);
    return statistics.bookkeeping_bytes;
}

static size_t ours_peak_bytes(void)
{
    struct heap_statistics statistics;
    heap_read_statistics(&statistics);
    return statistics.peak_committed_bytes;
}

const struct heap_allocator heap_ours = {
    .name = "ours",
    .start = ours_start,
    .alloc = kmalloc,
    .free = kfree,
    .realloc = krealloc,
    .pool_start = MAP_HEAP_START,
    .bookkeeping_bytes = ours_bookkeeping_bytes,
    .peak_bytes = ours_peak_bytes,
    .pages_moved = machine_frames_moved,
    .check = machine_check,
};

/* The C library's, or what is preloaded in its place. It keeps what it was given, as a pool does.
 */
static void system_start(size_t pool_bytes, unsigned flags)
{
    (void)pool_bytes;
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 2000000000);
    mallopt(M_TOP_PAD, 0);
    if (flags & POOL_TOUCHED)
        touch_pool(malloc, free);
}

const struct heap_allocator heap_system = {
    .name = "system",
    .start = system_start,
    .alloc = malloc,
    .free = free,
    .realloc = realloc,
};

/* Allocates nothing: what callgrind counts here is what the measuring itself takes. */
static void nothing_start(size_t pool_bytes, unsigned flags)
{
    (void)pool_bytes;
    (void)flags;
}

static unsigned char nothing_object[64] __attribute__((used));

void *nothing_alloc(size_t bytes);
void nothing_free(void *object);
__asm__(".text\n"
        "nothing_alloc: movl $nothing_object, %eax\n"
        "nothing_free: ret\n");

static void *nothing_realloc(void *object, size_t bytes)
{
    (void)bytes;
    return object;
}

const struct heap_allocator heap_nothing = {
    .name = "nothing",
    .start = nothing_start,
    .alloc = nothing_alloc,
    .free = nothing_free,
    .realloc = nothing_realloc,
};
