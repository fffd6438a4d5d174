#ifndef KERNEL_PROCESS_SIGNAL_H
#define KERNEL_PROCESS_SIGNAL_H

#include "kernel/process/linux.h"

/*
 * Signals. A set has bit n - 1 for signal n. A signal waits in the queue of a thread or of its
 * process until a thread that does not block it comes to user mode, which takes it there. Standard
 * signals (below 32) wait once; real-time ones (from 32 up) as often as they were sent, while there
 * is memory for their siginfo.
 */
struct process;
struct user_thread;
struct trap_frame;

typedef uint64_t signal_set_t;

static inline signal_set_t signal_bit(int signal)
{
    return 1ull << (signal - 1);
}

static inline bool signal_is_valid(int signal)
{
    return signal >= 1 && signal <= SIGNAL_COUNT;
}

struct signal_action {
    uint32_t handler; /* SIG_DFL, SIG_IGN or a user address */
    uint32_t flags;   /* SA_* */
    uint32_t restorer;
    signal_set_t mask;
};

/*
 * What a process does on each signal. Which it ignores, and for which it has handlers, is its own;
 * addresses, flags and masks are in a table, which a fork shares until one of the two says
 * something else. So memory is asked for by sigaction alone, and never to take something back:
 * exec, SA_RESETHAND and faults that may not be ignored change the sets.
 */
struct signal_table;
struct signal_actions {
    signal_set_t ignored, handled; /* none is in both; the others have their defaults */
    struct signal_table *table;    /* NULL: of no signal was more said than that */
};

struct signal_stack {
    uint32_t start, size, flags; /* size 0: none */
};

struct queued_signal {
    struct queued_signal *next;
    struct signal_information information;
};

struct signal_queue {
    signal_set_t set;
    struct queued_signal *first, *last; /* a signal in the set may have none: memory was short */
};

/* What a signal does that has no handler. */
enum signal_default { SIGNAL_ENDS, SIGNAL_IGNORED, SIGNAL_STOPS, SIGNAL_CONTINUES };

/* Pure. */
enum signal_default signal_default_of(int signal);
int signal_first(signal_set_t set); /* the one to take first: those of faults, then by number */
bool signal_dumps(int signal);      /* its default action says "core dumped" in wait's status */
#define SIGNALS_NEVER_BLOCKED (1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1))

/* ---- sending; from anywhere, interrupt handlers too, while the receiver cannot go ---- */

/* To a process as a whole; information NULL: from the kernel. */
void signal_send(struct process *process, int signal, const struct signal_information *information);
void signal_send_thread(struct user_thread *thread, int signal,
                        const struct signal_information *information);

/* A fault of the running thread: the signal comes now, even if it is blocked or ignored, then by
 * its default action. `address` is what siginfo shows. */
void signal_fault(int signal, int code, uint32_t address);

/* To each process of a group, except those that the caller may not signal. How many there were. */
uint32_t signal_send_group(uint32_t group, int signal,
                           const struct signal_information *information);

/* ---- the running thread's ---- */

void signal_set_blocked(signal_set_t blocked);
/* Until the next signal that it does not block: sigsuspend, ppoll. Put back when one is taken. */
void signal_block_for_wait(signal_set_t blocked);
/* The wait is over and no signal came. */
void signal_unblock_after_wait(void);
signal_set_t signal_pending(const struct user_thread *thread);
/* Whether one of them ends the process, having no handler and not being blocked. */
bool signal_is_end_pending(const struct user_thread *thread);

/* sigtimedwait: the first of `set` that is or comes, without handler. Its number, -EAGAIN, -EINTR.
 */
int signal_wait(signal_set_t set, uint64_t deadline_ns,
                struct signal_information *information) MUST_CHECK;

/* As sigaction shows it. */
struct signal_action signal_action_of(const struct process *process, int signal);

/* sigaction. Pending signals that are ignored now are forgotten. 0, -ENOMEM. */
int signal_set_action(int signal, const struct signal_action *action) MUST_CHECK;

/* exec: handlers are gone, ignored signals stay ignored; no alternative stack. */
void signal_reset_for_exec(struct process *process);

void signal_queue_clear(struct signal_queue *queue);

/* Takes what is to be taken before user mode goes on in this frame: frames for handlers are built,
 * default actions done. `is_call`: the frame is a system call's, which may have to be made again.
 * Interrupts on; may not return. */
void signal_deliver(struct trap_frame *frame);

/* sigreturn and rt_sigreturn: what eax becomes. */
int32_t signal_return(struct trap_frame *frame);
int32_t signal_return_rt(struct trap_frame *frame);

int signal_init(void) MUST_CHECK;

#endif
