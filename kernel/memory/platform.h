#ifndef KERNEL_MEMORY_PLATFORM_H
#define KERNEL_MEMORY_PLATFORM_H

#include "kernel/include/types.h"

/*
 * The one door between the memory tree and the machine. The kernel implements these
 * (kernel/cpu/platform_inline.h), host tests fake them (tests/unit/host/platform.c), an embedder
 * supplies them. Define PLATFORM_INLINE to a header that gives them as static inline functions;
 * otherwise they are ordinary functions.
 */

/* What the processor can do; constant after platform start-up. Sources: Intel SDM 2A, CPUID; SDM
 * 3A, 4.1. */
struct platform_features {
    bool no_execute;       /* CPUID 0x80000001 EDX.20, and EFER.NXE is set */
    bool global_pages;     /* CPUID 1 EDX.13, and CR4.PGE is set */
    bool pat;              /* CPUID 1 EDX.16, and the PAT was loaded: 0 WB, 1 WC, 2 UC-, 3 UC */
    uint8_t physical_bits; /* width of a physical address, 32 to 52 */
};

extern struct platform_features platform_features;

#ifdef PLATFORM_INLINE
#include PLATFORM_INLINE
#else

/* Turns interrupts off and returns what platform_interrupts_restore needs to put them back. May
 * nest. */
unsigned long platform_interrupts_save(void);
void platform_interrupts_restore(unsigned long saved);

/* A pointer through which the frame's 4096 bytes can be read and written. Precondition: the frame
 * is managed RAM inside the direct view (below frame PLATFORM_DIRECT_FRAMES). The frames of one run
 * are adjacent there. */
void *platform_frame_pointer(frame_t frame);

/* Forgets the processor's translation of one page (INVLPG), global ones too. */
void platform_tlb_flush_page(uintptr_t address);

/* Forgets every translation, global ones too (CR4.PGE toggled, or CR3 reloaded where there are
 * none). */
void platform_tlb_flush_all(void);

/* Makes the four-entry table at this physical address, below 4 GiB and 32-byte aligned, the current
 * one (CR3). */
void platform_load_root(paddr_t root);

#endif

/* A line for the log. The text is complete; the platform adds what its log wants (time, newline).
 */
void platform_log(const char *format, ...) PRINTF_LIKE(1, 2);

/* The memory tree's own invariant is broken: say so and never return. */
_Noreturn void platform_panic(const char *file, int line, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Always-on cheap checks of our own invariants; never of a caller's input, which gets an error
 * instead. */
#define MEMORY_ASSERT(condition)                                                                   \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            platform_panic(__FILE__, __LINE__, "assertion failed: %s", #condition);                \
    } while (0)

#endif
