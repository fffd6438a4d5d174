#ifndef KERNEL_CPU_TRAP_H
#define KERNEL_CPU_TRAP_H

/* Exceptions (Intel SDM 3A, 6.3.1) that the code names. */
#define TRAP_NMI           2
#define TRAP_DOUBLE_FAULT  8
#define TRAP_PAGE_FAULT    14
#define TRAP_MACHINE_CHECK 18
#define TRAP_EXCEPTIONS    32
#define TRAP_VECTORS       48           /* the exceptions, then the interrupt lines */
#define TRAP_OTHER         TRAP_VECTORS /* stands for every vector from here to 255 */

#ifndef __ASSEMBLER__

#include "kernel/include/types.h"

/* What kernel/cpu/entry.S leaves on the stack, from the lowest address up. */
struct trap_frame {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, esp_in_entry, ebx, edx, ecx, eax;
    uint32_t vector;
    uint32_t error; /* 0 where the processor pushes none */
    uint32_t eip, cs, eflags;
    uint32_t user_esp, user_ss; /* only if the trap came from user mode */
};

/* Error code of a page fault (Intel SDM 3A, 4.7). */
#define PAGE_FAULT_PRESENT     (1u << 0)
#define PAGE_FAULT_WRITE       (1u << 1)
#define PAGE_FAULT_USER        (1u << 2)
#define PAGE_FAULT_RESERVED    (1u << 3)
#define PAGE_FAULT_INSTRUCTION (1u << 4)

static inline bool trap_is_from_user(const struct trap_frame *frame)
{
    return frame->cs & 3;
}

/* The stack pointer that the interrupted code had. */
static inline uint32_t trap_stack_pointer(const struct trap_frame *frame)
{
    return trap_is_from_user(frame) ? frame->user_esp : (uint32_t)&frame->user_esp;
}

/* Intel's name of an exception: "page fault"; "exception" for the reserved ones. */
const char *trap_name(uint32_t vector);

/* Interrupt descriptor table with all exceptions and interrupt lines, and one stub for the rest. */
void trap_init(void);

/* How often a vector came that nobody has asked for. */
uint32_t trap_other_count(void);

/* entry.S calls it with interrupts off. */
void trap_dispatch(struct trap_frame *frame);

#endif
#endif
