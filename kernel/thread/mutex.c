#include "kernel/thread/mutex.h"

#include "kernel/include/errors.h"
#include "kernel/include/panic.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/internal.h"

/*
 * A thread's effective priority is the highest of its own and those of the first waiters of the
 * mutexes that it holds. Only mutexes with waiters are in its list, so a lock and an unlock that
 * nobody disputes touch one field.
 */
static uint8_t lent_priority(const struct thread *thread)
{
    uint8_t highest = thread->base_priority;
    for (const struct mutex *mutex = thread->held; mutex != NULL; mutex = mutex->held_next)
        if (mutex->waiters.first->thread->effective_priority > highest)
            highest = mutex->waiters.first->thread->effective_priority;
    return highest;
}

/* Along the chain of who waits for whom, until nothing changes. */
void mutex_update_priority(struct thread *thread)
{
    while (thread != NULL) {
        uint8_t priority = lent_priority(thread);
        if (priority == thread->effective_priority)
            return;
        schedule_set_priority(thread, priority);
        if (thread->waits_for == NULL)
            return;
        wait_move(thread->waits_at);
        thread = thread->waits_for->owner;
    }
}

static void list_add(struct thread *owner, struct mutex *mutex)
{
    mutex->held_next = owner->held;
    owner->held = mutex;
}

static void list_remove(struct thread *owner, const struct mutex *mutex)
{
    struct mutex **link = &owner->held;
    while (*link != mutex)
        link = &(*link)->held_next;
    *link = mutex->held_next;
}

/* The lock is handed over: who wakes owns it. */
static void wait_for(struct mutex *mutex)
{
    struct wait_entry entry;
    bool is_first = wait_is_empty(&mutex->waiters);
    wait_begin();
    wait_add(&mutex->waiters, &entry);
    if (is_first)
        list_add(mutex->owner, mutex);
    thread_now->waits_for = mutex;
    thread_now->waits_at = &entry;
    mutex_update_priority(mutex->owner);
    while (mutex->owner != thread_now)
        if (wait_block(0, WAIT_FOREVER) != 0)
            panic("a wait that nothing ends was ended");
    thread_now->waits_for = NULL;
}

void mutex_lock(struct mutex *mutex)
{
    unsigned long saved = platform_interrupts_save();
    if (mutex->owner == thread_now)
        panic("thread '%s' locks a mutex that it holds", thread_now->name);
    if (mutex->owner == NULL)
        mutex->owner = thread_now;
    else
        wait_for(mutex);
    platform_interrupts_restore(saved);
}

int mutex_try_lock(struct mutex *mutex)
{
    unsigned long saved = platform_interrupts_save();
    int error = mutex->owner != NULL ? -EBUSY : 0;
    if (error == 0)
        mutex->owner = thread_now;
    platform_interrupts_restore(saved);
    return error;
}

/* To the waiter with the highest priority, to whom the others now lend theirs. */
static void hand_over(struct mutex *mutex)
{
    struct thread *next = mutex->waiters.first->thread;
    list_remove(thread_now, mutex);
    mutex->owner = next;
    next->waits_for = NULL;
    wait_wake_one(&mutex->waiters);
    if (!wait_is_empty(&mutex->waiters)) {
        list_add(next, mutex);
        mutex_update_priority(next);
    }
    mutex_update_priority(thread_now);
}

void mutex_unlock(struct mutex *mutex)
{
    unsigned long saved = platform_interrupts_save();
    if (mutex->owner != thread_now)
        panic("thread '%s' unlocks a mutex that it does not hold", thread_now->name);
    if (wait_is_empty(&mutex->waiters))
        mutex->owner = NULL;
    else
        hand_over(mutex);
    schedule_restore(saved);
}
