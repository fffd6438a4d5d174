#include "kernel/thread/mutex.h"

#include "kernel/include/errors.h"
#include "kernel/include/panic.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/internal.h"

/*
 * A thread's effective priority is the highest of its own and those of the first waiters of the
 * mutexes that it holds. Only mutexes with waiters are in its list, so a lock and an unlock that
 * nobody disputes touch one field, and do it in one instruction:
 *
 *      owner       waiters     in the owner's list
 *      0           none        no
 *      A           none        no                      A unlocks by A -> 0
 *      A | 1       some        yes                     by handing it over
 *
 * Everything but 0 -> A and A -> 0 happens with interrupts off, and one processor runs at a time,
 * so the instruction needs no bus lock.
 */
static inline bool exchange_owner(struct mutex *mutex, struct thread *from, struct thread *to)
{
    bool is_done;
    __asm__ volatile("cmpxchgl %3, %1"
                     : "=@ccz"(is_done), "+m"(mutex->owner), "+a"(from)
                     : "r"(to)
                     : "memory");
    return is_done;
}

static inline struct thread *contested(struct thread *owner)
{
    return (struct thread *)((uintptr_t)owner | MUTEX_CONTESTED);
}

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
        thread = mutex_owner(thread->waits_for);
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
    struct thread *owner = mutex_owner(mutex);
    struct wait_entry entry;
    wait_begin();
    wait_add(&mutex->waiters, &entry);
    if (mutex->owner == owner) {
        mutex->owner = contested(owner);
        list_add(owner, mutex);
    }
    thread_now->waits_for = mutex;
    thread_now->waits_at = &entry;
    mutex_update_priority(owner);
    while (mutex_owner(mutex) != thread_now)
        if (wait_block(0, WAIT_FOREVER) != 0)
            panic("a wait that nothing ends was ended");
    thread_now->waits_for = NULL;
}

static __attribute__((noinline)) void lock_held(struct mutex *mutex)
{
    unsigned long saved = platform_interrupts_save();
    if (mutex_is_mine(mutex))
        panic("thread '%s' locks a mutex that it holds", thread_now->name);
    if (!exchange_owner(mutex, NULL, thread_now))
        wait_for(mutex);
    platform_interrupts_restore(saved);
}

void mutex_lock(struct mutex *mutex)
{
    if (!exchange_owner(mutex, NULL, thread_now))
        lock_held(mutex);
}

int mutex_try_lock(struct mutex *mutex)
{
    return exchange_owner(mutex, NULL, thread_now) ? 0 : -EBUSY;
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
        mutex->owner = contested(next);
        list_add(next, mutex);
        mutex_update_priority(next);
    }
    mutex_update_priority(thread_now);
}

static __attribute__((noinline)) void unlock_contested(struct mutex *mutex)
{
    unsigned long saved = platform_interrupts_save();
    if (!mutex_is_mine(mutex))
        panic("thread '%s' unlocks a mutex that it does not hold", thread_now->name);
    hand_over(mutex);
    schedule_restore(saved);
}

void mutex_unlock(struct mutex *mutex)
{
    if (!exchange_owner(mutex, thread_now, NULL))
        unlock_contested(mutex);
}
