#include "kernel/cpu/timer.h"
#include "kernel/file/linux.h"
#include "kernel/include/errors.h"
#include "kernel/memory/platform.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/internal.h"
#include "kernel/syscall/table.h"

/* Clocks, sleeping, interval timers. */

#define REALTIME           0
#define MONOTONIC          1
#define PROCESS_CPUTIME    2
#define THREAD_CPUTIME     3
#define MONOTONIC_RAW      4
#define REALTIME_COARSE    5
#define MONOTONIC_COARSE   6
#define BOOTTIME           7
#define TIMER_ABSTIME      1u
#define ITIMER_REAL        0
#define ITIMER_VIRTUAL     1
#define ITIMER_PROF        2
#define NS_PER_MICROSECOND 1000u

/* ---- times of users ---- */

static int to_ns(uint64_t *ns, int64_t seconds, int32_t nanoseconds)
{
    if (seconds < 0 || nanoseconds < 0 || nanoseconds >= (int32_t)NS_PER_SECOND)
        return -EINVAL;
    const int64_t farthest = (int64_t)(INT64_MAX / NS_PER_SECOND) - 1;
    *ns =
        (uint64_t)(seconds < farthest ? seconds : farthest) * NS_PER_SECOND + (uint32_t)nanoseconds;
    return 0;
}

int time_from_user(uint64_t *ns, uint32_t timespec)
{
    struct linux_timespec given;
    if (space_copy_from_user(&given, timespec, sizeof(given)) != 0)
        return -EFAULT;
    return to_ns(ns, given.seconds, given.nanoseconds);
}

int time64_from_user(uint64_t *ns, uint32_t timespec)
{
    struct linux_timespec64 given;
    if (space_copy_from_user(&given, timespec, sizeof(given)) != 0)
        return -EFAULT;
    return to_ns(ns, given.seconds, (int32_t)given.nanoseconds);
}

int time_to_user(uint32_t timespec, uint64_t ns)
{
    const struct linux_timespec value = {(int32_t)(ns / NS_PER_SECOND),
                                         (int32_t)(ns % NS_PER_SECOND)};
    return space_copy_to_user(timespec, &value, sizeof(value));
}

int time64_to_user(uint32_t timespec, uint64_t ns)
{
    const struct linux_timespec64 value = {(int64_t)(ns / NS_PER_SECOND),
                                           (int64_t)(ns % NS_PER_SECOND)};
    return space_copy_to_user(timespec, &value, sizeof(value));
}

/* ---- clocks ---- */

static uint64_t ticks_to_ns(uint64_t user, uint64_t kernel)
{
    return (user + kernel) * NS_PER_TICK;
}

static int read_clock(uint32_t clock, uint64_t *ns)
{
    struct process_times times;
    switch (clock) {
    case REALTIME:
    case REALTIME_COARSE:
        *ns = clock_wall_ns();
        return 0;
    case MONOTONIC:
    case MONOTONIC_RAW:
    case MONOTONIC_COARSE:
    case BOOTTIME:
        *ns = clock_monotonic_ns();
        return 0;
    case PROCESS_CPUTIME:
        times = process_read_times(process_current());
        *ns = ticks_to_ns(times.user_ticks, times.kernel_ticks);
        return 0;
    case THREAD_CPUTIME:
        *ns = ticks_to_ns(thread_current()->user_ticks, thread_current()->kernel_ticks);
        return 0;
    default:
        return -EINVAL;
    }
}

int32_t syscall_clock_gettime(uint32_t clock, uint32_t to)
{
    uint64_t ns;
    int error = read_clock(clock, &ns);
    return error == 0 ? time_to_user(to, ns) : error;
}

int32_t syscall_clock_gettime64(uint32_t clock, uint32_t to)
{
    uint64_t ns;
    int error = read_clock(clock, &ns);
    return error == 0 ? time64_to_user(to, ns) : error;
}

static int set_clock(uint32_t clock, uint64_t ns)
{
    if (clock != REALTIME)
        return -EINVAL;
    if (process_current()->euid != 0)
        return -EPERM;
    clock_set_wall_ns(ns);
    return 0;
}

int32_t syscall_clock_settime(uint32_t clock, uint32_t from)
{
    uint64_t ns;
    int error = time_from_user(&ns, from);
    return error == 0 ? set_clock(clock, ns) : error;
}

int32_t syscall_clock_settime64(uint32_t clock, uint32_t from)
{
    uint64_t ns;
    int error = time64_from_user(&ns, from);
    return error == 0 ? set_clock(clock, ns) : error;
}

static int read_resolution(uint32_t clock, uint64_t *ns)
{
    int error = read_clock(clock, ns);
    bool is_by_tick = clock == REALTIME_COARSE || clock == MONOTONIC_COARSE;
    *ns = is_by_tick ? NS_PER_TICK : clock_resolution_ns();
    return error;
}

int32_t syscall_clock_getres(uint32_t clock, uint32_t to)
{
    uint64_t ns;
    int error = read_resolution(clock, &ns);
    return error != 0 || to == 0 ? error : time_to_user(to, ns);
}

int32_t syscall_clock_getres_time64(uint32_t clock, uint32_t to)
{
    uint64_t ns;
    int error = read_resolution(clock, &ns);
    return error != 0 || to == 0 ? error : time64_to_user(to, ns);
}

int32_t syscall_time(uint32_t to)
{
    uint32_t seconds = (uint32_t)(clock_wall_ns() / NS_PER_SECOND);
    if (to != 0 && space_write_user32(to, seconds) != 0)
        return -EFAULT;
    return (int32_t)seconds;
}

int32_t syscall_gettimeofday(uint32_t to, uint32_t zone)
{
    static const uint32_t utc[2] = {0, 0};
    uint64_t ns = clock_wall_ns();
    const struct linux_timeval value = {(int32_t)(ns / NS_PER_SECOND),
                                        (int32_t)(ns % NS_PER_SECOND / NS_PER_MICROSECOND)};
    int error = to != 0 ? space_copy_to_user(to, &value, sizeof(value)) : 0;
    if (error == 0 && zone != 0)
        error = space_copy_to_user(zone, utc, sizeof(utc));
    return error;
}

static int timeval_from_user(uint64_t *ns, uint32_t from)
{
    struct linux_timeval value;
    if (space_copy_from_user(&value, from, sizeof(value)) != 0)
        return -EFAULT;
    if (value.microseconds < 0 || value.microseconds >= 1000000)
        return -EINVAL;
    return to_ns(ns, value.seconds, value.microseconds * (int32_t)NS_PER_MICROSECOND);
}

int32_t syscall_settimeofday(uint32_t from, uint32_t zone)
{
    uint64_t ns;
    (void)zone;
    int error = from != 0 ? timeval_from_user(&ns, from) : 0;
    return error == 0 && from != 0 ? set_clock(REALTIME, ns) : error;
}

int32_t syscall_times(uint32_t to)
{
    const struct process *process = process_current();
    struct process_times own = process_read_times(process), children = process->waited_children;
    const uint32_t a_clock = TIMER_HZ / CLOCK_TICKS_A_SECOND;
    const uint32_t values[4] = {
        (uint32_t)(own.user_ticks / a_clock), (uint32_t)(own.kernel_ticks / a_clock),
        (uint32_t)(children.user_ticks / a_clock), (uint32_t)(children.kernel_ticks / a_clock)};
    if (to != 0 && space_copy_to_user(to, values, sizeof(values)) != 0)
        return -EFAULT;
    return (int32_t)(clock_monotonic_ns() / (NS_PER_SECOND / CLOCK_TICKS_A_SECOND) & INT32_MAX);
}

/* ---- sleeping ---- */

/* A sleep that a signal without handler interrupts goes on until it would have ended anyway. */
int sleep_until(uint64_t deadline_ns, bool is_relative, uint64_t *left_ns)
{
    struct user_thread *user = user_thread_current();
    if (user->restart_deadline_ns != 0)
        deadline_ns = user->restart_deadline_ns;
    user->restart_deadline_ns = 0;
    if (wait_until(deadline_ns, WAIT_INTERRUPTIBLE) == 0)
        return 0;
    uint64_t now = clock_monotonic_ns();
    *left_ns = deadline_ns > now ? deadline_ns - now : 0;
    if (is_relative)
        user->restart_deadline_ns = deadline_ns;
    return -RESTART_UNHANDLED;
}

static uint64_t from_now(uint64_t ns)
{
    return clock_monotonic_ns() + ns;
}

int32_t syscall_nanosleep(uint32_t from, uint32_t left)
{
    uint64_t ns, left_ns;
    int error = time_from_user(&ns, from);
    if (error != 0)
        return error;
    error = sleep_until(from_now(ns), true, &left_ns);
    if (error != 0 && left != 0 && time_to_user(left, left_ns) != 0)
        return -EFAULT;
    return error;
}

static int sleep_by_clock(uint32_t clock, uint32_t flags, uint64_t ns, uint64_t *left_ns)
{
    uint64_t now;
    if (clock == THREAD_CPUTIME || clock == PROCESS_CPUTIME)
        return -EOPNOTSUPP;
    int error = read_clock(clock, &now);
    if (error != 0)
        return error;
    if (!(flags & TIMER_ABSTIME))
        return sleep_until(from_now(ns), true, left_ns);
    return ns <= now ? 0 : sleep_until(from_now(ns - now), false, left_ns);
}

int32_t syscall_clock_nanosleep(uint32_t clock, uint32_t flags, uint32_t from, uint32_t left)
{
    uint64_t ns, left_ns = 0;
    int error = time_from_user(&ns, from);
    if (error != 0)
        return error;
    error = sleep_by_clock(clock, flags, ns, &left_ns);
    if (error == -RESTART_UNHANDLED && left != 0 && !(flags & TIMER_ABSTIME) &&
        time_to_user(left, left_ns) != 0)
        return -EFAULT;
    return error;
}

int32_t syscall_clock_nanosleep_time64(uint32_t clock, uint32_t flags, uint32_t from, uint32_t left)
{
    uint64_t ns, left_ns = 0;
    int error = time64_from_user(&ns, from);
    if (error != 0)
        return error;
    error = sleep_by_clock(clock, flags, ns, &left_ns);
    if (error == -RESTART_UNHANDLED && left != 0 && !(flags & TIMER_ABSTIME) &&
        time64_to_user(left, left_ns) != 0)
        return -EFAULT;
    return error;
}

/* ---- interval timers ---- */

static void on_interval(struct timer *timer)
{
    struct interval_timer *interval = (struct interval_timer *)timer;
    if (interval->interval_ns != 0)
        timer_set(timer, timer->deadline_ns + interval->interval_ns, on_interval);
    signal_send(interval->process, SIGALRM, NULL);
}

/* What was left, and the interval that was set. */
static void set_interval(uint64_t first_ns, uint64_t interval_ns, uint64_t *left_ns,
                         uint64_t *old_interval_ns)
{
    struct interval_timer *interval = &process_current()->real_timer;
    unsigned long saved = platform_interrupts_save();
    uint64_t now = clock_monotonic_ns();
    bool was_set = timer_cancel(&interval->timer);
    uint64_t deadline = interval->timer.deadline_ns;
    *left_ns = !was_set ? 0 : deadline > now ? deadline - now : NS_PER_MICROSECOND;
    *old_interval_ns = interval->interval_ns;
    interval->process = process_current();
    interval->interval_ns = interval_ns;
    if (first_ns != 0)
        timer_set(&interval->timer, now + first_ns, on_interval);
    platform_interrupts_restore(saved);
}

static struct interval_count *count_of(uint32_t which)
{
    struct process *process = process_current();
    return which == ITIMER_VIRTUAL ? &process->user_timer : &process->all_timer;
}

static void set_count(struct interval_count *count, uint64_t first_ns, uint64_t interval_ns,
                      uint64_t *left_ns, uint64_t *old_interval_ns)
{
    unsigned long saved = platform_interrupts_save();
    *left_ns = count->left_ns;
    *old_interval_ns = count->interval_ns;
    *count = (struct interval_count){first_ns, interval_ns};
    platform_interrupts_restore(saved);
}

struct linux_itimerval {
    struct linux_timeval interval, value;
};

static struct linux_timeval to_timeval(uint64_t ns)
{
    return (struct linux_timeval){(int32_t)(ns / NS_PER_SECOND),
                                  (int32_t)(ns % NS_PER_SECOND / NS_PER_MICROSECOND)};
}

int32_t syscall_setitimer(uint32_t which, uint32_t from, uint32_t old)
{
    uint64_t first_ns = 0, interval_ns = 0, left_ns, old_interval_ns;
    int error = from != 0 ? timeval_from_user(&interval_ns, from) : 0;
    if (error == 0 && from != 0)
        error = timeval_from_user(&first_ns, from + sizeof(struct linux_timeval));
    if (error != 0)
        return error;
    if (which > ITIMER_PROF)
        return -EINVAL;
    if (which == ITIMER_REAL)
        set_interval(first_ns, interval_ns, &left_ns, &old_interval_ns);
    else
        set_count(count_of(which), first_ns, interval_ns, &left_ns, &old_interval_ns);
    const struct linux_itimerval value = {to_timeval(old_interval_ns), to_timeval(left_ns)};
    return old != 0 ? space_copy_to_user(old, &value, sizeof(value)) : 0;
}

int32_t syscall_getitimer(uint32_t which, uint32_t to)
{
    const struct interval_timer *interval = &process_current()->real_timer;
    struct linux_itimerval value = {{0, 0}, {0, 0}};
    if (which > ITIMER_PROF)
        return -EINVAL;
    if (which == ITIMER_REAL) {
        uint64_t now = clock_monotonic_ns(), deadline = interval->timer.deadline_ns;
        value.interval = to_timeval(interval->interval_ns);
        if (interval->timer.is_set)
            value.value = to_timeval(deadline > now ? deadline - now : NS_PER_MICROSECOND);
    } else {
        const struct interval_count *count = count_of(which);
        value.interval = to_timeval(count->interval_ns);
        value.value = to_timeval(count->left_ns);
    }
    return space_copy_to_user(to, &value, sizeof(value));
}

int32_t syscall_alarm(uint32_t seconds)
{
    uint64_t left_ns, interval_ns;
    set_interval(seconds * NS_PER_SECOND, 0, &left_ns, &interval_ns);
    return (int32_t)((left_ns + NS_PER_SECOND - 1) / NS_PER_SECOND);
}
