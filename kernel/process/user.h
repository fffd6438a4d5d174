#ifndef KERNEL_PROCESS_USER_H
#define KERNEL_PROCESS_USER_H

/*
 * The border to user mode. A user thread's registers lie in a trap frame at the end of its kernel
 * stack whenever it is in the kernel, whatever brought it there; a system call's has vector
 * USER_CALL_VECTOR and the number in `error`.
 */
#define USER_CALL_VECTOR 0x80

#ifndef __ASSEMBLER__

#include "kernel/cpu/trap.h"
#include "kernel/process/linux.h"
#include "kernel/thread/thread.h"

static inline struct trap_frame *user_frame_of(const struct thread *thread)
{
    return (struct trap_frame *)(thread->stack_end - THREAD_STACK_PAD) - 1;
}

/* Of the running thread, which is a user's. */
static inline struct trap_frame *process_user_frame(void)
{
    return user_frame_of(thread_current());
}

/* Registers as a program finds them at its start. */
void user_frame_init(struct trap_frame *frame, uint32_t entry, uint32_t stack);

/* Signals, other threads, the end: what comes before user mode. Interrupts off, and again at the
 * end. */
void user_before(struct trap_frame *frame);

/* For a new user thread: goes to user mode by its frame. */
_Noreturn void user_enter(void);

/* thread_create's function for user threads. */
void user_run(void *unused);

/* set_thread_area: 0 or -EINVAL; a free slot is chosen for entry number -1, and written there. */
int user_set_thread_area(struct thread *thread, struct linux_user_desc *description) MUST_CHECK;
int user_get_thread_area(const struct thread *thread,
                         struct linux_user_desc *description) MUST_CHECK;

/* The running thread's FPU registers become the state of another. */
void user_copy_fpu(struct thread *thread);

/* exec: fresh FPU registers, no TLS. */
void user_reset_machine(void);

/* Hooks of the traps. */
void user_init(void);

#endif
#endif
