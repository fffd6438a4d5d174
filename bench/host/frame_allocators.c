#include "bench/host/allocator.h"
#include "bench/host/machine.h"
#include "kernel/memory/pageframe/internal.h"

#define TAG        BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)
#define RAM_FRAMES 1024u /* no trace looks at a frame's content */

static void ours_start(void)
{
    machine_start_frames(FRAME_COUNT, RAM_FRAMES);
}

static int ours_alloc(unsigned order)
{
    frame_t frame = order == 0 ? pageframe_alloc(PAGEFRAME_ANYWHERE, TAG)
                               : pageframe_alloc_run(1u << order, 1u << order, FRAME_NONE,
                                                     PAGEFRAME_ANYWHERE, TAG);
    return (int)frame; /* FRAME_NONE is -1 */
}

static void ours_free(int frame, unsigned order)
{
    int error = order == 0 ? pageframe_free((frame_t)frame)
                           : pageframe_free_run((frame_t)frame, 1u << order);
    if (error != 0)
        fail("frame %d, order %u: refused with %d", frame, order, error);
}

static size_t ours_metadata_bytes(void)
{
    return bytemap_storage_bytes(FRAME_COUNT) + pageframe_storage_bytes(FRAME_COUNT) +
           sizeof(pageframe) + sizeof(bytemap);
}

const struct frame_allocator frame_ours = {
    .name = "ours",
    .start = ours_start,
    .alloc = ours_alloc,
    .free = ours_free,
    .highest_order = 9,
    .metadata_bytes = ours_metadata_bytes,
    .check = machine_check,
};
