#ifndef KERNEL_CPU_PLATFORM_INLINE_H
#define KERNEL_CPU_PLATFORM_INLINE_H

#include "kernel/cpu/registers.h"
#include "kernel/memory/memory.h"

/* kernel/memory/platform.h for this processor; the contracts are there. */

static inline unsigned long platform_interrupts_save(void)
{
    unsigned long flags;
    __asm__ volatile("pushfl\n\tpopl %0\n\tcli" : "=r"(flags) : : "memory");
    return flags;
}

static inline void platform_interrupts_restore(unsigned long saved)
{
    __asm__ volatile("pushl %0\n\tpopfl" : : "g"(saved) : "memory", "cc");
}

static inline void *platform_frame_pointer(frame_t frame)
{
    return (void *)(MAP_DIRECT_START + frame * FRAME_SIZE);
}

static inline void platform_tlb_flush_page(uintptr_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* Clearing PGE forgets global translations too (Intel SDM 3A, 4.10.4.1). */
static inline void platform_tlb_flush_all(void)
{
    uint32_t cr4 = read_cr4();
    if (cr4 & CR4_PGE) {
        write_cr4(cr4 & ~CR4_PGE);
        write_cr4(cr4);
    } else {
        write_cr3(read_cr3());
    }
}

static inline void platform_load_root(paddr_t root)
{
    write_cr3((uint32_t)root);
}

#endif
