#ifndef KERNEL_THREAD_THREAD_H
#define KERNEL_THREAD_THREAD_H

#include "kernel/include/types.h"
#include "kernel/thread/wait.h"

/*
 * Kernel threads and who of them runs.
 *
 * One processor: what this folder protects, it protects with interrupts off. The thread with the
 * highest effective priority runs. Priorities 1 to 99 are the real-time ones (FIFO: until it
 * waits; RR: in slices among equals); 0 is the fair class, whose threads take turns in slices
 * that their nice value scales: whoever has some of its slice left comes before all who used
 * theirs up, and when none has, all get a new one. Picking the next is O(1).
 *
 * The kernel is preemptible: a thread may be taken off the processor after any interrupt, unless
 * interrupts are off or between preempt_disable() and preempt_enable().
 *
 * A stack of STACK_BYTES lies in its row of the map between two unmapped pages. The boot stack is
 * the monitor's, which is the thread that boot turns into.
 */
#define THREAD_PRIORITY_FAIR    0
#define THREAD_PRIORITY_HIGHEST 99
/* Traps from user mode begin so far below the stack's end: behind their frame and the three
 * arguments of a system call that are not in registers, a call finds the stack aligned (System V
 * ABI, i386). */
#define THREAD_STACK_PAD   8
#define THREAD_NAME_SIZE   16 /* with the closing zero: Linux's TASK_COMM_LEN */
#define THREAD_SLICE_TICKS 10 /* of nice 0, and of RR */

/* Numbers of SCHED_* (Linux, include/uapi/linux/sched.h). */
enum thread_policy {
    THREAD_FAIR = 0,
    THREAD_FIFO = 1,
    THREAD_ROUND_ROBIN = 2,
    THREAD_BATCH = 3, /* as fair */
    THREAD_IDLE = 5,  /* as fair, with the shortest slices */
};

enum thread_state { THREAD_NEW, THREAD_READY, THREAD_RUNNING, THREAD_WAITING, THREAD_DEAD };

/* Bits of thread.work: what a thread has to do before it goes on in user mode. */
#define THREAD_WORK_SWITCH (1u << 0) /* somebody else should run */
#define THREAD_WORK_SIGNAL (1u << 1) /* a signal is to be taken: interruptible waits end */

struct process;
struct user_thread;
struct paging_space;
struct mutex;

struct thread {
    /* Known to assembly by offset (kernel/thread/switch.S, kernel/syscall/entry.S). */
    uint32_t saved_esp;
    uint32_t work; /* THREAD_WORK_* */

    uint32_t stack_start, stack_end; /* kernel stack; a user thread's trap frame ends at the end */
    struct paging_space *paging;     /* loaded when it runs; NULL: whatever is loaded stays */
    void *fpu;                       /* FPU state of kernel/cpu/fpu.h, or NULL: it has none */
    uint64_t tls[3];                 /* descriptors of the three TLS slots */

    struct process *process; /* NULL: a kernel thread's. Both are kernel/process's. */
    struct user_thread *user;
    uint32_t id; /* as programs see it; 0: none */
    char name[THREAD_NAME_SIZE];

    /* Scheduling; changed by kernel/thread only. */
    enum thread_state state;
    enum thread_policy policy;
    uint8_t base_priority;            /* 0 to 99 */
    uint8_t effective_priority;       /* with what waiters for its mutexes lend */
    int8_t nice;                      /* -20 to 19 */
    bool is_interruptible;            /* waits so */
    uint16_t slice_left;              /* ticks */
    struct thread_queue *ready_queue; /* NULL: on none, and the next two mean nothing */
    struct thread *ready_next, *ready_previous;

    int wake_result;                   /* what its wait returns */
    bool is_woken;                     /* an entry of it was woken before it blocked */
    struct mutex *waits_for;           /* whose holder its priority is lent to */
    struct wait_entry *waits_at;       /* its place among the mutex's waiters */
    struct mutex *held;                /* mutexes with waiters that it holds, by mutex.held_next */
    uint64_t user_ticks, kernel_ticks; /* where the tick found it */
    uint64_t voluntary_switches, other_switches;

    struct thread *all_next, *all_previous;
    void (*run)(void *);
    void *argument;
};

/* The boot stack's thread is running from now on; makes the idle thread. Once, when the heap works.
 */
void thread_init(void);

/* What runs now. From interrupt handlers: what was interrupted. */
extern struct thread *thread_now;
static inline struct thread *thread_current(void)
{
    return thread_now;
}

/*
 * A thread in the fair class with its stack, not started: `run` will be called, and thread_exit
 * when it returns. NULL: no memory, or no room for its stack. May be called where frames may be
 * allocated; O(pages of a stack).
 */
struct thread *thread_create(const char *name, void (*run)(void *), void *argument) MUST_CHECK;

/* The same, undone: of a thread that was not started. */
void thread_discard(struct thread *thread);

/* Makes it ready. Whoever has less priority is preempted. */
void thread_start(struct thread *thread);

/* The end of the running thread: its stack and its struct go with whoever runs next, and nobody may
 * hold a pointer to it any more. It holds no mutex and counts as no process's. */
_Noreturn void thread_exit(void);

/* Behind its equals; nothing happens if there are none. */
void thread_yield(void);

/* How deep, and what the last enable does if somebody waits. */
extern uint32_t preempt_count;
void preempt_give_way(void);

/* Between the two, which nest, the running thread stays on the processor; interrupts go on. The
 * last enable gives way to who is waiting for it. A thread that waits in between panics. */
static inline void preempt_disable(void)
{
    preempt_count++;
    __asm__ volatile("" : : : "memory");
}

static inline void preempt_enable(void)
{
    __asm__ volatile("" : : : "memory");
    if (--preempt_count == 0 && thread_now->work & THREAD_WORK_SWITCH)
        preempt_give_way();
}

static inline bool preempt_is_enabled(void)
{
    return preempt_count == 0;
}

/* As platform_interrupts_restore, and gives way to who became ready meanwhile. Not from interrupt
 * handlers, which give way on their return. */
void thread_interrupts_restore(unsigned long saved);

/* An interruptible wait of the thread ends with -EINTR, or its next one: THREAD_WORK_SIGNAL is set.
 * Whoever set it clears it again. From anywhere. */
void thread_interrupt(struct thread *thread);
void thread_interrupt_clear(struct thread *thread);

void thread_set_name(struct thread *thread, const char *name); /* cut to what fits */

/* Policy, priority (1 to 99 for the real-time ones, else 0). 0 or -EINVAL. */
int thread_set_policy(struct thread *thread, enum thread_policy policy, int priority) MUST_CHECK;
void thread_set_nice(struct thread *thread, int nice);

/* The running thread goes on in this address space; NULL: the kernel's. */
void thread_use_paging(struct paging_space *paging);

/* Called at each tick that finds a process's thread, interrupts off. NULL: nobody. */
extern void (*thread_tick_hook)(struct thread *thread, bool is_in_user_mode);

/* Threads that live, and those that are ready or run. */
uint32_t thread_count(void);
uint32_t thread_ready_count(void);

/* Ticks since start that found the idle thread, users, and the kernel. */
struct thread_times {
    uint64_t user_ticks, kernel_ticks, idle_ticks, switches;
};
void thread_read_times(struct thread_times *times);

/* Visits all threads until it returns false; preemption is off meanwhile. O(threads). */
typedef bool (*thread_visitor)(void *context, const struct thread *thread);
void thread_visit(thread_visitor visit, void *context);

#endif
