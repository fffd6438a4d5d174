#ifndef KERNEL_THREAD_RUN_QUEUE_H
#define KERNEL_THREAD_RUN_QUEUE_H

#include "kernel/thread/thread.h"

/*
 * The threads that are ready, in order. Pure: no lock, no clock; whoever calls has interrupts off.
 *
 *      real_time[99] ... real_time[1]   one list a priority
 *      fair[active]                     threads with some of their slice left
 *      fair[!active]                    threads that used theirs up, with a new one
 *
 * Bit p of `occupied` is set if and only if real_time[p] has somebody, and bit w of occupied_words
 * if and only if occupied[w] has a bit.
 *
 * The two fair queues change places when the active one is empty, so nobody starves, and a thread
 * that slept comes back before those who did not. Every call is O(1).
 */
struct thread_queue {
    struct thread *first; /* of a ring: its ready_previous is the last. NULL: nobody */
};

#define RUN_QUEUE_PRIORITIES 100

struct run_queue {
    struct thread_queue real_time[RUN_QUEUE_PRIORITIES]; /* [0] stays empty */
    uint32_t occupied[(RUN_QUEUE_PRIORITIES + 31) / 32];
    uint32_t occupied_words;
    struct thread_queue fair[2];
    unsigned active;
    uint32_t count;
};

enum run_queue_end { RUN_QUEUE_FRONT, RUN_QUEUE_BACK };

/* A thread without a slice gets one, and goes to the back; a fair one, of the next round. */
void run_queue_add(struct run_queue *queue, struct thread *thread, enum run_queue_end end);
void run_queue_remove(struct run_queue *queue, struct thread *thread);

/* Who should run, or NULL. It stays where it is. */
struct thread *run_queue_first(struct run_queue *queue);

/* Who should run, or NULL. It leaves the queue. */
struct thread *run_queue_take(struct run_queue *queue);

/*
 * Who should run instead of `running`, which is not in the queue and stays ready, behind its
 * equals: the first of all leaves the queue, and `running` is in it. NULL, and nothing changes: all
 * who are there have less priority.
 */
struct thread *run_queue_exchange(struct run_queue *queue, struct thread *running);

/* Whether `first` should run instead of `running`, which is not in the queue. Among fair threads,
 * one with a slice takes over only from one that has none. */
static inline bool run_queue_precedes(const struct thread *first, const struct thread *running)
{
    if (first->effective_priority != running->effective_priority)
        return first->effective_priority > running->effective_priority;
    return running->slice_left == 0 && running->policy != THREAD_FIFO;
}

/* Ticks that a thread gets: nice -20 twice THREAD_SLICE_TICKS, 19 one. */
uint16_t run_queue_slice(const struct thread *thread);

/* Links, bits and the count agree. */
bool run_queue_is_sound(const struct run_queue *queue);

#endif
