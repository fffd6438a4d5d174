#ifndef KERNEL_MEMORY_BYTEMAP_INTERNAL_H
#define KERNEL_MEMORY_BYTEMAP_INTERNAL_H

#include "kernel/memory/bytemap/bytemap.h"

/* The map itself, for bytemap.c, for pageframe's paths of a few instructions, and for tests that
 * plant faults. */
struct bytemap {
    uint8_t *bytes;      /* frames of them */
    uint32_t frames;     /* the map's size */
    uint32_t count[256]; /* count[b]: how many frames have byte b */
};

extern struct bytemap bytemap;

/* One frame whose byte the caller has already read: the short form of bytemap_set. */
static inline void bytemap_change_one(frame_t frame, bytemap_tag_t from, bytemap_tag_t to)
{
    bytemap.bytes[frame] = to;
    bytemap.count[from]--;
    bytemap.count[to]++;
}

/* Frames of the map whose bytes the caller knows to be `from`: bytemap_set without the reading. */
void bytemap_change_run(frame_t first, uint32_t count, bytemap_tag_t from, bytemap_tag_t to);

#endif
