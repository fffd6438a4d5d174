#ifndef KERNEL_CPU_MTRR_H
#define KERNEL_CPU_MTRR_H

#include "kernel/include/types.h"

/* Memory type range registers (Intel SDM 3A, 11.11), for processors that have no PAT. */

/*
 * Makes physical [start, end) write-combining for pages that paging maps so (PCD alone). It may
 * reach further, up to the smallest block around it: mtrr_plan.h. 0; -ENODEV: the processor has no
 * such registers, or not this type, or the firmware left them off; -EBUSY, -ENOSPC: mtrr_plan.h.
 * Flushes the caches; milliseconds. Boot only.
 */
int mtrr_set_write_combining(paddr_t start, paddr_t end) MUST_CHECK;

/* Whether a page that is mapped write-combining without a PAT is that at this address. */
bool mtrr_is_write_combining(paddr_t address);

#endif
