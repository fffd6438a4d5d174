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
    struct thread *owner; /* NULL: open */
    struct wait_queue waiters;
    struct mutex *held_next; /* in the owner's list, while there are waiters */
};

void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

/* 0, or -EBUSY: somebody has it. Also with preemption off. */
int mutex_try_lock(struct mutex *mutex) MUST_CHECK;

static inline bool mutex_is_mine(const struct mutex *mutex)
{
    return mutex->owner == thread_current();
}

#endif
