#ifndef KERNEL_CPU_CPU_H
#define KERNEL_CPU_CPU_H

#include "kernel/include/types.h"

/*
 * The processor. What it has comes from CPUID (Intel SDM 2A, CPUID; AMD APM 3, appendix E); what is
 * on was switched on only after CPUID said that it is there, because a write of an unsupported bit
 * faults on one machine and hangs another.
 */
enum cpu_feature {
    CPU_PAE,
    CPU_NX,
    CPU_PGE,
    CPU_PAT,
    CPU_WP,
    CPU_SMEP,
    CPU_SMAP,
    CPU_UMIP,
    CPU_MCE,
    CPU_MCA,
    CPU_PSE,
    CPU_PSE36,
    CPU_TSC,
    CPU_FXSR,
    CPU_SSE,
    CPU_APIC,
    CPU_MTRR,
    CPU_FEATURE_COUNT
};

struct cpu_description {
    char vendor[13];
    char name[49]; /* the brand string, "" where there is none */
    unsigned family, model, stepping;
    unsigned physical_bits;
    uint32_t has; /* bit 1 << enum cpu_feature */
    uint32_t on;  /* of those that can be switched on, which are */
};

/* Finds out, switches on, fills platform_features; own GDT, TSS and IDT. The log gets a line. Once,
 * at start. */
void cpu_init(void);

const struct cpu_description *cpu_description(void);
const char *cpu_feature_name(enum cpu_feature feature);

static inline bool cpu_has(enum cpu_feature feature)
{
    return cpu_description()->has >> feature & 1;
}

/* Reads four bytes that may not be there: false (and *value unchanged) instead of a fault. From
 * anywhere. */
bool cpu_try_read(const void *address, uint32_t *value);

/* Writes four bytes to where that may not be allowed: false instead of a fault. */
bool cpu_try_write(void *address, uint32_t value);

/* The double fault's task runs in this address space (CR3) from now on. */
void cpu_set_kernel_root(paddr_t root);

/* Leaves the current stack for good: runs `run`, which never returns, on the stack below `top`. */
_Noreturn void cpu_switch_stack(uint32_t top, void (*run)(void));

void cpu_interrupts_on(void);

/* The time-stamp counter; only where there is one. */
static inline uint64_t cpu_read_tsc(void)
{
    uint64_t value;
    __asm__ volatile("rdtsc" : "=A"(value));
    return value;
}

/* Waits for an interrupt; they are on afterwards. */
void cpu_idle(void);

#endif
