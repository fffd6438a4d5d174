#ifndef KERNEL_DEBUG_MONITOR_RIGHTS_H
#define KERNEL_DEBUG_MONITOR_RIGHTS_H

#include "kernel/cpu/mtrr.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"

/* "R--", "RW-", "R-X", "RWX" for PAGING_* flags. */
static inline const char *rights_name(uint32_t flags)
{
    static const char *const names[] = {"R--", "RW-", "R-X", "RWX"};
    return names[flags & (PAGING_WRITE | PAGING_EXECUTE)];
}

/* Page tables alone cannot say it without a PAT: then it is an MTRR that decides. */
static inline bool is_write_combining(uint32_t flags, paddr_t physical)
{
    return flags & PAGING_WRITE_COMBINING ||
           (flags & PAGING_UNCACHED && !platform_features.pat && mtrr_is_write_combining(physical));
}

static inline const char *rights_cache_name(uint32_t flags, paddr_t physical)
{
    return is_write_combining(flags, physical) ? "write-combining"
           : flags & PAGING_UNCACHED           ? "uncached"
                                               : "write-back";
}

_Static_assert(PAGING_WRITE == 1 && PAGING_EXECUTE == 2, "flags are the index");

#endif
