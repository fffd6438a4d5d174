#include "kernel/file/linux.h"
#include "kernel/include/errors.h"
#include "kernel/memory/platform.h"
#include "kernel/process/user.h"
#include "kernel/space/usercopy.h"
#include "kernel/syscall/internal.h"
#include "kernel/syscall/table.h"

/* Signals: sending, handlers, masks. */

#define SET_BYTES 8u

/* ---- sending ---- */

static struct signal_information from_self(int code)
{
    return (struct signal_information){.code = code,
                                       .fields = {process_current()->id, process_current()->uid}};
}

static bool may_signal(const struct process *process, int signal)
{
    const struct process *self = process_current();
    return self->euid == 0 || self->euid == process->suid || self->euid == process->uid ||
           self->uid == process->suid || self->uid == process->uid ||
           (signal == SIGCONT && self->session == process->session);
}

struct sending {
    int signal;
    struct signal_information information;
    uint32_t group; /* 0: all but the first process and the caller */
    uint32_t found, sent;
};

static void send_one(void *context, struct process *process)
{
    struct sending *sending = context;
    bool is_meant = sending->group != 0 ? process->group == sending->group
                                        : process->id > 1 && process != process_current();
    if (!is_meant)
        return;
    sending->found++;
    if (!may_signal(process, sending->signal))
        return;
    sending->sent++;
    if (sending->signal != 0)
        signal_send(process, sending->signal, &sending->information);
}

static int32_t kill_many(uint32_t group, int signal)
{
    struct sending sending = {.signal = signal, .information = from_self(SI_USER), .group = group};
    process_visit_all(send_one, &sending);
    if (sending.found == 0)
        return -ESRCH;
    return sending.sent != 0 ? 0 : -EPERM;
}

static int32_t kill_one(uint32_t id, int signal, const struct signal_information *information)
{
    int32_t error = 0;
    preempt_disable();
    struct process *process = process_find(id);
    if (process == NULL)
        error = -ESRCH;
    else if (!may_signal(process, signal))
        error = -EPERM;
    else if (signal != 0)
        signal_send(process, signal, information);
    preempt_enable();
    return error;
}

int32_t syscall_kill(uint32_t which, uint32_t signal)
{
    int32_t id = (int32_t)which;
    if (signal > SIGNAL_COUNT)
        return -EINVAL;
    if (id > 0) {
        const struct signal_information information = from_self(SI_USER);
        return kill_one(which, (int)signal, &information);
    }
    if (id == -1)
        return kill_many(0, (int)signal);
    return kill_many(id == 0 ? process_current()->group : (uint32_t)-id, (int)signal);
}

static int32_t kill_thread(uint32_t group, uint32_t id, uint32_t signal)
{
    int32_t error = 0;
    const struct signal_information information = from_self(SI_TKILL);
    if ((int32_t)id <= 0 || signal > SIGNAL_COUNT)
        return -EINVAL;
    preempt_disable();
    struct user_thread *user = user_thread_find(id);
    if (user == NULL || (group != 0 && user->process->id != group))
        error = -ESRCH;
    else if (!may_signal(user->process, (int)signal))
        error = -EPERM;
    else if (signal != 0)
        signal_send_thread(user, (int)signal, &information);
    preempt_enable();
    return error;
}

int32_t syscall_tkill(uint32_t id, uint32_t signal)
{
    return kill_thread(0, id, signal);
}

int32_t syscall_tgkill(uint32_t group, uint32_t id, uint32_t signal)
{
    return (int32_t)group <= 0 ? -EINVAL : kill_thread(group, id, signal);
}

/* Nobody may pretend to be the kernel, or kill. */
int32_t syscall_rt_sigqueueinfo(uint32_t id, uint32_t signal, uint32_t from)
{
    struct signal_information information;
    if (space_copy_from_user(&information, from, sizeof(information)) != 0)
        return -EFAULT;
    if (signal > SIGNAL_COUNT)
        return -EINVAL;
    if ((information.code >= 0 || information.code == SI_TKILL) && id != process_current()->id)
        return -EPERM;
    return kill_one(id, (int)signal, &information);
}

/* ---- handlers ---- */

static int set_handler(int signal, const struct linux_sigaction *given)
{
    const struct signal_action action = {given->handler, given->flags, given->restorer,
                                         given->mask};
    return signal_set_action(signal, &action);
}

static bool is_changeable(uint32_t signal)
{
    return signal >= 1 && signal <= SIGNAL_COUNT && signal != SIGKILL && signal != SIGSTOP;
}

int32_t syscall_rt_sigaction(uint32_t signal, uint32_t from, uint32_t old, uint32_t bytes)
{
    struct linux_sigaction given, before;
    if (bytes != SET_BYTES)
        return -EINVAL;
    if (from != 0 && space_copy_from_user(&given, from, sizeof(given)) != 0)
        return -EFAULT;
    if (!signal_is_valid((int)signal) || (from != 0 && !is_changeable(signal)))
        return -EINVAL;
    const struct signal_action action = signal_action_of(process_current(), (int)signal);
    before = (struct linux_sigaction){action.handler, action.flags, action.restorer, action.mask};
    int error = from != 0 ? set_handler((int)signal, &given) : 0;
    if (error != 0)
        return error;
    return old != 0 ? space_copy_to_user(old, &before, sizeof(before)) : 0;
}

/* The old form: 32 signals; handler, mask, flags, restorer. */
int32_t syscall_sigaction(uint32_t signal, uint32_t from, uint32_t old)
{
    uint32_t given[4];
    if (from != 0 && space_copy_from_user(given, from, sizeof(given)) != 0)
        return -EFAULT;
    if (!signal_is_valid((int)signal) || (from != 0 && !is_changeable(signal)))
        return -EINVAL;
    const struct signal_action action = signal_action_of(process_current(), (int)signal);
    const uint32_t before[4] = {action.handler, (uint32_t)action.mask, action.flags,
                                action.restorer};
    if (from != 0) {
        const struct linux_sigaction wide = {given[0], given[2], given[3], given[1]};
        int error = set_handler((int)signal, &wide);
        if (error != 0)
            return error;
    }
    return old != 0 ? space_copy_to_user(old, before, sizeof(before)) : 0;
}

/* ---- masks ---- */

static int change_mask(uint32_t how, signal_set_t given, signal_set_t kept)
{
    signal_set_t blocked = user_thread_current()->blocked;
    switch (how) {
    case SIG_BLOCK:
        blocked |= given;
        break;
    case SIG_UNBLOCK:
        blocked &= ~given;
        break;
    case SIG_SETMASK:
        blocked = given | (blocked & kept);
        break;
    default:
        return -EINVAL;
    }
    signal_set_blocked(blocked);
    return 0;
}

int32_t syscall_rt_sigprocmask(uint32_t how, uint32_t from, uint32_t old, uint32_t bytes)
{
    signal_set_t given, before = user_thread_current()->blocked;
    if (bytes != SET_BYTES)
        return -EINVAL;
    if (from != 0) {
        if (space_copy_from_user(&given, from, sizeof(given)) != 0)
            return -EFAULT;
        int error = change_mask(how, given, 0);
        if (error != 0)
            return error;
    }
    return old != 0 ? space_copy_to_user(old, &before, sizeof(before)) : 0;
}

int32_t syscall_sigprocmask(uint32_t how, uint32_t from, uint32_t old)
{
    uint32_t given, before = (uint32_t)user_thread_current()->blocked;
    if (from != 0) {
        if (space_read_user32(&given, from) != 0)
            return -EFAULT;
        int error = change_mask(how, given, ~(signal_set_t)UINT32_MAX);
        if (error != 0)
            return error;
    }
    return old != 0 ? space_write_user32(old, before) : 0;
}

int32_t syscall_rt_sigpending(uint32_t to, uint32_t bytes)
{
    const struct user_thread *user = user_thread_current();
    signal_set_t pending = signal_pending(user) & user->blocked;
    return bytes > SET_BYTES ? -EINVAL : space_copy_to_user(to, &pending, bytes);
}

int32_t syscall_sigpending(uint32_t to)
{
    return syscall_rt_sigpending(to, sizeof(uint32_t));
}

/* Until a handler has run: then the caller's mask is put back by the handler's frame. */
static int32_t suspend(signal_set_t mask)
{
    signal_block_for_wait(mask);
    (void)!wait_until(WAIT_FOREVER, WAIT_INTERRUPTIBLE);
    return -RESTART_UNHANDLED;
}

int32_t syscall_rt_sigsuspend(uint32_t from, uint32_t bytes)
{
    signal_set_t mask;
    if (bytes != SET_BYTES)
        return -EINVAL;
    return space_copy_from_user(&mask, from, sizeof(mask)) != 0 ? -EFAULT : suspend(mask);
}

int32_t syscall_sigsuspend(uint32_t unused, uint32_t unused_too, uint32_t mask)
{
    (void)unused;
    (void)unused_too;
    return suspend(mask);
}

int32_t syscall_pause(void)
{
    (void)!wait_until(WAIT_FOREVER, WAIT_INTERRUPTIBLE);
    return -RESTART_UNHANDLED;
}

static int32_t wait_for_signal(uint32_t from, uint32_t to, const uint64_t *ns)
{
    signal_set_t set;
    struct signal_information information;
    uint8_t room[SIGINFO_BYTES - sizeof(information)] = {0};
    if (space_copy_from_user(&set, from, sizeof(set)) != 0)
        return -EFAULT;
    uint64_t deadline = ns != NULL ? clock_monotonic_ns() + *ns : WAIT_FOREVER;
    int signal = signal_wait(set, deadline, &information);
    if (signal <= 0 || to == 0)
        return signal;
    if (space_copy_to_user(to, &information, sizeof(information)) != 0 ||
        space_copy_to_user(to + sizeof(information), room, sizeof(room)) != 0)
        return -EFAULT;
    return signal;
}

int32_t syscall_rt_sigtimedwait(uint32_t from, uint32_t to, uint32_t timeout, uint32_t bytes)
{
    uint64_t ns;
    int error = timeout != 0 ? time_from_user(&ns, timeout) : 0;
    if (bytes != SET_BYTES)
        return -EINVAL;
    return error != 0 ? error : wait_for_signal(from, to, timeout != 0 ? &ns : NULL);
}

int32_t syscall_rt_sigtimedwait_time64(uint32_t from, uint32_t to, uint32_t timeout, uint32_t bytes)
{
    uint64_t ns;
    int error = timeout != 0 ? time64_from_user(&ns, timeout) : 0;
    if (bytes != SET_BYTES)
        return -EINVAL;
    return error != 0 ? error : wait_for_signal(from, to, timeout != 0 ? &ns : NULL);
}

/* ---- alternative stacks, and the way back from a handler ---- */

static bool is_on(const struct signal_stack *stack)
{
    return stack->size != 0 && process_user_frame()->user_esp - stack->start - 1 < stack->size;
}

static int set_stack(struct signal_stack *stack, const struct linux_sigaltstack *given)
{
    uint32_t mode = given->flags & ~SS_AUTODISARM;
    if (is_on(stack))
        return -EPERM;
    if (mode != 0 && mode != SS_DISABLE && mode != SS_ONSTACK)
        return -EINVAL;
    if (mode == SS_DISABLE) {
        *stack = (struct signal_stack){0, 0, 0};
        return 0;
    }
    if (given->size < MINSIGSTKSZ)
        return -ENOMEM;
    *stack = (struct signal_stack){given->sp, given->size, 0};
    return 0;
}

int32_t syscall_sigaltstack(uint32_t from, uint32_t old)
{
    struct signal_stack *stack = &user_thread_current()->stack;
    struct linux_sigaltstack given;
    const struct linux_sigaltstack before = {stack->start,
                                             stack->size == 0 ? SS_DISABLE
                                             : is_on(stack)   ? SS_ONSTACK
                                                              : 0,
                                             stack->size};
    if (from != 0) {
        if (space_copy_from_user(&given, from, sizeof(given)) != 0)
            return -EFAULT;
        int error = set_stack(stack, &given);
        if (error != 0)
            return error;
    }
    return old != 0 ? space_copy_to_user(old, &before, sizeof(before)) : 0;
}

int32_t syscall_sigreturn(void)
{
    return signal_return(process_user_frame());
}

int32_t syscall_rt_sigreturn(void)
{
    return signal_return_rt(process_user_frame());
}
