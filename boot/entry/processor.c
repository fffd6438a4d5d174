#include "boot/entry/processor.h"

#include "boot/entry/console.h"

#define EFLAGS_ID        (1u << 21) /* can be changed where there is CPUID */
#define CPUID_1_EDX_PAE  (1u << 6)
#define CPUID_1_EDX_CMOV (1u << 15) /* what an i686 has beyond its predecessors */

static bool has_cpuid(void)
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
                     : "i"(EFLAGS_ID)
                     : "cc");
    return (before ^ after) & EFLAGS_ID;
}

static uint32_t cpuid_features(void)
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

void processor_check(void)
{
    if (!has_cpuid())
        console_fail("this processor has no CPUID instruction; 32RTOS needs an i686 with PAE.");
    uint32_t features = cpuid_features();
    if (!(features & CPUID_1_EDX_PAE))
        console_fail("this processor has no PAE; 32RTOS needs an i686 with PAE.");
    if (!(features & CPUID_1_EDX_CMOV))
        console_fail("this processor is no i686; 32RTOS needs an i686 with PAE.");
}
