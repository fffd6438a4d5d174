#include "kernel/cpu/cpu.h"
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/irq.h"
#include "kernel/cpu/segments.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/trap.h"
#include "kernel/include/errors.h"
#include "kernel/include/panic.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/internal.h"
#include "kernel/thread/stack.h"

/*
 * Who runs. `ready` holds all threads that could run but the one that does and the idle thread,
 * which runs when there is nobody else.
 */
static struct run_queue ready;
static struct thread boot_thread;
static struct thread *idle;
static struct thread *reaped; /* it ended, and the next one to run frees it */
static struct thread_times times;
static struct paging_space *loaded = &paging_kernel;

/* Every thread, through all_next. */
static struct thread *all;
static uint32_t all_count;
static struct heap_cache *threads;

struct thread *thread_now = &boot_thread;
uint32_t preempt_count;
void (*thread_tick_hook)(struct thread *thread, bool is_in_user_mode);

/* A trap frame from user mode and what is above it, with the alignment of a call. */
#define FRAME_ROOM ((THREAD_STACK_PAD + (uint32_t)sizeof(struct trap_frame) + 15u) & ~15u)

struct thread *thread_switch(struct thread *from, struct thread *to);
void thread_entry(void);
_Noreturn void thread_begin(struct thread *from);

/* ---- switching ---- */

static void link_thread(struct thread *thread)
{
    thread->all_previous = NULL;
    thread->all_next = all;
    if (all != NULL)
        all->all_previous = thread;
    all = thread;
    all_count++;
}

static void unlink_thread(struct thread *thread)
{
    if (thread->all_previous != NULL)
        thread->all_previous->all_next = thread->all_next;
    else
        all = thread->all_next;
    if (thread->all_next != NULL)
        thread->all_next->all_previous = thread->all_previous;
    all_count--;
}

static void free_thread(struct thread *thread)
{
    stack_free(thread->stack_start);
    heap_cache_free(threads, thread);
}

/* On the new thread's stack. */
static void finish_switch(void)
{
    struct thread *dead = reaped;
    reaped = NULL;
    if (dead != NULL)
        free_thread(dead);
}

static void load_machine(const struct thread *from, const struct thread *to)
{
    fpu_switch(from->fpu, to->fpu);
    segments_load(to->stack_end - THREAD_STACK_PAD, to->tls);
    if (to->paging != NULL && to->paging != loaded) {
        loaded = to->paging;
        paging_load(loaded);
    }
}

static void switch_to(struct thread *next)
{
    struct thread *from = thread_now;
    next->state = THREAD_RUNNING;
    next->work &= ~THREAD_WORK_SWITCH;
    if (next == from)
        return;
    times.switches++;
    load_machine(from, next);
    thread_now = next;
    thread_switch(from, next);
    finish_switch();
}

static struct thread *take_next(void)
{
    struct thread *next = run_queue_take(&ready);
    return next != NULL ? next : idle;
}

void schedule_away(void)
{
    if (preempt_count != 0)
        panic("thread '%s' waits while preemption is off", thread_now->name);
    thread_now->voluntary_switches++;
    switch_to(take_next());
}

/* The running thread stays ready. */
static void step_back(enum run_queue_end end)
{
    struct thread *thread = thread_now;
    thread->state = THREAD_READY;
    if (thread != idle)
        run_queue_add(&ready, thread, end);
    switch_to(take_next());
}

/* A slice that is used up puts a thread behind its equals; else it is the first of them. */
void schedule_give_way(void)
{
    if (!(thread_now->work & THREAD_WORK_SWITCH) || preempt_count != 0)
        return;
    thread_now->other_switches++;
    step_back(thread_now->slice_left == 0 ? RUN_QUEUE_BACK : RUN_QUEUE_FRONT);
}

void thread_interrupts_restore(unsigned long saved)
{
    schedule_restore(saved);
}

static void ask_to_give_way(struct thread *candidate)
{
    if (thread_now == idle || run_queue_precedes(candidate, thread_now))
        thread_now->work |= THREAD_WORK_SWITCH;
}

void schedule_ready(struct thread *thread)
{
    thread->state = THREAD_READY;
    run_queue_add(&ready, thread, RUN_QUEUE_BACK);
    ask_to_give_way(thread);
}

void schedule_set_priority(struct thread *thread, uint8_t priority)
{
    if (thread->effective_priority == priority)
        return;
    bool is_queued = thread->ready_queue != NULL;
    if (is_queued)
        run_queue_remove(&ready, thread);
    thread->effective_priority = priority;
    if (is_queued) {
        run_queue_add(&ready, thread, RUN_QUEUE_BACK);
        ask_to_give_way(thread);
    } else if (thread == thread_now && run_queue_first(&ready) != NULL) {
        ask_to_give_way(run_queue_first(&ready));
    }
}

/* A real-time thread that is FIFO runs until it waits. */
static void schedule_tick(void)
{
    struct thread *thread = thread_now;
    bool is_user = trap_is_from_user(irq_frame());
    if (thread == idle)
        times.idle_ticks++;
    else if (is_user)
        times.user_ticks++, thread->user_ticks++;
    else
        times.kernel_ticks++, thread->kernel_ticks++;
    if (thread->process != NULL && thread_tick_hook != NULL)
        thread_tick_hook(thread, is_user);
    if (thread == idle || thread->policy == THREAD_FIFO)
        return;
    if (thread->slice_left > 1) {
        thread->slice_left--;
        return;
    }
    thread->slice_left = 0;
    struct thread *first = run_queue_first(&ready);
    if (first == NULL || first->effective_priority < thread->effective_priority)
        thread->slice_left = run_queue_slice(thread);
    else
        thread->work |= THREAD_WORK_SWITCH;
}

static void on_tick(void)
{
    if (timers_quiet_until == 0 || cpu_read_tsc() >= timers_quiet_until)
        timers_look();
    schedule_tick();
}

/* ---- what threads call ---- */

void thread_yield(void)
{
    unsigned long saved = platform_interrupts_save();
    struct thread *self = thread_now, *next = NULL;
    if (ready.count != 0)
        next = run_queue_exchange(&ready, self);
    if (next != NULL) {
        self->voluntary_switches++;
        self->state = THREAD_READY;
        switch_to(next);
    }
    platform_interrupts_restore(saved);
}

void preempt_give_way(void)
{
    unsigned long saved = platform_interrupts_save();
    schedule_restore(saved);
}

void thread_use_paging(struct paging_space *paging)
{
    unsigned long saved = platform_interrupts_save();
    thread_now->paging = paging;
    loaded = paging != NULL ? paging : &paging_kernel;
    paging_load(loaded);
    platform_interrupts_restore(saved);
}

int thread_set_policy(struct thread *thread, enum thread_policy policy, int priority)
{
    bool is_real_time = policy == THREAD_FIFO || policy == THREAD_ROUND_ROBIN;
    bool is_fair = policy == THREAD_FAIR || policy == THREAD_BATCH || policy == THREAD_IDLE;
    if (!is_real_time && !is_fair)
        return -EINVAL;
    if (is_fair ? priority != 0 : priority < 1 || priority > THREAD_PRIORITY_HIGHEST)
        return -EINVAL;
    unsigned long saved = platform_interrupts_save();
    thread->policy = policy;
    thread->base_priority = (uint8_t)priority;
    mutex_update_priority(thread);
    schedule_restore(saved);
    return 0;
}

void thread_set_nice(struct thread *thread, int nice)
{
    thread->nice = (int8_t)(nice < -20 ? -20 : nice > 19 ? 19 : nice);
}

/* ---- birth and death ---- */

struct thread *thread_create(const char *name, void (*run)(void *), void *argument)
{
    struct thread *thread = heap_cache_alloc(threads);
    uint32_t stack = thread != NULL ? stack_alloc() : 0;
    if (stack == 0) {
        if (thread != NULL)
            heap_cache_free(threads, thread);
        return NULL;
    }
    *thread = (struct thread){.run = run, .argument = argument, .state = THREAD_NEW};
    thread->stack_start = stack;
    thread->stack_end = stack + STACK_BYTES;
    thread_set_name(thread, name);
    /* Below a user thread's trap frame: what thread_switch pops, four registers and where to go on.
     */
    uint32_t *top = (uint32_t *)(thread->stack_end - FRAME_ROOM);
    *--top = (uint32_t)thread_entry;
    for (unsigned i = 0; i < 4; i++)
        *--top = 0;
    thread->saved_esp = (uint32_t)top;
    unsigned long saved = platform_interrupts_save();
    link_thread(thread);
    platform_interrupts_restore(saved);
    return thread;
}

void thread_set_name(struct thread *thread, const char *name)
{
    size_t length = strnlen(name, THREAD_NAME_SIZE - 1);
    memcpy(thread->name, name, length);
    thread->name[length] = '\0';
}

void thread_discard(struct thread *thread)
{
    unsigned long saved = platform_interrupts_save();
    unlink_thread(thread);
    platform_interrupts_restore(saved);
    free_thread(thread);
}

void thread_start(struct thread *thread)
{
    unsigned long saved = platform_interrupts_save();
    schedule_ready(thread);
    schedule_restore(saved);
}

/* thread_entry comes here, with interrupts off. */
_Noreturn void thread_begin(struct thread *from)
{
    (void)from;
    finish_switch();
    __asm__ volatile("sti" : : : "memory");
    thread_now->run(thread_now->argument);
    thread_exit();
}

_Noreturn void thread_exit(void)
{
    (void)platform_interrupts_save();
    if (thread_now->held != NULL || thread_now == &boot_thread)
        panic("thread '%s' ends, and must not", thread_now->name);
    thread_now->state = THREAD_DEAD;
    unlink_thread(thread_now);
    reaped = thread_now;
    schedule_away();
    panic("a thread that ended runs");
}

void thread_init(void)
{
    threads = heap_cache_create("thread", sizeof(struct thread), 16);
    if (threads == NULL)
        refuse("no memory for the first thread");
    boot_thread.stack_start = MAP_STACK_START;
    boot_thread.stack_end = MAP_STACK_END;
    boot_thread.paging = &paging_kernel;
    boot_thread.state = THREAD_RUNNING;
    thread_set_name(&boot_thread, "monitor");
    link_thread(&boot_thread);
    idle = thread_create("idle", (void (*)(void *))idle_run, NULL);
    if (idle == NULL)
        refuse("no memory for the idle thread");
    idle->paging = &paging_kernel;
    timer_set_tick(on_tick);
    trap_hooks.after_interrupt = schedule_give_way;
}

/* ---- looking ---- */

uint32_t thread_count(void)
{
    return all_count;
}

uint32_t thread_ready_count(void)
{
    return ready.count + (thread_now != idle);
}

void thread_read_times(struct thread_times *out)
{
    unsigned long saved = platform_interrupts_save();
    *out = times;
    platform_interrupts_restore(saved);
}

void thread_visit(thread_visitor visit, void *context)
{
    preempt_disable();
    for (const struct thread *thread = all; thread != NULL; thread = thread->all_next)
        if (!visit(context, thread))
            break;
    preempt_enable();
}
