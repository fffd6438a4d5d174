#ifndef KERNEL_SPACE_COMMIT_H
#define KERNEL_SPACE_COMMIT_H

#include "kernel/memory/pageframe/pageframe.h"

/*
 * Commit accounting: memory that was granted is there. A charge is a promise of frames: the frame
 * allocator keeps as many free frames as are promised and not yet taken away from everybody who has
 * no promise, so
 *
 *      promised = charged pages - frames taken on those charges
 *      free frames >= promised (+ the reserve, when the promise was made)
 *
 * and a frame taken on a charge cannot be missing. Who charges: areas for their private writable
 * pages and for page tables (kernel/space), files in memory for their pages, shared memory.
 * All calls are O(1), from anywhere.
 */

extern uint32_t commit_charged; /* pages; commit.c's alone, changed by single instructions */

/* Promises `pages` frames. 0, or -ENOMEM: that many are not left. */
static inline MUST_CHECK int commit_charge(uint32_t pages)
{
    int error = pageframe_promise(pages);
    if (error == 0)
        (void)__sync_fetch_and_add(&commit_charged, pages);
    return error;
}

/* Takes back a charge whose frames were not taken, or have been given back with commit_release. */
static inline void commit_uncharge(uint32_t pages)
{
    pageframe_unpromise(pages);
    (void)__sync_fetch_and_sub(&commit_charged, pages);
}

/* Takes back a charge whose frames are others' now: commit_release left references to them. */
static inline void commit_forget(uint32_t pages)
{
    (void)__sync_fetch_and_sub(&commit_charged, pages);
}

/* A frame on a charge, content unspecified: never FRAME_NONE for those who charged it, unless
 * `where` restricts it to a zone that is full. One reference, no lock. */
frame_t commit_alloc(unsigned where, bytemap_tag_t tag) MUST_CHECK;

/* The same with every byte zero: from the frames zeroed ahead, or cleared now. */
frame_t commit_alloc_zeroed(bytemap_tag_t tag) MUST_CHECK;

/* One reference less to a frame that was taken on a charge; the last one frees it, and its page is
 * promised again: the charge stands. The references left. */
uint32_t commit_release(frame_t frame);

/* Pages charged; and how many could be if nobody used anything. For /proc/meminfo. */
uint32_t commit_charged_pages(void);
uint32_t commit_limit_pages(void);

#endif
