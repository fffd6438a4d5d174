#include "kernel/process/signal.h"

#include "kernel/cpu/registers.h"
#include "kernel/file/linux.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/platform.h"
#include "kernel/process/internal.h"
#include "kernel/process/process.h"
#include "kernel/process/user.h"

#define SIGNAL_REAL_TIME   32
#define SIGNALS_QUEUED_MAX 1024u /* of all processes together */

static struct heap_cache *queued;
static uint32_t queued_count;

int signal_init(void)
{
    queued = heap_cache_create("signal", sizeof(struct queued_signal), 8);
    return queued != NULL ? signal_actions_init() : -ENOMEM;
}

/* ---- queues; interrupts off ---- */

static void queue_add(struct signal_queue *queue, int signal,
                      const struct signal_information *information)
{
    bool is_there = queue->set & signal_bit(signal);
    MEMORY_ASSERT(signal_is_valid(signal));
    queue->set |= signal_bit(signal);
    if ((is_there && signal < SIGNAL_REAL_TIME) || queued_count >= SIGNALS_QUEUED_MAX)
        return;
    struct queued_signal *entry = heap_cache_alloc(queued);
    if (entry == NULL)
        return;
    queued_count++;
    if (information != NULL)
        entry->information = *information;
    else
        entry->information = (struct signal_information){.code = SI_KERNEL};
    entry->information.signal = signal;
    entry->next = NULL;
    if (queue->last != NULL)
        queue->last->next = entry;
    else
        queue->first = entry;
    queue->last = entry;
}

static void free_entry(struct queued_signal *entry)
{
    queued_count--;
    heap_cache_free(queued, entry);
}

/* The first entry of the signal leaves the queue; it stays in the set while there are more. */
static void queue_take(struct signal_queue *queue, int signal,
                       struct signal_information *information)
{
    struct queued_signal **link = &queue->first, *previous = NULL, *taken = NULL;
    bool has_more = false;
    *information = (struct signal_information){.signal = signal};
    while (*link != NULL) {
        struct queued_signal *entry = *link;
        if (entry->information.signal != signal || taken != NULL) {
            has_more |= entry->information.signal == signal;
            previous = entry;
            link = &entry->next;
            continue;
        }
        taken = entry;
        *link = entry->next;
    }
    queue->last = previous;
    if (taken != NULL) {
        *information = taken->information;
        free_entry(taken);
    }
    if (!has_more)
        queue->set &= ~signal_bit(signal);
}

static void queue_forget(struct signal_queue *queue, signal_set_t set)
{
    struct signal_information ignored;
    while ((queue->set & set) != 0)
        queue_take(queue, signal_first(queue->set & set), &ignored);
}

void signal_queue_clear(struct signal_queue *queue)
{
    unsigned long saved = platform_interrupts_save();
    queue_forget(queue, ~0ull);
    platform_interrupts_restore(saved);
}

static void forget_everywhere(struct process *process, signal_set_t set)
{
    queue_forget(&process->pending, set);
    for (struct user_thread *thread = process->threads; thread != NULL; thread = thread->next)
        queue_forget(&thread->pending, set);
}

/* ---- sending ---- */

static bool is_ignored(const struct process *process, int signal)
{
    if (process->actions.handled & signal_bit(signal))
        return false;
    return process->actions.ignored & signal_bit(signal) ||
           signal_default_of(signal) == SIGNAL_IGNORED;
}

static signal_set_t stop_signals(void)
{
    return signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU);
}

static void interrupt_all(struct process *process)
{
    for (struct user_thread *thread = process->threads; thread != NULL; thread = thread->next)
        thread_interrupt(thread->thread);
}

/* A stopped process goes on, whatever becomes of the signal itself. */
static void prepare(struct process *process, int signal)
{
    if (signal_bit(signal) & stop_signals())
        forget_everywhere(process, signal_bit(SIGCONT));
    if (signal != SIGCONT && signal != SIGKILL)
        return;
    forget_everywhere(process, stop_signals());
    if (process->state != PROCESS_STOPPED)
        return;
    process->state = PROCESS_LIVES;
    process->stop_reported = true;
    wait_wake_all(&process->stopped);
    if (signal == SIGCONT) {
        process->continue_reported = false;
        signal_tell_parent(process, CLD_CONTINUED, SIGCONT);
    }
}

static bool wants(const struct user_thread *thread, int signal)
{
    return (~thread->blocked | thread->waited_for) & signal_bit(signal);
}

/* Whoever does not block it; SIGKILL concerns all. */
static void interrupt_one(struct process *process, int signal)
{
    if (signal == SIGKILL) {
        interrupt_all(process);
        return;
    }
    for (struct user_thread *thread = process->threads; thread != NULL; thread = thread->next)
        if (wants(thread, signal)) {
            thread_interrupt(thread->thread);
            return;
        }
}

static bool is_blocked_by_all(const struct process *process, int signal)
{
    for (const struct user_thread *thread = process->threads; thread != NULL; thread = thread->next)
        if (!(thread->blocked & signal_bit(signal)))
            return false;
    return true;
}

void signal_send(struct process *process, int signal, const struct signal_information *information)
{
    unsigned long saved = platform_interrupts_save();
    if (process->state != PROCESS_ZOMBIE && process->threads != NULL) {
        prepare(process, signal);
        if (!is_ignored(process, signal) || is_blocked_by_all(process, signal)) {
            queue_add(&process->pending, signal, information);
            interrupt_one(process, signal);
        }
    }
    thread_interrupts_restore(saved);
}

void signal_send_thread(struct user_thread *thread, int signal,
                        const struct signal_information *information)
{
    unsigned long saved = platform_interrupts_save();
    prepare(thread->process, signal);
    bool is_blocked = thread->blocked & signal_bit(signal);
    if (is_blocked || !is_ignored(thread->process, signal)) {
        queue_add(&thread->pending, signal, information);
        if (signal == SIGKILL)
            interrupt_all(thread->process);
        else if (wants(thread, signal))
            thread_interrupt(thread->thread);
    }
    thread_interrupts_restore(saved);
}

void signal_fault(int signal, int code, uint32_t address)
{
    struct user_thread *thread = user_thread_current();
    struct signal_actions *actions = &thread->process->actions;
    const struct signal_information information = {.code = code, .fields = {address}};
    unsigned long saved = platform_interrupts_save();
    if ((thread->blocked | actions->ignored) & signal_bit(signal))
        signal_actions_set_default(actions, signal);
    thread->blocked &= ~signal_bit(signal);
    queue_add(&thread->pending, signal, &information);
    thread_interrupt(thread->thread);
    platform_interrupts_restore(saved);
}

struct to_group {
    int signal;
    const struct signal_information *information;
};

static void send_member(void *context, struct process *process)
{
    const struct to_group *given = context;
    signal_send(process, given->signal, given->information);
}

uint32_t signal_send_group(uint32_t group, int signal, const struct signal_information *information)
{
    struct to_group given = {signal, information};
    return process_visit_group(group, send_member, &given);
}

void signal_tell_parent(struct process *process, int code, int status)
{
    struct process *parent = process->parent;
    const struct signal_information information = {
        .code = code, .fields = {process->id, process->uid, (uint32_t)status}};
    if (parent == NULL)
        return;
    wait_wake_all(&parent->child_changed);
    bool is_quiet = (code == CLD_STOPPED || code == CLD_CONTINUED) &&
                    signal_action_of(parent, SIGCHLD).flags & SA_NOCLDSTOP;
    int signal = code == CLD_STOPPED || code == CLD_CONTINUED ? SIGCHLD : process->parent_signal;
    if (!is_quiet && signal != 0)
        signal_send(parent, signal, &information);
}

/* ---- the running thread's ---- */

signal_set_t signal_pending(const struct user_thread *thread)
{
    return thread->pending.set | thread->process->pending.set;
}

bool signal_is_end_pending(const struct user_thread *thread)
{
    const struct signal_actions *actions = &thread->process->actions;
    signal_set_t set = signal_pending(thread) & ~thread->blocked;
    set &= ~(actions->ignored | actions->handled);
    for (int signal = 1; set != 0 && signal <= SIGNAL_COUNT; signal++)
        if (set & signal_bit(signal) && signal_default_of(signal) == SIGNAL_ENDS)
            return true;
    return false;
}

static void look_again(struct user_thread *thread)
{
    if (signal_pending(thread) & ~thread->blocked)
        thread_interrupt(thread->thread);
}

void signal_set_blocked(signal_set_t blocked)
{
    struct user_thread *thread = user_thread_current();
    unsigned long saved = platform_interrupts_save();
    thread->blocked = blocked & ~SIGNALS_NEVER_BLOCKED;
    look_again(thread);
    platform_interrupts_restore(saved);
}

void signal_block_for_wait(signal_set_t blocked)
{
    struct user_thread *thread = user_thread_current();
    thread->blocked_before_wait = thread->blocked;
    thread->has_blocked_before_wait = true;
    signal_set_blocked(blocked);
}

void signal_unblock_after_wait(void)
{
    struct user_thread *thread = user_thread_current();
    if (!thread->has_blocked_before_wait)
        return;
    thread->has_blocked_before_wait = false;
    signal_set_blocked(thread->blocked_before_wait);
}

static int take(struct user_thread *thread, signal_set_t set,
                struct signal_information *information)
{
    int signal = signal_first(thread->pending.set & set);
    if (signal != 0) {
        queue_take(&thread->pending, signal, information);
        return signal;
    }
    signal = signal_first(thread->process->pending.set & set);
    if (signal != 0)
        queue_take(&thread->process->pending, signal, information);
    return signal;
}

/* The waited-for signals are blocked as a rule: they must wake all the same. */
int signal_wait(signal_set_t set, uint64_t deadline_ns, struct signal_information *information)
{
    struct user_thread *thread = user_thread_current();
    struct wait_queue nobody = {NULL, NULL};
    set &= ~SIGNALS_NEVER_BLOCKED;
    unsigned long saved = platform_interrupts_save();
    int signal = take(thread, set, information);
    if (signal == 0) {
        thread->waited_for = set;
        int error = wait_sleep(&nobody, WAIT_INTERRUPTIBLE, deadline_ns);
        thread->waited_for = 0;
        signal = take(thread, set, information);
        if (signal == 0)
            signal = error == -ETIMEDOUT ? -EAGAIN : -EINTR;
    }
    platform_interrupts_restore(saved);
    return signal;
}

int signal_set_action(int signal, const struct signal_action *given)
{
    struct process *process = process_current();
    struct signal_action action = *given;
    action.mask &= ~SIGNALS_NEVER_BLOCKED;
    unsigned long saved = platform_interrupts_save();
    int error = signal_actions_set(&process->actions, signal, &action);
    if (error == 0 && is_ignored(process, signal))
        forget_everywhere(process, signal_bit(signal));
    platform_interrupts_restore(saved);
    return error;
}

void signal_reset_for_exec(struct process *process)
{
    signal_actions_drop(&process->actions);
    user_thread_current()->stack = (struct signal_stack){0};
}

/* ---- taking ---- */

/* The group has nobody who could let it go on: SIGTSTP and its like do nothing. */
static bool may_stop(const struct process *process, int signal)
{
    return signal == SIGSTOP || !process_is_orphaned_group(process->group);
}

static void stop(struct process *process, int signal)
{
    unsigned long saved = platform_interrupts_save();
    process->state = PROCESS_STOPPED;
    process->stop_signal = signal;
    process->stop_reported = false;
    process->continue_reported = true;
    interrupt_all(process);
    signal_tell_parent(process, CLD_STOPPED, signal);
    platform_interrupts_restore(saved);
}

static void wait_while_stopped(struct process *process)
{
    unsigned long saved = platform_interrupts_save();
    while (process->state == PROCESS_STOPPED && !process->is_exiting)
        if (wait_sleep(&process->stopped, 0, WAIT_FOREVER) != 0)
            break;
    platform_interrupts_restore(saved);
}

/* The default action of a signal without a handler. */
static void do_default(struct process *process, int signal)
{
    switch (signal_default_of(signal)) {
    case SIGNAL_ENDS:
        process_exit(signal);
    case SIGNAL_STOPS:
        if (may_stop(process, signal))
            stop(process, signal);
        break;
    case SIGNAL_IGNORED:
    case SIGNAL_CONTINUES:
        break;
    }
}

/* The call is made again: the program counter goes back over the two bytes of INT. */
static void call_again(struct trap_frame *frame)
{
    frame->eip -= 2;
    frame->eax = frame->error;
    frame->vector = 0;
}

static void finish_call(struct trap_frame *frame, const struct signal_action *action)
{
    int32_t result = (int32_t)frame->eax;
    if (frame->vector != USER_CALL_VECTOR)
        return;
    if (result == -RESTART_ALWAYS)
        call_again(frame);
    else if (result == -RESTART_SYSCALL && (action == NULL || action->flags & SA_RESTART))
        call_again(frame);
    else if (result == -RESTART_UNHANDLED && action == NULL)
        call_again(frame);
    else if (result == -RESTART_SYSCALL || result == -RESTART_UNHANDLED)
        frame->eax = (uint32_t)-EINTR;
}

static void set_default(struct process *process, int signal)
{
    unsigned long saved = platform_interrupts_save();
    signal_actions_set_default(&process->actions, signal);
    platform_interrupts_restore(saved);
}

/* False: the stack cannot take the frame. */
static bool run_handler(struct user_thread *thread, struct trap_frame *frame,
                        const struct signal_information *information)
{
    int signal = information->signal;
    const struct signal_action taken = signal_action_of(thread->process, signal);
    signal_set_t saved_mask =
        thread->has_blocked_before_wait ? thread->blocked_before_wait : thread->blocked;
    finish_call(frame, &taken);
    frame->vector = 0; /* the next handler interrupts this one, and no call */
    thread->restart_deadline_ns = 0;
    if (signal_frame_push(thread, frame, &taken, information, saved_mask) != 0)
        return false;
    thread->has_blocked_before_wait = false;
    if (taken.flags & SA_RESETHAND)
        set_default(thread->process, signal);
    signal_set_t blocked = thread->blocked | taken.mask;
    if (!(taken.flags & SA_NODEFER))
        blocked |= signal_bit(signal);
    signal_set_blocked(blocked);
    return true;
}

/* The next signal to be taken; 0 if there is none. */
static int next_signal(struct user_thread *thread, struct signal_information *information)
{
    unsigned long saved = platform_interrupts_save();
    thread->thread->work &= ~THREAD_WORK_SIGNAL;
    int signal = take(thread, ~thread->blocked, information);
    platform_interrupts_restore(saved);
    return signal;
}

static void take_signal(struct user_thread *thread, struct trap_frame *frame,
                        const struct signal_information *information)
{
    struct process *process = thread->process;
    int signal = information->signal;
    if (process->actions.handled & signal_bit(signal)) {
        if (!run_handler(thread, frame, information)) {
            set_default(process, SIGSEGV);
            process_exit(SIGSEGV);
        }
    } else if (!(process->actions.ignored & signal_bit(signal))) {
        do_default(process, signal);
    }
}

void signal_deliver(struct trap_frame *frame)
{
    struct user_thread *thread = user_thread_current();
    struct process *process = thread->process;
    struct signal_information information;
    for (;;) {
        if (process->is_exiting)
            process_exit_thread(process->exit_status);
        if (process->state == PROCESS_STOPPED) {
            wait_while_stopped(process);
            continue;
        }
        if (next_signal(thread, &information) == 0)
            break;
        take_signal(thread, frame, &information);
    }
    signal_unblock_after_wait();
    finish_call(frame, NULL);
}
