#include "kernel/thread/timer_heap.h"

/* The link to the n-th node, counted from 1, and the node above it. */
static struct timer **place_of(struct timer_heap *heap, uint32_t number, struct timer **parent)
{
    struct timer **link = &heap->root;
    unsigned highest = 31 - (unsigned)__builtin_clz(number);
    *parent = NULL;
    for (unsigned bit = highest; bit-- > 0;) {
        *parent = *link;
        link = number >> bit & 1 ? &(*link)->right : &(*link)->left;
    }
    return link;
}

static struct timer **link_to(struct timer_heap *heap, struct timer *timer)
{
    if (timer->parent == NULL)
        return &heap->root;
    return timer->parent->left == timer ? &timer->parent->left : &timer->parent->right;
}

static void adopt(struct timer *parent)
{
    if (parent->left != NULL)
        parent->left->parent = parent;
    if (parent->right != NULL)
        parent->right->parent = parent;
}

/* The timer and its parent change places. */
static void rise(struct timer_heap *heap, struct timer *timer)
{
    struct timer *parent = timer->parent;
    struct timer old = *timer;
    *link_to(heap, parent) = timer;
    timer->parent = parent->parent;
    timer->left = parent->left == timer ? parent : parent->left;
    timer->right = parent->right == timer ? parent : parent->right;
    parent->left = old.left;
    parent->right = old.right;
    adopt(parent);
    adopt(timer);
}

static void rise_to_place(struct timer_heap *heap, struct timer *timer)
{
    while (timer->parent != NULL && timer->deadline_ns < timer->parent->deadline_ns)
        rise(heap, timer);
}

static void sink_to_place(struct timer_heap *heap, struct timer *timer)
{
    for (;;) {
        struct timer *first = timer->left;
        if (timer->right != NULL && timer->right->deadline_ns < first->deadline_ns)
            first = timer->right;
        if (first == NULL || first->deadline_ns >= timer->deadline_ns)
            return;
        rise(heap, first);
    }
}

void timer_heap_add(struct timer_heap *heap, struct timer *timer)
{
    struct timer *parent;
    struct timer **link = place_of(heap, ++heap->count, &parent);
    timer->left = timer->right = NULL;
    timer->parent = parent;
    *link = timer;
    rise_to_place(heap, timer);
}

void timer_heap_remove(struct timer_heap *heap, struct timer *timer)
{
    struct timer *parent;
    struct timer **link = place_of(heap, heap->count--, &parent);
    struct timer *last = *link;
    *link = NULL;
    if (last == timer)
        return;
    last->parent = timer->parent;
    last->left = timer->left;
    last->right = timer->right;
    *link_to(heap, timer) = last;
    adopt(last);
    rise_to_place(heap, last);
    sink_to_place(heap, last);
}
