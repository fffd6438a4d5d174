#include "kernel/file/locks.h"

#include "kernel/file/internal.h"
#include "kernel/include/errors.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"

/*
 * Locks stand in the bucket of their inode. Invariants: the ranges of one owner on one file do not
 * overlap, and those that touch have different types. Whoever has locks has the file open, so the
 * inode outlives them.
 */
#define BUCKETS         64u
#define DEADLOCK_DEPTH  32
#define LOCKS_PER_OWNER 1024 /* no program needs more, and the heap is everybody's */

struct lock {
    struct lock *next;
    struct inode *inode;
    struct lock_request what;
};

/* Who waits for whom; on the stack of the one who waits. */
struct lock_waiter {
    struct lock_waiter *next;
    const void *owner, *blocker;
};

static struct mutex table_lock;
static struct lock *buckets[BUCKETS];
static uint32_t count;
static struct lock_waiter *waiters;
static struct wait_queue changed;
static uint32_t changes; /* how often a lock went or shrank */

static struct lock **bucket_of(const struct inode *inode)
{
    return &buckets[inode->number % BUCKETS];
}

static bool overlap(const struct lock_request *a, const struct lock_request *b)
{
    return a->start < b->end && b->start < a->end;
}

static bool are_in_conflict(const struct lock *lock, const struct inode *inode,
                            const struct lock_request *request)
{
    return lock->inode == inode && lock->what.kind == request->kind &&
           lock->what.owner != request->owner && overlap(&lock->what, request) &&
           (lock->what.type == F_WRLCK || request->type == F_WRLCK);
}

static struct lock *find_conflict(struct inode *inode, const struct lock_request *request)
{
    for (struct lock *lock = *bucket_of(inode); lock != NULL; lock = lock->next)
        if (are_in_conflict(lock, inode, request))
            return lock;
    return NULL;
}

static void add(struct lock *lock, struct inode *inode, const struct lock_request *what)
{
    lock->inode = inode;
    lock->what = *what;
    lock->next = *bucket_of(inode);
    *bucket_of(inode) = lock;
    count++;
}

static void remove(struct lock **link)
{
    struct lock *lock = *link;
    *link = lock->next;
    kfree(lock);
    count--;
}

static bool is_own(const struct lock *lock, const struct inode *inode,
                   const struct lock_request *request)
{
    return lock->inode == inode && lock->what.kind == request->kind &&
           lock->what.owner == request->owner;
}

static uint32_t count_own(struct inode *inode, const struct lock_request *request)
{
    uint32_t own = 0;
    for (struct lock *lock = *bucket_of(inode); lock != NULL; lock = lock->next)
        own += is_own(lock, inode, request);
    return own;
}

/* The owner's locks give way in the request's range, and those of its type that touch it become
 * part of it. `rest` is there for the one lock that can be cut in two; NULL again if it was used.
 */
static void make_room(struct inode *inode, struct lock_request *request, struct lock **rest)
{
    for (struct lock **link = bucket_of(inode); *link != NULL;) {
        struct lock_request *other = &(*link)->what;
        bool touches = other->start <= request->end && request->start <= other->end;
        if (!is_own(*link, inode, request) || !touches) {
            link = &(*link)->next;
        } else if (other->type == request->type) {
            request->start = other->start < request->start ? other->start : request->start;
            request->end = other->end > request->end ? other->end : request->end;
            remove(link);
        } else if (other->start < request->start && other->end > request->end) {
            struct lock_request right = *other;
            right.start = request->end;
            other->end = request->start;
            add(*rest, inode, &right);
            *rest = NULL;
            return;
        } else if (other->start < request->start) {
            other->end = request->start < other->end ? request->start : other->end;
            link = &(*link)->next;
        } else if (other->end > request->end) {
            other->start = request->end > other->start ? request->end : other->start;
            link = &(*link)->next;
        } else {
            remove(link);
        }
    }
}

static void wake(void)
{
    changes++;
    wait_wake_all(&changed);
}

static int set_now(struct inode *inode, const struct lock_request *request)
{
    struct lock_request wanted = *request;
    struct lock *lock = kmalloc(sizeof(*lock)), *rest = kmalloc(sizeof(*rest));
    if (lock == NULL || rest == NULL || count_own(inode, request) >= LOCKS_PER_OWNER) {
        kfree(lock);
        kfree(rest);
        return -ENOLCK;
    }
    make_room(inode, &wanted, &rest);
    if (wanted.type != F_UNLCK) {
        add(lock, inode, &wanted);
        lock = NULL;
    }
    kfree(lock);
    kfree(rest);
    wake();
    return 0;
}

/* Whether the blocker waits, through others, for the owner. */
static bool would_deadlock(const void *owner, const void *blocker)
{
    for (unsigned depth = 0; depth < DEADLOCK_DEPTH; depth++) {
        const struct lock_waiter *waiter = waiters;
        while (waiter != NULL && waiter->owner != blocker)
            waiter = waiter->next;
        if (waiter == NULL)
            return false;
        blocker = waiter->blocker;
        if (blocker == owner)
            return true;
    }
    return false;
}

static void forget_waiter(struct lock_waiter *waiter)
{
    struct lock_waiter **link = &waiters;
    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
}

/* Called with the table's lock, which is open meanwhile. */
static int wait_for_change(const void *owner, const void *blocker)
{
    struct lock_waiter waiter = {waiters, owner, blocker};
    uint32_t before = changes;
    int error = 0;
    waiters = &waiter;
    mutex_unlock(&table_lock);
    unsigned long saved = platform_interrupts_save();
    while (error == 0 && changes == before)
        error = wait_sleep(&changed, WAIT_INTERRUPTIBLE, WAIT_FOREVER);
    thread_interrupts_restore(saved);
    mutex_lock(&table_lock);
    forget_waiter(&waiter);
    return error;
}

int locks_set(struct inode *inode, const struct lock_request *request, enum lock_patience patience)
{
    struct lock *blocker;
    int error = 0;
    mutex_lock(&table_lock);
    while (error == 0 && request->type != F_UNLCK &&
           (blocker = find_conflict(inode, request)) != NULL) {
        if (patience == LOCK_TRY)
            error = -EAGAIN;
        else if (request->kind == LOCK_RANGE && would_deadlock(request->owner, blocker->what.owner))
            error = -EDEADLK;
        else
            error = wait_for_change(request->owner, blocker->what.owner);
    }
    if (error == 0 && (request->type != F_UNLCK || count_own(inode, request) > 0))
        error = set_now(inode, request);
    mutex_unlock(&table_lock);
    return error;
}

bool locks_find(struct inode *inode, const struct lock_request *request, struct lock_request *found)
{
    mutex_lock(&table_lock);
    const struct lock *lock = find_conflict(inode, request);
    if (lock != NULL)
        *found = lock->what;
    mutex_unlock(&table_lock);
    return lock != NULL;
}

void locks_drop(struct inode *inode, const void *owner)
{
    if (count == 0)
        return;
    mutex_lock(&table_lock);
    uint32_t before = count;
    for (struct lock **link = bucket_of(inode); *link != NULL;) {
        if ((*link)->inode == inode && (*link)->what.owner == owner)
            remove(link);
        else
            link = &(*link)->next;
    }
    if (count != before)
        wake();
    mutex_unlock(&table_lock);
}

void locks_drop_file(struct file *file)
{
    locks_drop(file->inode, file);
}

uint32_t locks_count(void)
{
    return count;
}
