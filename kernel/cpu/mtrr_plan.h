#ifndef KERNEL_CPU_MTRR_PLAN_H
#define KERNEL_CPU_MTRR_PLAN_H

#include "kernel/include/types.h"

/*
 * What variable memory type range registers should hold so that one range is write-combining. Pure:
 * the registers are kernel/cpu/mtrr.c's.
 *
 * One register covers one block: a power of two of bytes, at a multiple of itself. The block used
 * is the smallest that holds the range. A device's memory is such a block too (PCI 3.0, 6.2.5.1),
 * so the smallest one around a part of it never reaches into anything else.
 *
 * Firmware often covers all device memory by one uncached block, and uncached wins wherever types
 * overlap (Intel SDM 3A, 11.11.4.1). Then that block is cut: halved until the half that holds ours
 * is ours, each other half staying uncached in a register of its own.
 *
 *      uncached  |               R               |
 *      becomes   |       UC      | UC | WC |  UC  |      log2(R / WC) + 1 registers
 */
enum mtrr_type { MTRR_UNCACHED = 0, MTRR_WRITE_COMBINING = 1, MTRR_WRITE_BACK = 6 };

/* The architecture allows 255 registers, processors have 8 to 20; those beyond are left alone. */
#define MTRR_BLOCKS_MAX 32

#define MTRR_MASK_VALID (1u << 11)

/* Register n holds block n; bytes 0: not in use; base a multiple of bytes, a power of two. */
struct mtrr_block {
    uint64_t base, bytes;
    uint8_t type;
};

struct mtrr_block mtrr_block_around(uint64_t start, uint64_t end);

/*
 * The block that a pair of registers describes (Intel SDM 3A, 11.11.2.3), on a processor with so
 * many address bits. Ones that are missing at a mask's top are meant: there is firmware that thinks
 * of 32 bits where the processor has 36. A mask with a hole describes more than one block; such a
 * pair counts as one that covers everything, so that nothing is planned around it.
 */
struct mtrr_block mtrr_block_read(uint64_t base, uint64_t mask, unsigned address_bits);

/*
 * Changes blocks so that [start, end), 0 < end - start, is write-combining and every other address
 * has the type that it had. 0; -EALREADY: it is, and nothing changed; -EBUSY: blocks overlap it
 * that are neither the one uncached block around it nor write-combining, nothing changed; -ENOSPC:
 * too few registers are free, nothing changed.
 */
int mtrr_plan(struct mtrr_block *blocks, unsigned count, uint64_t start, uint64_t end) MUST_CHECK;

#endif
