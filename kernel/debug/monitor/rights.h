#ifndef KERNEL_DEBUG_MONITOR_RIGHTS_H
#define KERNEL_DEBUG_MONITOR_RIGHTS_H

#include "kernel/memory/paging/paging.h"

/* "R--", "RW-", "R-X", "RWX" for PAGING_* flags. */
static inline const char *rights_name(uint32_t flags)
{
    static const char *const names[] = {"R--", "RW-", "R-X", "RWX"};
    return names[flags & (PAGING_WRITE | PAGING_EXECUTE)];
}

static inline const char *rights_cache_name(uint32_t flags)
{
    return flags & PAGING_UNCACHED          ? "uncached"
           : flags & PAGING_WRITE_COMBINING ? "write-combining"
                                            : "write-back";
}

_Static_assert(PAGING_WRITE == 1 && PAGING_EXECUTE == 2, "flags are the index");

#endif
