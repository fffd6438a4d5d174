#ifndef KERNEL_SPACE_BACKING_H
#define KERNEL_SPACE_BACKING_H

#include "kernel/include/types.h"

/*
 * What an area shows that is not private anonymous memory: a file, an object of shared memory. An
 * object embeds a struct backing. Each area that shows it has one reference (hold, drop); the
 * object outlives its areas. Pages are counted from the object's start.
 */
struct backing;

/* Who it is, for /proc. A name that is NULL is none. */
struct backing_description {
    uint32_t device; /* as st_dev */
    uint64_t inode;
    const char *name; /* valid as long as the backing is held */
};

struct backing_ops {
    /*
     * The frame of a page, with one reference for the caller (pageframe_release gives it back).
     * 0, -ENOMEM, -ERANGE (beyond the end: SIGBUS), -EIO. `access` tells whether a shared mapping
     * is about to write to it. May sleep; called with the space's lock held, so it must not touch
     * user memory. A frame stays the page's frame as long as anybody has a reference to it.
     */
    int (*page)(struct backing *backing, uint32_t index, uint32_t access, frame_t *frame);
    void (*hold)(struct backing *backing);
    void (*drop)(struct backing *backing); /* may sleep */
    void (*describe)(struct backing *backing, struct backing_description *description);
};

#define BACKING_READ  0u
#define BACKING_WRITE 1u

struct backing {
    const struct backing_ops *ops;
};

#endif
