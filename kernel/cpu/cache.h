#ifndef KERNEL_CPU_CACHE_H
#define KERNEL_CPU_CACHE_H

#include "kernel/cpu/registers.h"
#include "kernel/memory/platform.h"

/*
 * Around a change of memory types (Intel SDM 3A, 11.11.8 and 11.12.4): interrupts, caches and
 * global translations are off between the two calls, and caches and TLB empty at both ends.
 */
struct cache_state {
    unsigned long interrupts;
    uint32_t cr0, cr4;
};

static inline struct cache_state cache_stop(void)
{
    struct cache_state saved = {platform_interrupts_save(), read_cr0(), read_cr4()};
    write_cr0((saved.cr0 & ~CR0_NW) | CR0_CD);
    __asm__ volatile("wbinvd" : : : "memory");
    write_cr4(saved.cr4 & ~CR4_PGE);
    write_cr3(read_cr3());
    return saved;
}

static inline void cache_resume(struct cache_state saved)
{
    __asm__ volatile("wbinvd" : : : "memory");
    write_cr3(read_cr3());
    write_cr0(saved.cr0 & ~(CR0_CD | CR0_NW));
    write_cr4(saved.cr4);
    platform_interrupts_restore(saved.interrupts);
}

#endif
