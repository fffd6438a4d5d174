#ifndef KERNEL_THREAD_INTERNAL_H
#define KERNEL_THREAD_INTERNAL_H

#include "kernel/cpu/registers.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/run_queue.h"
#include "kernel/thread/thread.h"
#include "kernel/thread/wait.h"

/* For the files of this folder. All with interrupts off. */

/* The running thread leaves the processor until it is made ready again. Its state is set. */
void schedule_away(void);

/* A thread that waits becomes ready; whoever has less priority is asked to give way. */
void schedule_ready(struct thread *thread);

/* Another effective priority, wherever the thread is. */
void schedule_set_priority(struct thread *thread, uint8_t priority);

/* Gives way if somebody should run instead, and preemption is on. */
void schedule_give_way(void);

/* Interrupts as they were, after giving way where that is possible. */
static inline void schedule_restore(unsigned long saved)
{
    if (saved & EFLAGS_IF && thread_now->work & THREAD_WORK_SWITCH)
        schedule_give_way();
    platform_interrupts_restore(saved);
}

/* At a tick, from its interrupt. Calls the functions of the timers that are due. No timer is before
 * the time-stamp counter says timers_quiet_until; 0: not known, or there is no such counter. */
void timers_look(void);
extern uint64_t timers_quiet_until;

/* The waiter leaves its place and comes to the one of its new priority. */
void wait_move(struct wait_entry *entry);

/* Removes the entry from its queue and makes the thread ready with this result. */
void wait_finish(struct thread *thread, int result);

/* Its effective priority, from its own and from what waiters lend; and so on for whom it waits. */
void mutex_update_priority(struct thread *thread);

/* The idle thread's life. */
_Noreturn void idle_run(void *unused);

#endif
