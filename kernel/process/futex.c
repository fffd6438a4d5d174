#include "kernel/process/futex.h"

#include "kernel/include/errors.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"
#include "kernel/process/process.h"
#include "kernel/space/space.h"
#include "kernel/space/usercopy.h"

#define BUCKETS 64u

/* Private: the space and the address. Shared: the frame, and the place in it. */
struct key {
    uintptr_t object;
    uint32_t place;
};

struct waiter {
    struct waiter *next, *previous;
    struct key key;
    uint32_t mask;
    struct wait_queue queue;
    bool is_woken;
};

/* Waiters in order of arrival; interrupts off. */
static struct bucket {
    struct waiter *first, *last;
} buckets[BUCKETS];

static struct bucket *bucket_of(struct key key)
{
    return &buckets[((uint32_t)key.object / 64 + key.place / 4) % BUCKETS];
}

static bool is_shared_area(void *context, const struct space_area *area)
{
    uint32_t *address = context;
    if (*address < area->start || !(area->flags & MAP_SHARED))
        *address = 0;
    return false;
}

/* The word was just read, so that its page is there. */
static struct key key_of(uint32_t address)
{
    struct space *space = process_current()->space;
    uint32_t shared = address;
    space_visit_areas(space, address, 0, is_shared_area, &shared);
    if (shared != 0) {
        struct paging_translation page = paging_query(space_paging(space), address);
        if (page.present)
            return (struct key){frame_of(page.physical), address % FRAME_SIZE | 1u};
    }
    return (struct key){(uintptr_t)space, address};
}

static bool is_same(struct key a, struct key b)
{
    return a.object == b.object && a.place == b.place;
}

static void enter(struct waiter *waiter)
{
    struct bucket *bucket = bucket_of(waiter->key);
    waiter->next = NULL;
    waiter->previous = bucket->last;
    if (bucket->last != NULL)
        bucket->last->next = waiter;
    else
        bucket->first = waiter;
    bucket->last = waiter;
}

static void leave(struct waiter *waiter)
{
    struct bucket *bucket = bucket_of(waiter->key);
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        bucket->first = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    else
        bucket->last = waiter->previous;
}

static int find(uint32_t address, uint32_t *value, struct key *key)
{
    if (address % sizeof(uint32_t) != 0)
        return -EINVAL;
    if (space_read_user32(value, address) != 0)
        return -EFAULT;
    *key = key_of(address);
    return 0;
}

/* The word is looked at once more when nothing can come between that and the wait. A page that
 * vanished meanwhile was taken away by another thread: then there is nothing to wait for. */
int futex_wait(uint32_t address, uint32_t expected, uint32_t mask, uint64_t deadline_ns)
{
    struct waiter waiter = {.mask = mask};
    uint32_t value;
    int error = mask != 0 ? find(address, &value, &waiter.key) : -EINVAL;
    if (error != 0)
        return error;
    unsigned long saved = platform_interrupts_save();
    enter(&waiter);
    platform_interrupts_restore(saved);
    if (space_read_user32(&value, address) != 0)
        error = -EFAULT;
    saved = platform_interrupts_save();
    if (error == 0 && value != expected)
        error = -EAGAIN;
    while (error == 0 && !waiter.is_woken)
        error = wait_sleep(&waiter.queue, WAIT_INTERRUPTIBLE, deadline_ns);
    if (waiter.is_woken)
        error = error == -EAGAIN || error == -EFAULT ? error : 0;
    else
        leave(&waiter);
    platform_interrupts_restore(saved);
    return error;
}

static int32_t wake(struct key key, uint32_t count, uint32_t mask)
{
    uint32_t woken = 0;
    struct waiter *next;
    for (struct waiter *waiter = bucket_of(key)->first; waiter != NULL && woken < count;
         waiter = next) {
        next = waiter->next;
        if (!is_same(waiter->key, key) || !(waiter->mask & mask))
            continue;
        leave(waiter);
        waiter->is_woken = true;
        wait_wake_all(&waiter->queue);
        woken++;
    }
    return (int32_t)woken;
}

int32_t futex_wake(uint32_t address, uint32_t count, uint32_t mask)
{
    uint32_t value;
    struct key key;
    int error = mask != 0 ? find(address, &value, &key) : -EINVAL;
    if (error != 0)
        return error;
    unsigned long saved = platform_interrupts_save();
    int32_t woken = wake(key, count, mask);
    thread_interrupts_restore(saved);
    return woken;
}

static int32_t move(struct key from, struct key to, uint32_t count)
{
    uint32_t moved = 0;
    struct waiter *next;
    for (struct waiter *waiter = bucket_of(from)->first; waiter != NULL && moved < count;
         waiter = next) {
        next = waiter->next;
        if (!is_same(waiter->key, from))
            continue;
        leave(waiter);
        waiter->key = to;
        enter(waiter);
        moved++;
    }
    return (int32_t)moved;
}

int32_t futex_requeue(uint32_t address, uint32_t woken, uint32_t moved, uint32_t to,
                      const uint32_t *expected)
{
    uint32_t value, other;
    struct key from_key, to_key;
    int error = find(address, &value, &from_key);
    if (error == 0)
        error = find(to, &other, &to_key);
    if (error != 0)
        return error;
    if (expected != NULL && value != *expected)
        return -EAGAIN;
    unsigned long saved = platform_interrupts_save();
    int32_t count = wake(from_key, woken, UINT32_MAX);
    if (!is_same(from_key, to_key))
        count += move(from_key, to_key, moved);
    thread_interrupts_restore(saved);
    return count;
}
