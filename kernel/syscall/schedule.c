#include "kernel/include/errors.h"
#include "kernel/memory/platform.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/internal.h"
#include "kernel/syscall/table.h"

/* Who runs when. */

#define NICE_MIN      (-20)
#define NICE_MAX      19
#define WHICH_PROCESS 0
#define WHICH_GROUP   1
#define WHICH_USER    2
#define RESET_ON_FORK 0x40000000u

int32_t syscall_sched_yield(void)
{
    thread_yield();
    return 0;
}

/* The thread with this id, or the caller for 0. Preemption is off. */
static struct thread *find(uint32_t id)
{
    struct user_thread *user = id == 0 ? user_thread_current() : user_thread_find(id);
    return user != NULL ? user->thread : NULL;
}

static bool may_change(const struct thread *thread)
{
    uint32_t euid = process_current()->euid;
    return euid == 0 || euid == thread->process->euid || euid == thread->process->uid;
}

static bool is_real_time(uint32_t policy)
{
    return policy == THREAD_FIFO || policy == THREAD_ROUND_ROBIN;
}

/* Without privilege: no real-time policy beyond RLIMIT_RTPRIO (sched(7), "Privileges and resource
 * limits"). */
static bool may_schedule(const struct thread *thread, int32_t policy, uint32_t priority)
{
    uint32_t limit = process_current()->limits[LIMIT_RTPRIO].soft;
    if (process_current()->euid == 0 || !is_real_time((uint32_t)policy))
        return true;
    if (limit == 0 && (uint32_t)policy != thread->policy)
        return false;
    return priority <= thread->base_priority || priority <= limit;
}

/* `policy` negative: the one that it has. */
static int32_t set_policy(uint32_t id, int32_t policy, uint32_t from)
{
    uint32_t priority;
    if ((int32_t)id < 0 || from == 0)
        return -EINVAL;
    if (space_read_user32(&priority, from) != 0)
        return -EFAULT;
    preempt_disable();
    struct thread *thread = find(id);
    int32_t error = thread == NULL ? -ESRCH : !may_change(thread) ? -EPERM : 0;
    if (error == 0 && policy < 0)
        policy = (int32_t)thread->policy;
    if (error == 0 && !may_schedule(thread, policy, priority))
        error = -EPERM;
    if (error == 0)
        error = thread_set_policy(thread, (enum thread_policy)policy, (int)priority);
    preempt_enable();
    return error;
}

int32_t syscall_sched_setscheduler(uint32_t id, uint32_t policy, uint32_t from)
{
    policy &= ~RESET_ON_FORK;
    return (int32_t)policy < 0 ? -EINVAL : set_policy(id, (int32_t)policy, from);
}

int32_t syscall_sched_setparam(uint32_t id, uint32_t from)
{
    return set_policy(id, -1, from);
}

int32_t syscall_sched_getscheduler(uint32_t id)
{
    if ((int32_t)id < 0)
        return -EINVAL;
    preempt_disable();
    const struct thread *thread = find(id);
    int32_t policy = thread != NULL ? (int32_t)thread->policy : -ESRCH;
    preempt_enable();
    return policy;
}

int32_t syscall_sched_getparam(uint32_t id, uint32_t to)
{
    if ((int32_t)id < 0 || to == 0)
        return -EINVAL;
    preempt_disable();
    const struct thread *thread = find(id);
    uint32_t priority = thread != NULL ? thread->base_priority : 0;
    preempt_enable();
    return thread != NULL ? space_write_user32(to, priority) : -ESRCH;
}

static bool is_policy(uint32_t policy)
{
    return is_real_time(policy) || policy == THREAD_FAIR || policy == THREAD_BATCH ||
           policy == THREAD_IDLE;
}

int32_t syscall_sched_get_priority_max(uint32_t policy)
{
    return !is_policy(policy) ? -EINVAL : is_real_time(policy) ? THREAD_PRIORITY_HIGHEST : 0;
}

int32_t syscall_sched_get_priority_min(uint32_t policy)
{
    return !is_policy(policy) ? -EINVAL : is_real_time(policy) ? 1 : 0;
}

int32_t syscall_sched_rr_get_interval(uint32_t id, uint32_t to)
{
    if ((int32_t)id < 0)
        return -EINVAL;
    preempt_disable();
    const struct thread *thread = find(id);
    uint64_t ns =
        thread == NULL || thread->policy == THREAD_FIFO ? 0 : THREAD_SLICE_TICKS * NS_PER_TICK;
    preempt_enable();
    return thread != NULL ? time_to_user(to, ns) : -ESRCH;
}

/* One processor, whose number is 0. */
int32_t syscall_sched_getaffinity(uint32_t id, uint32_t bytes, uint32_t to)
{
    if (bytes < sizeof(uint32_t) || bytes % sizeof(uint32_t) != 0)
        return -EINVAL;
    preempt_disable();
    bool is_there = find(id) != NULL;
    preempt_enable();
    if (!is_there)
        return -ESRCH;
    return space_write_user32(to, 1) == 0 ? (int32_t)sizeof(uint32_t) : -EFAULT;
}

int32_t syscall_sched_setaffinity(uint32_t id, uint32_t bytes, uint32_t from)
{
    uint32_t mask = 0;
    if (space_copy_from_user(&mask, from, bytes < sizeof(mask) ? bytes : sizeof(mask)) != 0)
        return -EFAULT;
    preempt_disable();
    bool is_there = find(id) != NULL;
    preempt_enable();
    return !is_there ? -ESRCH : mask & 1 ? 0 : -EINVAL;
}

int32_t syscall_getcpu(uint32_t processor, uint32_t node, uint32_t unused)
{
    (void)unused;
    if ((processor != 0 && space_write_user32(processor, 0) != 0) ||
        (node != 0 && space_write_user32(node, 0) != 0))
        return -EFAULT;
    return 0;
}

/* ---- nice ---- */

struct nice_visit {
    uint32_t which, who;
    int32_t value; /* to be set, or the lowest that was found */
    bool is_set;
    uint32_t found;
    int32_t error;
};

/* RLIMIT_NICE is 20 - nice. */
static bool may_be_nicer(const struct thread *thread, int32_t nice)
{
    uint32_t limit = process_current()->limits[LIMIT_NICE].soft;
    return process_current()->euid == 0 || nice >= thread->nice || (uint32_t)(20 - nice) <= limit;
}

static bool is_meant(const struct nice_visit *visit, const struct process *process)
{
    const struct process *self = process_current();
    switch (visit->which) {
    case WHICH_PROCESS:
        return process->id == (visit->who != 0 ? visit->who : self->id);
    case WHICH_GROUP:
        return process->group == (visit->who != 0 ? visit->who : self->group);
    default:
        return process->uid == (visit->who != 0 ? visit->who : self->uid);
    }
}

static void visit_nice(void *context, struct process *process)
{
    struct nice_visit *visit = context;
    if (!is_meant(visit, process))
        return;
    for (struct user_thread *user = process->threads; user != NULL; user = user->next) {
        visit->found++;
        if (!visit->is_set)
            visit->value = user->thread->nice < visit->value ? user->thread->nice : visit->value;
        else if (!may_change(user->thread))
            visit->error = -EPERM;
        else if (!may_be_nicer(user->thread, visit->value))
            visit->error = -EACCES;
        else
            thread_set_nice(user->thread, visit->value);
    }
}

/* As 20 - nice, so that it is never negative. */
int32_t syscall_getpriority(uint32_t which, uint32_t who)
{
    struct nice_visit visit = {.which = which, .who = who, .value = NICE_MAX};
    if (which > WHICH_USER)
        return -EINVAL;
    process_visit_all(visit_nice, &visit);
    return visit.found != 0 ? 20 - visit.value : -ESRCH;
}

int32_t syscall_setpriority(uint32_t which, uint32_t who, uint32_t nice)
{
    int32_t value = (int32_t)nice;
    value = value < NICE_MIN ? NICE_MIN : value > NICE_MAX ? NICE_MAX : value;
    struct nice_visit visit = {.which = which, .who = who, .value = value, .is_set = true};
    if (which > WHICH_USER)
        return -EINVAL;
    process_visit_all(visit_nice, &visit);
    return visit.found == 0 ? -ESRCH : visit.error;
}

int32_t syscall_nice(uint32_t increment)
{
    int32_t by = (int32_t)increment;
    by = by < -40 ? -40 : by > 40 ? 40 : by;
    int32_t nice = thread_current()->nice + by;
    nice = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
    if (!may_be_nicer(thread_current(), nice))
        return -EPERM;
    thread_set_nice(thread_current(), nice);
    return 0;
}
