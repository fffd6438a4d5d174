#ifndef KERNEL_THREAD_MUTEX_H
#define KERNEL_THREAD_MUTEX_H

#include "kernel/thread/thread.h"
#include "kernel/thread/wait.h"

/*
 * A lock whose waiters sleep. While a thread with a higher priority waits, its holder runs with
 * that priority, along a chain of such waits too. All zeros is an open mutex. Not recursive, not in
 * interrupt handlers, not with interrupts or preemption off; a wait for it cannot be interrupted.
 */
struct mutex {
    struct thread *owner; /* NULL: open. With MUTEX_CONTESTED in it while there are waiters */
    struct wait_queue waiters;
    struct mutex *held_next; /* in the owner's list, while there are waiters */
};

/* Bit 0 of a pointer to a thread is clear. */
#define MUTEX_CONTESTED ((uintptr_t)1)

static inline struct thread *mutex_owner(const struct mutex *mutex)
{
    return (struct thread *)((uintptr_t)mutex->owner & ~MUTEX_CONTESTED);
}

/* A dozen instructions while nobody disputes it; else O(priorities that waiters have), and the
 * length of a chain of holders who wait. */

void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

/* 0, or -EBUSY: somebody has it. Also with preemption off. */
int mutex_try_lock(struct mutex *mutex) MUST_CHECK;

static inline bool mutex_is_mine(const struct mutex *mutex)
{
    return mutex_owner(mutex) == thread_current();
}

#endif
