#ifndef KERNEL_SPACE_TRANSFER_H
#define KERNEL_SPACE_TRANSFER_H

#include "kernel/include/types.h"

/*
 * Where the bytes of a read go to, or those of a write come from: a cursor over pieces of user
 * memory or of the kernel's. What file operations take, so that read, readv and the kernel's own
 * reads are one path.
 */
struct transfer_piece {
    uintptr_t base; /* a user address, or a pointer */
    size_t bytes;
};

enum transfer_memory { TRANSFER_KERNEL, TRANSFER_USER };

struct transfer {
    enum transfer_memory memory;
    const struct transfer_piece *piece; /* the one that the cursor is in */
    size_t done;                        /* bytes of it */
    size_t left;                        /* bytes in all, from the cursor on */
    struct transfer_piece single;       /* for one piece without an array */
};

/* The pieces are kept by reference; their sum must fit size_t. */
void transfer_init(struct transfer *transfer, enum transfer_memory memory,
                   const struct transfer_piece *pieces, uint32_t count);

/* One piece. */
static inline void transfer_init_single(struct transfer *transfer, enum transfer_memory memory,
                                        uintptr_t base, size_t bytes)
{
    transfer->memory = memory;
    transfer->piece = &transfer->single;
    transfer->done = 0;
    transfer->left = transfer->single.bytes = bytes;
    transfer->single.base = base;
}

static inline void transfer_init_user(struct transfer *transfer, uint32_t address, size_t bytes)
{
    transfer_init_single(transfer, TRANSFER_USER, address, bytes);
}

static inline void transfer_init_kernel(struct transfer *transfer, void *memory, size_t bytes)
{
    transfer_init_single(transfer, TRANSFER_KERNEL, (uintptr_t)memory, bytes);
}

static inline size_t transfer_left(const struct transfer *transfer)
{
    return transfer->left;
}

/*
 * Moves min(bytes, left) bytes and the cursor. Bytes moved; fewer, if user memory ended before;
 * -EFAULT if it ended before the first one. May fault and so sleep: no spinning, no lock that a
 * fault may need (the space's, the tree's).
 */
int32_t transfer_put(struct transfer *transfer, const void *data, size_t bytes) MUST_CHECK;
int32_t transfer_get(struct transfer *transfer, void *data, size_t bytes) MUST_CHECK;

/* The same with zeros. */
int32_t transfer_put_zeros(struct transfer *transfer, size_t bytes) MUST_CHECK;

#endif
