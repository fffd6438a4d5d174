#include "bench/host/machine.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"

#define HEAP_RAM_FRAMES 0x10000u /* 256 MiB: more than the window and its page tables */
#define TAG_HOARDED     BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)

static uint32_t free_frames(void)
{
    struct pageframe_statistics statistics;
    pageframe_read_statistics(&statistics);
    return statistics.free_frames;
}

/* From the top, in large runs first: what is left is one piece. */
static void hoard_frames(uint32_t left)
{
    uint32_t step = 1024;
    while (free_frames() > left) {
        uint32_t surplus = free_frames() - left;
        while (step > surplus)
            step /= 2;
        if (pageframe_alloc_run(step, 1, FRAME_NONE, PAGEFRAME_ANYWHERE, TAG_HOARDED) == FRAME_NONE)
            step /= 2;
        if (step == 0)
            fail("the pool cannot be cut to %u frames", left);
    }
}

void machine_start_heap(uint32_t pool_frames)
{
    /* The window first, before anything else is mapped there by chance. */
    machine_reserve((void *)MAP_HEAP_START, MAP_HEAP_END - MAP_HEAP_START);
    machine_start_frames(HEAP_RAM_FRAMES, HEAP_RAM_FRAMES);
    if (paging_init() != 0)
        fail("paging_init failed");
    paging_load(&paging_kernel);
    hoard_frames(pool_frames);
    if (heap_init() != 0)
        fail("heap_init failed");
    machine_check_heap = heap_check;
}
