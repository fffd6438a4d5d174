#ifndef KERNEL_LIB_PROCESSOR_H
#define KERNEL_LIB_PROCESSOR_H

#include "kernel/include/types.h"

/*
 * What the kernel demands of the processor, for those who may refuse it: the loader, while it can
 * still say so on the text screen, and the kernel's start, for other loaders. A header, so that it
 * is compiled for the processor that its user runs on, which is an 80386.
 */
#define PROCESSOR_EFLAGS_ID (1u << 21)

/* CPUID 1, EDX (Intel SDM 2A, CPUID). */
#define PROCESSOR_PAE  (1u << 6)
#define PROCESSOR_CX8  (1u << 8)
#define PROCESSOR_CMOV (1u << 15)

/* CPUID exists where the ID flag can be changed (Intel SDM 1, 3.4.3.3). The flags stay. */
static inline bool processor_has_cpuid(void)
{
    uint32_t before, after;
    __asm__ volatile("pushfl\n\t"
                     "popl %0\n\t"
                     "movl %0, %1\n\t"
                     "xorl %2, %1\n\t"
                     "pushl %1\n\t"
                     "popfl\n\t"
                     "pushfl\n\t"
                     "popl %1\n\t"
                     "pushl %0\n\t"
                     "popfl"
                     : "=&r"(before), "=&r"(after)
                     : "i"(PROCESSOR_EFLAGS_ID)
                     : "cc");
    return (before ^ after) & PROCESSOR_EFLAGS_ID;
}

/* EDX of CPUID 1; 0 where there is no such leaf. */
static inline uint32_t processor_features(void)
{
    uint32_t eax = 0, ebx, ecx = 0, edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (eax < 1)
        return 0;
    eax = 1;
    ecx = 0;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return edx;
}

/* NULL where the kernel can run, else the sentence that says why not. */
static inline const char *processor_refusal(void)
{
    if (!processor_has_cpuid())
        return "this processor has no CPUID instruction; an i686 with PAE is needed.";
    uint32_t features = processor_features();
    if (!(features & PROCESSOR_PAE))
        return "this processor has no physical address extension (PAE), which is needed.";
    if (!(features & PROCESSOR_CX8) || !(features & PROCESSOR_CMOV))
        return "this processor is older than the i686 that is needed.";
    return NULL;
}

#endif
