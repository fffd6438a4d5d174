#ifndef KERNEL_CPU_TRAP_H
#define KERNEL_CPU_TRAP_H

/* Exceptions (Intel SDM 3A, 6.3.1) that the code names. */
#define TRAP_DEBUG         1
#define TRAP_NMI           2
#define TRAP_BREAKPOINT    3
#define TRAP_OVERFLOW      4
#define TRAP_DOUBLE_FAULT  8
#define TRAP_PAGE_FAULT    14
#define TRAP_FPU           16
#define TRAP_MACHINE_CHECK 18
#define TRAP_SIMD          19
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
    return trap_is_from_user(frame) ? frame->user_esp : (uint32_t)(uintptr_t)&frame->user_esp;
}

/* Intel's name of an exception: "page fault"; "exception" for the reserved ones. */
const char *trap_name(uint32_t vector);

/* Interrupt descriptor table with all exceptions and interrupt lines, and one stub for the rest. */
void trap_init(void);

/*
 * What others do about traps; NULL is nothing, or a panic. They are called with interrupts off, and
 * return so.
 */
struct trap_hooks {
    void (*after_interrupt)(void); /* of the 8259s: somebody else may run now */
    /* A page fault in the kernel: true if the instruction can be made again. */
    bool (*kernel_page_fault)(struct trap_frame *frame, uint32_t address);
    /* An exception in user mode; CR2 is the address. */
    void (*user_exception)(struct trap_frame *frame, uint32_t address);
    void (*before_user)(struct trap_frame *frame); /* the frame goes back to user mode */
};
extern struct trap_hooks trap_hooks;

/* Whether the exception table says where to go on after a fault at this place. */
bool trap_can_recover(const struct trap_frame *frame);

/* The vector's gate leads to `entry`, which users may call (INT); interrupts stay as they are. */
void trap_set_call(uint32_t vector, void (*entry)(void));

/* Leaves the stack for good, by this frame. Interrupts are off. */
_Noreturn void trap_resume(struct trap_frame *frame);

/* How often a vector came that nobody has asked for. */
uint32_t trap_other_count(void);

/* entry.S calls them with interrupts off: for an interrupt line, and for all else. */
void trap_interrupt(struct trap_frame *frame);
void trap_dispatch(struct trap_frame *frame);

#endif
#endif
