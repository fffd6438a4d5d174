#ifndef KERNEL_PROCESS_PROCESS_H
#define KERNEL_PROCESS_PROCESS_H

#include "kernel/cpu/trap.h"
#include "kernel/process/linux.h"
#include "kernel/process/signal.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/thread.h"
#include "kernel/thread/wait.h"

/*
 * Processes: an address space, files, signals, and the threads that run in them.
 *
 *   process.h    who there is: ids, parents, groups, sessions; birth and end
 *   signal.h     signals
 *   exec.h       programs: from a file to an address space
 *   user.h       the border to user mode
 *   futex.h      waiting for words of user memory
 *
 * What protects what, on one processor: the relations (ids, parents, children, groups, sessions,
 * lists of threads) change with preemption off; signals and what waits for them with interrupts
 * off. Both are bounded by the number of relatives.
 *
 * A process that ended is a zombie, which is its struct alone, until its parent has waited for it.
 * Children of one that ended become the first process's.
 */
struct space;
struct file_table;
struct path_context;
struct vfork_wait;
struct inode;

/* What a call returns that a signal interrupted before it did anything; programs never see it. Made
 * again if the signal has no handler, or one with SA_RESTART; else -EINTR. The second is always
 * made again, the third only if there is no handler. */
#define RESTART_SYSCALL   512
#define RESTART_ALWAYS    513
#define RESTART_UNHANDLED 514

#define PROCESS_ID_MAX                                                                             \
    32768u /* ids are below; after the last one they start again at PROCESS_ID_AGAIN */
#define PROCESS_ID_AGAIN 300u
#define PROCESS_PATH_MAX 256u

enum process_state { PROCESS_LIVES, PROCESS_STOPPED, PROCESS_ZOMBIE };

struct process_limit {
    uint32_t soft, hard; /* LIMIT_INFINITY: none */
};

struct process_times {
    uint64_t user_ticks, kernel_ticks; /* of TIMER_HZ */
};

struct interval_timer {
    struct timer timer; /* of ITIMER_REAL */
    uint64_t interval_ns;
    struct process *process;
};

/* Counts time that the process runs: in user mode, or at all. By the tick; interrupts off. */
struct interval_count {
    uint64_t left_ns, interval_ns; /* 0: not set; once */
};

struct process {
    uint32_t id, group, session;
    enum process_state state;
    int32_t exit_status; /* as wait has it */
    bool is_exiting;     /* its threads are to end, with exit_status */
    bool is_orphan;      /* it ends, and nobody waits for it: there is no first process */
    bool has_executed;   /* since it was forked: setpgid by the parent is too late */

    /* Relations. */
    struct process *hash_next;
    struct process *parent;
    struct process *children, *sibling_next, *sibling_previous;
    struct user_thread *threads;
    uint32_t thread_count;
    struct wait_queue child_changed;       /* who waits for a child */
    struct wait_queue thread_ended;        /* an exec that waits until it is alone */
    struct vfork_wait *vfork_wait;         /* where the parent waits until exec or exit, or NULL */
    bool stop_reported, continue_reported; /* by wait4, or nothing to report */
    int stop_signal;

    /* What it has. */
    struct space *space; /* NULL: no more */
    struct file_table *files;
    struct path_context *paths;
    struct process_limit limits[LIMIT_COUNT];
    uint32_t uid, euid, suid, gid, egid, sgid;
    struct interval_timer real_timer;
    struct interval_count user_timer, all_timer; /* ITIMER_VIRTUAL, ITIMER_PROF */

    /* Signals to any of its threads. */
    struct signal_actions actions;
    struct signal_queue pending;
    struct wait_queue stopped; /* threads of a stopped process */
    int parent_signal;         /* what the parent gets at the end */

    /* Of the program. */
    char name[THREAD_NAME_SIZE];
    char path[PROCESS_PATH_MAX]; /* as exec was given it, made absolute */
    struct inode *executable;    /* held as running, or NULL */
    uint32_t arguments_start, arguments_end, environment_end; /* user addresses */
    uint32_t code_start, code_end, data_start, data_end, stack_start;
    uint32_t unknown_calls[SYSCALL_WORDS]; /* bit n: call n was logged as unknown */

    /* Figures. */
    uint64_t start_ns;
    struct process_times ended_threads, waited_children;
    uint64_t faults_of_children;
};

/* A thread of a process: what struct thread does not have. */
struct user_thread {
    struct thread *thread;
    struct process *process;
    struct user_thread *next, *previous; /* in its process */
    struct user_thread *hash_next;
    uint32_t id;
    uint64_t blocked;             /* signals, bit n - 1 */
    uint64_t waited_for;          /* by sigtimedwait: they end its wait though they are blocked */
    uint64_t blocked_before_wait; /* what sigsuspend puts back */
    bool has_blocked_before_wait;
    struct signal_queue pending;
    struct signal_stack stack;
    uint64_t
        restart_deadline_ns; /* of a sleep that a signal without handler interrupted; 0: none */
    uint32_t fault_trap, fault_error, fault_address; /* of the last one, for sigcontext */
    uint32_t clear_on_exit;                          /* set_tid_address; 0: none */
    uint32_t robust_list;
};

/* What every call needs: the running process, or NULL in a kernel thread. */
static inline struct process *process_current(void)
{
    return thread_current()->process;
}

static inline struct user_thread *user_thread_current(void)
{
    return thread_current()->user;
}

/* Caches, hooks of traps, what files and /proc want to know. Once, after files_init. 0 or -ENOMEM.
 */
int process_init(void) MUST_CHECK;

/* ---- who there is; preemption off, or the result is only good for comparing ---- */

struct process *process_find(uint32_t id);
struct user_thread *user_thread_find(uint32_t id);

/* The live or dead process with the smallest id above, or NULL. O(processes). */
struct process *process_next(uint32_t id);
uint32_t process_count(void);
uint64_t process_forks(void);
uint32_t process_last_id(void);

/* Visits the members of a group. */
typedef void (*process_visitor)(void *context, struct process *process);
uint32_t process_visit_group(uint32_t group, process_visitor visit, void *context);
void process_visit_all(process_visitor visit, void *context);

/* ---- birth and end ---- */

/*
 * A first program: a process without parent, files or program, in a session of its own, whose
 * main thread is not started: process_exec_first prepares it. NULL: exhausted.
 */
struct process *process_create_first(void) MUST_CHECK;

/* The same, undone, of one that never started. */
void process_discard_first(struct process *process);

/* fork, vfork, clone, as the flags say (CLONE_*). The id, -EAGAIN (limits), -ENOMEM, -EINVAL (flags
 * that are not supported together). */
struct clone_arguments {
    uint32_t flags, stack, parent_id, thread_area, child_id;
};
int32_t process_clone(const struct clone_arguments *arguments) MUST_CHECK;

/* All threads of the running process end, with this status as wait has it; and the running thread
 * alone (the last one ends its process). */
_Noreturn void process_exit(int32_t status);
_Noreturn void process_exit_thread(int32_t status);

/* Asks the other threads of the running process to end, and waits until they have: 0, or -EINTR:
 * the running one is to end too. */
int process_end_others(void) MUST_CHECK;

/* wait4. The id, 0 (WNOHANG), -ECHILD, -RESTART_SYSCALL (512). */
struct process_wait {
    int32_t which; /* as waitpid's first argument */
    uint32_t options;
    int32_t status;             /* out */
    struct process_times times; /* out: of the child and those it waited for */
};
int32_t process_wait(struct process_wait *wait) MUST_CHECK;

/* Kernel threads wait for the first process so: its status, when it has ended; it is gone then. */
int32_t process_wait_first(struct process *process);

/* ---- groups and sessions ---- */

int process_set_group(uint32_t id, uint32_t group) MUST_CHECK; /* setpgid */
int32_t process_set_session(void) MUST_CHECK;                  /* setsid */
bool process_is_orphaned_group(uint32_t group);

/* ---- figures ---- */

struct process_times process_read_times(const struct process *process);

/* The relations agree with each other, with the threads, and with what processes hold; charges with
 * those who were charged. Part of memory_check. O(processes^2). */
struct check;
void process_check(struct check *check);

#endif
