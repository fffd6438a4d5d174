#include "kernel/cpu/mtrr_plan.h"

#include "kernel/include/errors.h"

/* What lies beyond no processor addresses. */
#define BYTES_MAX (1ull << 52)

struct mtrr_block mtrr_block_around(uint64_t start, uint64_t end)
{
    uint64_t bytes = 4096; /* a register's least */
    while (bytes < BYTES_MAX && start / bytes != (end - 1) / bytes)
        bytes *= 2;
    return (struct mtrr_block){start / bytes * bytes, bytes, MTRR_WRITE_COMBINING};
}

struct mtrr_block mtrr_block_read(uint64_t base, uint64_t mask, unsigned address_bits)
{
    const uint64_t addresses = ((1ull << address_bits) - 1) & ~0xFFFull;
    if (!(mask & MTRR_MASK_VALID))
        return (struct mtrr_block){0};
    mask &= addresses;
    uint64_t bytes = mask & -mask;
    uint64_t missing = addresses & ~mask & -bytes;
    if (bytes == 0 || (missing & -missing) > mask || missing == 0)
        return (struct mtrr_block){base & mask, bytes != 0 ? bytes : addresses + 4096,
                                   (uint8_t)base};
    return (struct mtrr_block){0, addresses + 4096, MTRR_WRITE_BACK};
}

static bool overlap(const struct mtrr_block *a, const struct mtrr_block *b)
{
    return a->base < b->base + b->bytes && b->base < a->base + a->bytes;
}

static bool contains(const struct mtrr_block *outer, const struct mtrr_block *inner)
{
    return outer->bytes >= inner->bytes && overlap(outer, inner);
}

static unsigned count_free(const struct mtrr_block *blocks, unsigned count)
{
    unsigned found = 0;
    for (unsigned i = 0; i < count; i++)
        found += blocks[i].bytes == 0;
    return found;
}

static void put(struct mtrr_block *blocks, struct mtrr_block block)
{
    while (blocks->bytes != 0)
        blocks++;
    *blocks = block;
}

/* Blocks either nest or are apart, so halving arrives at the wanted one. */
static int cut(struct mtrr_block *blocks, unsigned count, struct mtrr_block *around,
               struct mtrr_block wanted)
{
    struct mtrr_block rest = *around;
    unsigned needed = 1;
    for (uint64_t bytes = rest.bytes; bytes > wanted.bytes; bytes /= 2)
        needed++;
    if (needed > count_free(blocks, count) + 1)
        return -ENOSPC;
    around->bytes = 0;
    while (rest.bytes > wanted.bytes) {
        struct mtrr_block other = rest;
        rest.bytes /= 2;
        other.bytes /= 2;
        if (wanted.base < rest.base + rest.bytes)
            other.base += other.bytes;
        else
            rest.base += rest.bytes;
        put(blocks, other);
    }
    put(blocks, wanted);
    return 0;
}

int mtrr_plan(struct mtrr_block *blocks, unsigned count, uint64_t start, uint64_t end)
{
    const struct mtrr_block wanted = mtrr_block_around(start, end);
    struct mtrr_block *around = NULL;
    for (unsigned i = 0; i < count; i++) {
        if (blocks[i].bytes == 0 || !overlap(&blocks[i], &wanted))
            continue;
        if (around != NULL || !contains(&blocks[i], &wanted))
            return -EBUSY;
        around = &blocks[i];
    }
    if (around != NULL && around->type == MTRR_WRITE_COMBINING)
        return -EALREADY;
    if (around != NULL)
        return around->type == MTRR_UNCACHED ? cut(blocks, count, around, wanted) : -EBUSY;
    if (count_free(blocks, count) == 0)
        return -ENOSPC;
    put(blocks, wanted);
    return 0;
}
