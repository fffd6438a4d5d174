#include "kernel/cpu/page.h"

#include "kernel/space/internal.h"

/*
 * The contents of frames. Those of the direct view are there; the others are looked at through a
 * temporary view, for which there is a reserve of address space: the row has room for thousands.
 */
#define DIRECT_FRAMES ((uint32_t)((MAP_DIRECT_END - MAP_DIRECT_START) / FRAME_SIZE))

static void *view(frame_t frame)
{
    void *memory;
    if (frame < DIRECT_FRAMES)
        return platform_frame_pointer(frame);
    memory = paging_map_temporary(frame, 1, PAGING_WRITE);
    MEMORY_ASSERT(memory != NULL);
    return memory;
}

static void unview(frame_t frame, void *memory)
{
    if (frame >= DIRECT_FRAMES)
        paging_unmap_temporary(memory, 1);
}

void page_clear(frame_t frame)
{
    void *memory = view(frame);
    cpu_page_clear(memory);
    unview(frame, memory);
}

void page_copy(frame_t to, frame_t from)
{
    void *target = view(to), *source = view(from);
    cpu_page_copy(target, source);
    unview(from, source);
    unview(to, target);
}

void page_write(frame_t frame, uint32_t offset, const void *from, uint32_t bytes)
{
    unsigned char *memory = view(frame);
    memcpy(memory + offset, from, bytes);
    unview(frame, memory);
}

void page_read(frame_t frame, uint32_t offset, void *to, uint32_t bytes)
{
    unsigned char *memory = view(frame);
    memcpy(to, memory + offset, bytes);
    unview(frame, memory);
}
