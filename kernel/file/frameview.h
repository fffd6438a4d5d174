#ifndef KERNEL_FILE_FRAMEVIEW_H
#define KERNEL_FILE_FRAMEVIEW_H

#include "kernel/memory/memory.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"

/* A pointer to a frame's bytes, wherever it is: the direct view, or above it a temporary one. NULL:
 * no room for a view. */
static inline bool frame_is_direct(frame_t frame)
{
    return frame < (MAP_DIRECT_END - MAP_DIRECT_START) / FRAME_SIZE;
}

static inline uint8_t *frame_view_open(frame_t frame)
{
    if (frame_is_direct(frame))
        return platform_frame_pointer(frame);
    return paging_map_temporary(frame, 1, PAGING_WRITE);
}

static inline void frame_view_close(frame_t frame, uint8_t *view)
{
    if (!frame_is_direct(frame))
        paging_unmap_temporary(view, 1);
}

#endif
