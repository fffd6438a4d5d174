#ifndef BENCH_HOST_PLATFORM_INLINE_H
#define BENCH_HOST_PLATFORM_INLINE_H

/*
 * kernel/memory/platform.h for measurements on the host: what the machine would do costs nothing
 * here, so that what is left is the memory tree's own work. RAM is a reservation of address space
 * of host_ram_mask + 1 frames, a power of two; frame numbers beyond it wrap, so that the frame
 * allocator can be given more frames than a process has room for.
 */
extern unsigned char *host_ram;
extern uint32_t host_ram_mask;

/* The compiler must not move memory accesses across these, as it must not in the kernel. */
static inline unsigned long platform_interrupts_save(void)
{
    __asm__ volatile("" : : : "memory");
    return 0;
}

static inline void platform_interrupts_restore(unsigned long saved)
{
    (void)saved;
    __asm__ volatile("" : : : "memory");
}

static inline void *platform_frame_pointer(frame_t frame)
{
    return host_ram + (frame & host_ram_mask) * FRAME_SIZE;
}

static inline void platform_tlb_flush_page(uintptr_t address)
{
    (void)address;
}

static inline void platform_tlb_flush_all(void)
{
}

static inline void platform_load_root(paddr_t root)
{
    (void)root;
}

#endif
