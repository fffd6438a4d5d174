#ifndef KERNEL_CPU_REGISTERS_H
#define KERNEL_CPU_REGISTERS_H

/* Control registers, model-specific registers and flags (Intel SDM 3A, 2.5; 4). */
#define CR0_MP                    (1u << 1)
#define CR0_EM                    (1u << 2)
#define CR0_TS                    (1u << 3)
#define CR0_NE                    (1u << 5)
#define CR0_WP                    (1u << 16)
#define CR0_NW                    (1u << 29)
#define CR0_CD                    (1u << 30)
#define CR0_PG                    (1u << 31)

#define CR4_PSE                   (1u << 4)
#define CR4_PAE                   (1u << 5)
#define CR4_MCE                   (1u << 6)
#define CR4_PGE                   (1u << 7)
#define CR4_OSFXSR                (1u << 9)
#define CR4_OSXMMEXCPT            (1u << 10)
#define CR4_UMIP                  (1u << 11)
#define CR4_SMEP                  (1u << 20)
#define CR4_SMAP                  (1u << 21)

#define EFLAGS_ALWAYS             (1 << 1) /* reads as one, whatever is written */
#define EFLAGS_TF                 (1u << 8)
#define EFLAGS_IF                 (1u << 9)
#define EFLAGS_DF                 (1u << 10)
#define EFLAGS_AC                 (1u << 18)

#define MSR_MCG_CAP               0x179
#define MSR_MCG_CTL               0x17B
#define MSR_PAT                   0x277
#define MSR_APIC_BASE             0x1B
#define APIC_BASE_ENABLED         (1u << 11)
#define MSR_MTRR_CAPABILITY       0xFE
#define MSR_MTRR_BASE_0           0x200 /* then its mask; two for each register */
#define MSR_MTRR_MASK_0           0x201
#define MSR_MTRR_DEFAULT          0x2FF
#define MSR_MC0_CTL               0x400 /* then STATUS, ADDRESS, MISC; four for each bank */
#define MSR_EFER                  0xC0000080
#define EFER_NXE                  (1u << 11)

#define SELECTOR_CODE             0x08
#define SELECTOR_DATA             0x10
#define SELECTOR_TSS              0x18
#define SELECTOR_DOUBLE_FAULT_TSS 0x20
/* Of users, at the places where Linux has them (i386, asm/segment.h): three slots for thread-local
 * storage, which set_thread_area fills, and flat code and data. */
#define SELECTOR_TLS_FIRST 0x30
#define SELECTOR_TLS_COUNT 3
#define SELECTOR_USER_CODE 0x73
#define SELECTOR_USER_DATA 0x7B
#define SELECTOR_COUNT     16

#ifndef __ASSEMBLER__

#include "kernel/include/types.h"

#define DEFINE_CONTROL_REGISTER(name)                                                              \
    static inline uint32_t read_##name(void)                                                       \
    {                                                                                              \
        uint32_t value;                                                                            \
        __asm__ volatile("movl %%" #name ", %0" : "=r"(value) : : "memory");                       \
        return value;                                                                              \
    }                                                                                              \
    static inline void write_##name(uint32_t value)                                                \
    {                                                                                              \
        __asm__ volatile("movl %0, %%" #name : : "r"(value) : "memory");                           \
    }

DEFINE_CONTROL_REGISTER(cr0)
DEFINE_CONTROL_REGISTER(cr2)
DEFINE_CONTROL_REGISTER(cr3)
DEFINE_CONTROL_REGISTER(cr4)
#undef DEFINE_CONTROL_REGISTER

static inline uint64_t read_msr(uint32_t number)
{
    uint64_t value;
    __asm__ volatile("rdmsr" : "=A"(value) : "c"(number) : "memory");
    return value;
}

static inline void write_msr(uint32_t number, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "A"(value), "c"(number) : "memory");
}

static inline uint32_t read_eflags(void)
{
    uint32_t value;
    __asm__ volatile("pushfl\n\tpopl %0" : "=r"(value) : : "memory");
    return value;
}

#endif
#endif
