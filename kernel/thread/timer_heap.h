#ifndef KERNEL_THREAD_TIMER_HEAP_H
#define KERNEL_THREAD_TIMER_HEAP_H

#include "kernel/thread/clock.h"

/*
 * Timers by deadline: a complete binary tree with the earliest at its root, linked through the
 * timers themselves, so setting one needs no memory. The place of the n-th node is written in the
 * bits of n below its highest one: 0 goes left, 1 goes right. Pure. All O(log n).
 */
struct timer_heap {
    struct timer *root;
    uint32_t count;
};

void timer_heap_add(struct timer_heap *heap, struct timer *timer);
void timer_heap_remove(struct timer_heap *heap, struct timer *timer);

static inline struct timer *timer_heap_first(const struct timer_heap *heap)
{
    return heap->root;
}

#endif
