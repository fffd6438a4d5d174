#include "kernel/cpu/segments.h"
#include "kernel/file/inode.h"
#include "kernel/file/jobs.h"
#include "kernel/file/path.h"
#include "kernel/file/table.h"
#include "kernel/include/errors.h"
#include "kernel/include/panic.h"
#include "kernel/lib/string.h"
#include "kernel/memory/platform.h"
#include "kernel/process/futex.h"
#include "kernel/process/internal.h"
#include "kernel/process/user.h"
#include "kernel/space/space.h"
#include "kernel/space/usercopy.h"

/* Birth and end of processes and threads. */

static uint64_t forks;
static struct process *first_process; /* who gets the children of those who end */

uint64_t process_forks(void)
{
    return forks;
}

/* ---- birth ---- */

static void set_default_limits(struct process *process)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        process->limits[i] = (struct process_limit){LIMIT_INFINITY, LIMIT_INFINITY};
    process->limits[LIMIT_STACK].soft = 1u << 20;
    process->limits[LIMIT_CORE].soft = 0;
    process->limits[LIMIT_NOFILE] = (struct process_limit){1024, FILE_TABLE_MAX};
    process->limits[LIMIT_MEMLOCK] = (struct process_limit){8u << 20, 8u << 20};
    process->limits[LIMIT_NPROC] = (struct process_limit){4096, 4096};
    process->limits[LIMIT_SIGPENDING] = (struct process_limit){1024, 1024};
    process->limits[LIMIT_NICE] = (struct process_limit){0, 0};
    process->limits[LIMIT_RTPRIO] = (struct process_limit){0, 0};
}

void process_limit_space(const struct process *process, struct space *space)
{
    const struct space_limits limits = {
        .address_space = process->limits[LIMIT_AS].soft,
        .data = process->limits[LIMIT_DATA].soft,
        .stack = process->limits[LIMIT_STACK].soft,
        .locked = process->limits[LIMIT_MEMLOCK].soft,
    };
    space_set_limits(space, &limits);
}

void process_apply_limits(struct process *process)
{
    if (process->space != NULL)
        process_limit_space(process, process->space);
    if (process->files != NULL)
        file_table_set_limit(process->files, process->limits[LIMIT_NOFILE].soft);
}

/* Gives back what a process has, be it all or not. */
static void release(struct process *process)
{
    struct space *space = process->space;
    struct file_table *files = process->files;
    struct path_context *paths = process->paths;
    struct inode *executable = process->executable;
    /* Nobody finds them here any more (/proc) when the last reference may be going. */
    process->space = NULL;
    process->files = NULL;
    process->paths = NULL;
    process->executable = NULL;
    timer_cancel(&process->real_timer.timer);
    if (space != NULL)
        space_drop(space);
    file_table_drop(files);
    path_context_drop(paths);
    inode_drop_running(executable);
    signal_queue_clear(&process->pending);
}

static void discard(struct process *process)
{
    release(process);
    signal_actions_drop(&process->actions);
    process_free(process);
}

/* Enters a process and its first thread under a new id. */
static int enter(struct process *process, struct user_thread *user)
{
    preempt_disable();
    uint32_t id = process_new_id();
    if (id != 0) {
        process->id = user->id = user->thread->id = id;
        process_enter(process);
        user_thread_enter(user);
    }
    preempt_enable();
    return id != 0 ? 0 : -EAGAIN;
}

struct process *process_create_first(void)
{
    struct process *process = process_alloc();
    if (process == NULL)
        return NULL;
    set_default_limits(process);
    process->start_ns = clock_monotonic_ns();
    process->parent_signal = SIGCHLD;
    process->stop_reported = process->continue_reported = true;
    process->files = file_table_create();
    process->paths = path_context_create();
    struct user_thread *user = process->files != NULL && process->paths != NULL
                                   ? user_thread_create(process, "init")
                                   : NULL;
    if (user == NULL || enter(process, user) != 0) {
        if (user != NULL)
            user_thread_discard(user);
        discard(process);
        return NULL;
    }
    process->group = process->session = process->id;
    if (first_process == NULL) /* the monitor can start others beside it */
        first_process = process;
    return process;
}

void process_discard_first(struct process *process)
{
    struct user_thread *user = process->threads;
    if (first_process == process)
        first_process = NULL;
    preempt_disable();
    user_thread_leave(user);
    process_leave(process);
    preempt_enable();
    user_thread_discard(user);
    discard(process);
}

static int copy_space(struct process *parent, struct process *child, uint32_t flags)
{
    if (!(flags & CLONE_VM))
        return space_fork(parent->space, &child->space);
    child->space = parent->space;
    space_hold(child->space);
    return 0;
}

static int copy_files(struct process *parent, struct process *child, uint32_t flags)
{
    child->files =
        flags & CLONE_FILES ? file_table_hold(parent->files) : file_table_clone(parent->files);
    child->paths =
        flags & CLONE_FS ? path_context_hold(parent->paths) : path_context_clone(parent->paths);
    return child->files != NULL && child->paths != NULL ? 0 : -ENOMEM;
}

/* What a child takes over from its parent. */
static void inherit(const struct process *parent, struct process *child)
{
    child->group = parent->group;
    child->session = parent->session;
    memcpy(child->limits, parent->limits, sizeof(child->limits));
    signal_actions_share(&parent->actions, &child->actions);
    child->uid = parent->uid, child->euid = parent->euid, child->suid = parent->suid;
    child->gid = parent->gid, child->egid = parent->egid, child->sgid = parent->sgid;
    memcpy(child->name, parent->name, sizeof(child->name));
    memcpy(child->path, parent->path, sizeof(child->path));
    child->executable = inode_hold_running(parent->executable);
    child->arguments_start = parent->arguments_start;
    child->arguments_end = parent->arguments_end;
    child->environment_end = parent->environment_end;
    child->code_start = parent->code_start, child->code_end = parent->code_end;
    child->data_start = parent->data_start, child->data_end = parent->data_end;
    child->stack_start = parent->stack_start;
    child->start_ns = clock_monotonic_ns();
    child->stop_reported = child->continue_reported = true;
}

static struct process *copy_process(struct process *parent, uint32_t flags, int *error)
{
    struct process *child = process_alloc();
    *error = -ENOMEM;
    if (child == NULL)
        return NULL;
    inherit(parent, child);
    if (signal_is_valid((int)(flags & CLONE_SIGNAL_MASK))) /* else it ends without one */
        child->parent_signal = (int)(flags & CLONE_SIGNAL_MASK);
    *error = copy_files(parent, child, flags);
    if (*error == 0)
        *error = copy_space(parent, child, flags);
    if (*error != 0) {
        discard(child);
        return NULL;
    }
    return child;
}

static int set_thread_area_of(struct thread *thread, uint32_t at)
{
    struct linux_user_desc description;
    if (space_copy_from_user(&description, at, sizeof(description)) != 0)
        return -EFAULT;
    return user_set_thread_area(thread, &description);
}

/* The new thread's registers are its creator's, but for the result and perhaps the stack. */
static int copy_thread(struct user_thread *user, const struct clone_arguments *arguments)
{
    const struct user_thread *self = user_thread_current();
    struct thread *from = thread_current(), *to = user->thread;
    struct trap_frame *frame = user_frame_of(to);
    *frame = *process_user_frame();
    frame->eax = 0;
    frame->vector = 0;
    if (arguments->stack != 0)
        frame->user_esp = arguments->stack;
    memcpy(to->tls, from->tls, sizeof(to->tls));
    user->blocked = self->blocked;
    if (!(arguments->flags & CLONE_VM) || arguments->flags & CLONE_VFORK)
        user->stack = self->stack;
    user_copy_fpu(to);
    to->nice = from->nice;
    to->policy = from->policy;
    to->base_priority = to->effective_priority = from->base_priority;
    if (arguments->flags & CLONE_CHILD_CLEARTID)
        user->clear_on_exit = arguments->child_id;
    if (arguments->flags & CLONE_SETTLS)
        return set_thread_area_of(to, arguments->thread_area);
    return 0;
}

static bool are_flags_sane(uint32_t flags)
{
    if (flags & CLONE_NAMESPACES)
        return false;
    if (flags & CLONE_THREAD && !(flags & CLONE_SIGHAND))
        return false;
    /* Handlers are a process's own here: sharing them is what threads of one process do. */
    if (flags & CLONE_SIGHAND && (!(flags & CLONE_VM) || !(flags & CLONE_THREAD)))
        return false;
    return true;
}

/* Ids where they were asked for. The child's memory is the parent's, or a copy that nobody runs in
 * yet. */
static int write_ids(const struct clone_arguments *arguments, struct process *process, uint32_t id)
{
    int error = 0;
    if (arguments->flags & CLONE_PARENT_SETTID)
        error = space_write_user32(arguments->parent_id, id);
    if (error == 0 && arguments->flags & CLONE_CHILD_SETTID)
        error = space_write(process->space, arguments->child_id, &id, sizeof(id));
    return error == -EFAULT ? 0 : error; /* as Linux: the thread is there */
}

static void start(struct user_thread *user)
{
    user->thread->paging = space_paging(user->process->space);
    thread_start(user->thread);
}

static int32_t clone_thread(const struct clone_arguments *arguments)
{
    struct process *process = process_current();
    struct user_thread *user = user_thread_create(process, thread_current()->name);
    if (user == NULL)
        return -EAGAIN;
    int error = copy_thread(user, arguments);
    if (error == 0) {
        preempt_disable();
        uint32_t id = process->is_exiting ? 0 : process_new_id();
        user->id = user->thread->id = id;
        if (id != 0)
            user_thread_enter(user);
        else
            error = -EAGAIN;
        preempt_enable();
    }
    if (error != 0) {
        user_thread_discard(user);
        return error;
    }
    int32_t id = (int32_t)user->id;
    (void)write_ids(arguments, process, user->id);
    start(user);
    return id;
}

/* On the parent's stack: the child may be gone for good when the parent comes to look. */
struct vfork_wait {
    struct wait_queue queue;
    bool is_done;
};

/* Signals that end the parent end the wait, too; the child then goes on alone, in the space that it
 * shared. Others are taken after it: until then, they must not end every new sleep. */
static void wait_for_vfork(struct vfork_wait *wait, struct process *child)
{
    struct user_thread *self = user_thread_current();
    bool is_signalled = false, is_over = false;
    unsigned long saved = platform_interrupts_save();
    while (!wait->is_done && !is_over) {
        if (wait_sleep(&wait->queue, WAIT_INTERRUPTIBLE, WAIT_FOREVER) != -EINTR)
            continue;
        is_signalled = true;
        is_over = self->process->is_exiting || signal_is_end_pending(self);
        thread_interrupt_clear(self->thread);
    }
    if (!wait->is_done)
        child->vfork_wait = NULL;
    if (is_signalled)
        thread_interrupt(self->thread);
    platform_interrupts_restore(saved);
}

static bool is_over_limit(const struct process *process)
{
    return process_count() >= process->limits[LIMIT_NPROC].soft;
}

/* A signal for the parent's group, sent while the child was made, has not reached it: the parent
 * takes that first, and makes another child if it can then. The group may have changed, too. */
static int enter_child(struct process *parent, struct process *child, struct user_thread *user)
{
    const struct user_thread *self = user_thread_current();
    preempt_disable();
    bool is_waiting = (signal_pending(self) & ~self->blocked) != 0;
    child->group = parent->group;
    child->session = parent->session;
    int error = is_waiting ? -RESTART_ALWAYS : enter(child, user);
    preempt_enable();
    return error;
}

static int32_t clone_process(const struct clone_arguments *arguments)
{
    struct process *parent = process_current();
    int error = -EAGAIN;
    if (is_over_limit(parent))
        return -EAGAIN;
    struct process *child = copy_process(parent, arguments->flags, &error);
    if (child == NULL)
        return error;
    struct user_thread *user = user_thread_create(child, parent->name);
    error = user != NULL ? copy_thread(user, arguments) : -ENOMEM;
    if (error == 0)
        error = enter_child(parent, child, user);
    if (error != 0) {
        if (user != NULL)
            user_thread_discard(user);
        discard(child);
        return error;
    }
    int32_t id = (int32_t)child->id;
    forks++;
    (void)write_ids(arguments, child, child->id);
    struct vfork_wait wait = {.is_done = false};
    if (arguments->flags & CLONE_VFORK)
        child->vfork_wait = &wait;
    preempt_disable();
    process_adopt(
        arguments->flags & CLONE_PARENT && parent->parent != NULL ? parent->parent : parent, child);
    start(user);
    preempt_enable();
    if (arguments->flags & CLONE_VFORK)
        wait_for_vfork(&wait, child);
    return id;
}

int32_t process_clone(const struct clone_arguments *arguments)
{
    if (!are_flags_sane(arguments->flags))
        return -EINVAL;
    return arguments->flags & CLONE_THREAD ? clone_thread(arguments) : clone_process(arguments);
}

/* ---- the end ---- */

void process_end_vfork(struct process *process)
{
    unsigned long saved = platform_interrupts_save();
    struct vfork_wait *wait = process->vfork_wait;
    process->vfork_wait = NULL;
    if (wait != NULL) {
        wait->is_done = true;
        wait_wake_one(&wait->queue);
    }
    platform_interrupts_restore(saved);
}

/* Children go to the first process, or end with whoever had none; dead ones have nobody to wait for
 * them but the new parent, who hears of them. */
static void give_children_away(struct process *process)
{
    if (first_process == process)
        first_process = NULL;
    struct process *first = first_process;
    while (process->children != NULL) {
        struct process *child = process->children;
        process_abandon(child);
        if (first != NULL) {
            process_adopt(first, child);
            child->parent_signal = SIGCHLD;
            if (child->state == PROCESS_ZOMBIE)
                signal_tell_parent(child, CLD_EXITED, child->exit_status >> 8);
        } else if (child->state == PROCESS_ZOMBIE) {
            process_leave(child);
            process_free(child);
        } else {
            child->is_orphan = true;
            signal_send(child, SIGKILL, NULL);
        }
    }
}

static void hang_up(void *context, struct process *member)
{
    (void)context;
    if (member->state == PROCESS_STOPPED)
        *(bool *)context = true;
}

/* A group that is orphaned by this end and has stopped members is woken (POSIX, _exit). */
static void wake_orphans(struct process *process)
{
    for (struct process *child = process->children; child != NULL; child = child->sibling_next) {
        bool has_stopped = false;
        if (child->group == process->group || child->session != process->session)
            continue;
        process_visit_group(child->group, hang_up, &has_stopped);
        if (has_stopped) {
            signal_send_group(child->group, SIGHUP, NULL);
            signal_send_group(child->group, SIGCONT, NULL);
        }
    }
}

static bool is_reaped_at_once(const struct process *process)
{
    const struct process *parent = process->parent;
    if (parent == NULL || process->parent_signal != SIGCHLD)
        return false;
    const struct signal_action action = signal_action_of(parent, SIGCHLD);
    return action.handler == SIG_IGN || action.flags & SA_NOCLDWAIT;
}

static void add_times(struct process_times *sum, struct process_times more)
{
    sum->user_ticks += more.user_ticks;
    sum->kernel_ticks += more.kernel_ticks;
}

static void reap(struct process *process)
{
    struct process *parent = process->parent;
    if (parent != NULL) {
        add_times(&parent->waited_children, process->ended_threads);
        add_times(&parent->waited_children, process->waited_children);
    }
    process_abandon(process);
    process_leave(process);
    process_free(process);
}

/* The last thread is going. */
static void end_process(struct process *process)
{
    release(process);
    process_end_vfork(process);
    if (process->session == process->id)
        tty_end_session(process->session);
    preempt_disable();
    wake_orphans(process);
    give_children_away(process);
    signal_actions_drop(&process->actions); /* until here, children asked what SIGCHLD is to do */
    process->state = PROCESS_ZOMBIE;
    int status = process->exit_status;
    bool is_reaped = is_reaped_at_once(process);
    signal_tell_parent(process, status & 0x7F ? CLD_KILLED : CLD_EXITED,
                       status & 0x7F ? status & 0x7F : status >> 8);
    if (is_reaped || process->is_orphan)
        reap(process);
    else if (process->parent == NULL)
        wait_wake_all(&process->child_changed);
    preempt_enable();
}

/* CLONE_CHILD_CLEARTID: whoever joins the thread waits for this word. Of the last one nobody is
 * left. */
static void clear_id(struct user_thread *user)
{
    uint32_t at = user->clear_on_exit;
    if (at == 0 || user->process->thread_count == 1)
        return;
    if (space_write_user32(at, 0) == 0)
        (void)futex_wake(at, 1, UINT32_MAX);
}

_Noreturn void process_exit_thread(int32_t status)
{
    struct user_thread *user = user_thread_current();
    struct process *process = user->process;
    clear_id(user);
    preempt_disable();
    if (process->thread_count == 1 && !process->is_exiting) {
        process->exit_status = status;
        process->is_exiting = true;
    }
    bool is_last = process->thread_count == 1;
    process->ended_threads.user_ticks += thread_current()->user_ticks;
    process->ended_threads.kernel_ticks += thread_current()->kernel_ticks;
    user_thread_leave(user);
    thread_use_paging(NULL); /* others can end the process, or its space, as soon as they run */
    wait_wake_all(&process->thread_ended);
    preempt_enable();
    user_thread_release(user);
    if (is_last)
        end_process(process);
    thread_exit();
}

static void end_threads(struct process *process, const struct user_thread *but)
{
    for (struct user_thread *user = process->threads; user != NULL; user = user->next)
        if (user != but)
            thread_interrupt(user->thread);
    wait_wake_all(&process->stopped);
}

_Noreturn void process_exit(int32_t status)
{
    struct process *process = process_current();
    preempt_disable();
    if (!process->is_exiting) {
        process->is_exiting = true;
        process->exit_status = status;
        end_threads(process, user_thread_current());
    }
    preempt_enable();
    process_exit_thread(process->exit_status);
}

/* Nobody else is to begin a thread meanwhile; the flag goes when the running one is alone. */
int process_end_others(void)
{
    struct process *process = process_current();
    preempt_disable();
    bool is_ending = process->is_exiting;
    if (!is_ending && process->thread_count > 1) {
        process->is_exiting = true;
        process->exit_status = 0;
        end_threads(process, user_thread_current());
    }
    preempt_enable();
    if (is_ending)
        return -EINTR;
    unsigned long saved = platform_interrupts_save();
    while (process->thread_count > 1)
        if (wait_sleep(&process->thread_ended, 0, WAIT_FOREVER) != 0)
            break;
    process->is_exiting = false;
    platform_interrupts_restore(saved);
    return 0;
}

/* ---- waiting ---- */

static bool is_meant(const struct process *child, int32_t which)
{
    const struct process *self = process_current();
    if (which > 0)
        return child->id == (uint32_t)which;
    if (which == 0)
        return child->group == self->group;
    return which == -1 || child->group == (uint32_t)-which;
}

/* What there is to say about a child; 0: nothing. The status is in wait's form. */
static uint32_t report(struct process *child, struct process_wait *wait)
{
    uint32_t id = child->id;
    if (child->state == PROCESS_ZOMBIE) {
        wait->status = child->exit_status;
        wait->times = child->ended_threads;
        add_times(&wait->times, child->waited_children);
        reap(child);
        return id;
    }
    if (child->state == PROCESS_STOPPED && !child->stop_reported && wait->options & WAIT_UNTRACED) {
        child->stop_reported = true;
        wait->status = child->stop_signal << 8 | 0x7F;
        return id;
    }
    if (!child->continue_reported && child->state == PROCESS_LIVES &&
        wait->options & WAIT_CONTINUED) {
        child->continue_reported = true;
        wait->status = 0xFFFF;
        return id;
    }
    return 0;
}

/* -ECHILD: there is no such child; 0: none has changed. */
static int32_t look(struct process_wait *wait)
{
    int32_t result = -ECHILD;
    for (struct process *child = process_current()->children, *next; child != NULL; child = next) {
        next = child->sibling_next;
        if (!is_meant(child, wait->which))
            continue;
        result = (int32_t)report(child, wait);
        if (result > 0)
            return result;
    }
    return result;
}

int32_t process_wait(struct process_wait *wait)
{
    struct process *self = process_current();
    int32_t result;
    wait->times = (struct process_times){0, 0};
    unsigned long saved = platform_interrupts_save();
    for (;;) {
        result = look(wait);
        if (result != 0 || wait->options & WAIT_NOHANG)
            break;
        if (wait_sleep(&self->child_changed, WAIT_INTERRUPTIBLE, WAIT_FOREVER) != 0) {
            result = -RESTART_SYSCALL;
            break;
        }
    }
    platform_interrupts_restore(saved);
    return result;
}

int32_t process_wait_first(struct process *process)
{
    unsigned long saved = platform_interrupts_save();
    while (process->state != PROCESS_ZOMBIE)
        if (wait_sleep(&process->child_changed, 0, WAIT_FOREVER) != 0)
            break;
    int32_t status = process->exit_status;
    reap(process);
    platform_interrupts_restore(saved);
    return status;
}
