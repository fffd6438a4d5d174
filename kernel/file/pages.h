#ifndef KERNEL_FILE_PAGES_H
#define KERNEL_FILE_PAGES_H

#include "kernel/include/types.h"

/*
 * The pages of a file by index: a radix tree of 64 ways that is only as high as the highest index
 * asks for (at most 6), so finding a page is O(1). Height 0 is a file of one page, whose frame
 * stands in the root. Frame 0 is never given out, so 0 says "no page here".
 *
 * The tree holds one reference of each frame. Not locked: the caller sees to that. Nodes come from
 * the heap.
 */
#define PAGES_NODE_SLOTS 64u

struct pages {
    uintptr_t root;
    uint32_t height; /* levels of nodes */
    uint32_t count;  /* pages present */
};

/* The frame, or 0. */
frame_t pages_get(const struct pages *pages, uint32_t index);

/* Enters a frame where there is none. 0 or -ENOMEM. */
int pages_put(struct pages *pages, uint32_t index, frame_t frame) MUST_CHECK;

/* Takes out one page from `from` on, or none; its frame is the caller's, 0: there are no more.
 * Nodes that empty from there on go. */
frame_t pages_take_last(struct pages *pages, uint32_t from);

#endif
