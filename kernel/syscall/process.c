#include "kernel/cpu/timer.h"
#include "kernel/file/linux.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/process/exec.h"
#include "kernel/process/futex.h"
#include "kernel/process/user.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/internal.h"
#include "kernel/syscall/table.h"

/* Birth, programs, the end, and waiting for it. */

int32_t syscall_exit(uint32_t status)
{
    process_exit_thread((int32_t)(status & 0xFF) << 8);
}

int32_t syscall_exit_group(uint32_t status)
{
    process_exit((int32_t)(status & 0xFF) << 8);
}

int32_t syscall_fork(void)
{
    const struct clone_arguments arguments = {.flags = SIGCHLD};
    return process_clone(&arguments);
}

int32_t syscall_vfork(void)
{
    const struct clone_arguments arguments = {.flags = CLONE_VM | CLONE_VFORK | SIGCHLD};
    return process_clone(&arguments);
}

int32_t syscall_clone(uint32_t flags, uint32_t stack, uint32_t parent_id, uint32_t thread_area,
                      uint32_t child_id)
{
    const struct clone_arguments arguments = {flags, stack, parent_id, thread_area, child_id};
    return process_clone(&arguments);
}

static int gather(struct arguments *arguments, uint32_t argv, uint32_t envp)
{
    int error = arguments_add_user(arguments, argv);
    if (error == 0)
        error = environment_add_user(arguments, envp);
    return error;
}

int32_t syscall_execve(uint32_t path, uint32_t argv, uint32_t envp)
{
    char *name = kmalloc(PATH_MAX);
    struct arguments *arguments = arguments_create();
    int32_t error = -ENOMEM;
    if (name != NULL && arguments != NULL) {
        error = space_string_from_user(name, path, PATH_MAX);
        if (error >= 0)
            error = gather(arguments, argv, envp);
        if (error == 0)
            error = process_exec(name, arguments);
    }
    arguments_destroy(arguments);
    kfree(name);
    return error;
}

/* struct rusage: times, then 14 numbers, of which few mean something here. */
struct linux_rusage {
    struct linux_timeval user, system;
    int32_t rest[14];
};

static struct linux_timeval timeval_of(uint64_t ticks)
{
    return (struct linux_timeval){(int32_t)(ticks / TIMER_HZ),
                                  (int32_t)(ticks % TIMER_HZ * (1000000 / TIMER_HZ))};
}

static int write_usage(uint32_t to, struct process_times times)
{
    const struct linux_rusage usage = {.user = timeval_of(times.user_ticks),
                                       .system = timeval_of(times.kernel_ticks)};
    return to == 0 ? 0 : space_copy_to_user(to, &usage, sizeof(usage));
}

int32_t syscall_wait4(uint32_t which, uint32_t status, uint32_t options, uint32_t usage)
{
    struct process_wait wait = {.which = (int32_t)which, .options = options};
    if (options &
        ~(WAIT_NOHANG | WAIT_UNTRACED | WAIT_CONTINUED | WAIT_ALL | WAIT_CLONE | 0x20000000u))
        return -EINVAL;
    if (wait.which == INT32_MIN)
        return -ESRCH;
    int32_t id = process_wait(&wait);
    if (id <= 0)
        return id;
    if (status != 0 && space_write_user32(status, (uint32_t)wait.status) != 0)
        return -EFAULT;
    return write_usage(usage, wait.times) != 0 ? -EFAULT : id;
}

int32_t syscall_waitpid(uint32_t which, uint32_t status, uint32_t options)
{
    return syscall_wait4(which, status, options, 0);
}

int32_t syscall_getrusage(uint32_t who, uint32_t usage)
{
    const struct process *process = process_current();
    struct process_times times;
    switch ((int32_t)who) {
    case 0:
        times = process_read_times(process);
        break;
    case -1:
        times = process->waited_children;
        break;
    case 1:
        times =
            (struct process_times){thread_current()->user_ticks, thread_current()->kernel_ticks};
        break;
    default:
        return -EINVAL;
    }
    return usage == 0 ? -EFAULT : write_usage(usage, times);
}

/* ---- threads ---- */

int32_t syscall_gettid(void)
{
    return (int32_t)thread_current()->id;
}

int32_t syscall_set_tid_address(uint32_t address)
{
    user_thread_current()->clear_on_exit = address;
    return (int32_t)thread_current()->id;
}

int32_t syscall_set_robust_list(uint32_t head, uint32_t bytes)
{
    if (bytes != 12)
        return -EINVAL;
    user_thread_current()->robust_list = head;
    return 0;
}

int32_t syscall_set_thread_area(uint32_t at)
{
    struct linux_user_desc description;
    if (space_copy_from_user(&description, at, sizeof(description)) != 0)
        return -EFAULT;
    uint32_t asked = description.entry_number;
    if (asked == UINT32_MAX && space_write_user32(at, asked) != 0)
        return -EFAULT;
    int error = user_set_thread_area(thread_current(), &description);
    if (error == 0 && asked == UINT32_MAX)
        error = space_write_user32(at, description.entry_number);
    return error;
}

int32_t syscall_get_thread_area(uint32_t at)
{
    struct linux_user_desc description;
    if (space_copy_from_user(&description, at, sizeof(description)) != 0)
        return -EFAULT;
    int error = user_get_thread_area(thread_current(), &description);
    return error == 0 ? space_copy_to_user(at, &description, sizeof(description)) : error;
}

/* When a wait ends: a time from now on, or a point in time. The clock of the wall is read now. */
static uint64_t deadline_of(uint64_t ns, bool is_absolute, bool is_wall)
{
    uint64_t now = clock_monotonic_ns();
    if (!is_absolute)
        return ns < WAIT_FOREVER - now ? now + ns : WAIT_FOREVER;
    if (!is_wall)
        return ns;
    uint64_t wall = clock_wall_ns();
    return ns > wall ? now + (ns - wall) : now;
}

static int32_t futex_wait_call(uint32_t address, uint32_t operation, uint32_t value, uint64_t *ns,
                               uint32_t mask)
{
    bool is_absolute = (operation & FUTEX_COMMAND) == FUTEX_WAIT_BITSET;
    uint64_t deadline = WAIT_FOREVER;
    if (ns != NULL)
        deadline = deadline_of(*ns, is_absolute, operation & FUTEX_CLOCK_REALTIME);
    int error = futex_wait(address, value, mask, deadline);
    if (error == -EINTR)
        return ns == NULL ? -RESTART_SYSCALL : -EINTR;
    return error;
}

static int32_t futex_call(uint32_t address, uint32_t operation, uint32_t value, uint64_t *ns,
                          uint32_t count, uint32_t other, uint32_t mask)
{
    switch (operation & FUTEX_COMMAND) {
    case FUTEX_WAIT:
        return futex_wait_call(address, operation, value, ns, UINT32_MAX);
    case FUTEX_WAIT_BITSET:
        return futex_wait_call(address, operation, value, ns, mask);
    case FUTEX_WAKE:
        return futex_wake(address, value, UINT32_MAX);
    case FUTEX_WAKE_BITSET:
        return futex_wake(address, value, mask);
    case FUTEX_REQUEUE:
        return futex_requeue(address, value, count, other, NULL);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(address, value, count, other, &mask);
    default:
        return -ENOSYS;
    }
}

static bool takes_time(uint32_t operation)
{
    uint32_t command = operation & FUTEX_COMMAND;
    return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
}

int32_t syscall_futex(uint32_t address, uint32_t operation, uint32_t value, uint32_t timeout,
                      uint32_t other, uint32_t mask)
{
    uint64_t ns;
    bool has_time = takes_time(operation) && timeout != 0;
    int error = has_time ? time_from_user(&ns, timeout) : 0;
    if (error != 0)
        return error;
    return futex_call(address, operation, value, has_time ? &ns : NULL, timeout, other, mask);
}

int32_t syscall_futex_time64(uint32_t address, uint32_t operation, uint32_t value, uint32_t timeout,
                             uint32_t other, uint32_t mask)
{
    uint64_t ns;
    bool has_time = takes_time(operation) && timeout != 0;
    int error = has_time ? time64_from_user(&ns, timeout) : 0;
    if (error != 0)
        return error;
    return futex_call(address, operation, value, has_time ? &ns : NULL, timeout, other, mask);
}
