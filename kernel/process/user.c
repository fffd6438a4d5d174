#include "kernel/process/user.h"

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/segments.h"
#include "kernel/file/linux.h"
#include "kernel/include/errors.h"
#include "kernel/include/log.h"
#include "kernel/include/panic.h"
#include "kernel/lib/string.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/platform.h"
#include "kernel/process/internal.h"
#include "kernel/process/process.h"
#include "kernel/space/space.h"

/* ---- into user mode ---- */

void user_frame_init(struct trap_frame *frame, uint32_t entry, uint32_t stack)
{
    *frame = (struct trap_frame){
        .es = SELECTOR_USER_DATA,
        .ds = SELECTOR_USER_DATA,
        .eip = entry,
        .cs = SELECTOR_USER_CODE,
        .eflags = EFLAGS_ALWAYS | EFLAGS_IF,
        .user_esp = stack,
        .user_ss = SELECTOR_USER_DATA,
    };
}

void user_before(struct trap_frame *frame)
{
    struct thread *thread = thread_current();
    while (thread->work != 0) {
        if (thread->work & THREAD_WORK_SIGNAL) {
            cpu_interrupts_on();
            signal_deliver(frame);
            (void)platform_interrupts_save();
        } else {
            /* Gives way, and comes back when it is this thread's turn again. */
            thread_interrupts_restore(EFLAGS_IF);
            (void)platform_interrupts_save();
        }
    }
}

_Noreturn void user_enter(void)
{
    struct trap_frame *frame = process_user_frame();
    (void)platform_interrupts_save();
    user_before(frame);
    trap_resume(frame);
}

void user_run(void *unused)
{
    (void)unused;
    user_enter();
}

/* ---- out of it: exceptions ---- */

/* The signal and its code for an exception of user mode (Linux, arch/x86/kernel/traps.c). */
static const struct {
    uint8_t signal;
    uint8_t code;
    enum { AT_ZERO, AT_INSTRUCTION } address;
} exceptions[TRAP_EXCEPTIONS] = {
    [0] = {SIGFPE, FPE_INTDIV, AT_INSTRUCTION}, [1] = {SIGTRAP, TRAP_TRACE, AT_INSTRUCTION},
    [3] = {SIGTRAP, SI_KERNEL, AT_ZERO},        [4] = {SIGSEGV, SI_KERNEL, AT_ZERO},
    [5] = {SIGSEGV, SI_KERNEL, AT_ZERO},        [6] = {SIGILL, ILL_ILLOPN, AT_INSTRUCTION},
    [7] = {SIGSEGV, SI_KERNEL, AT_ZERO},        [9] = {SIGFPE, SI_KERNEL, AT_ZERO},
    [10] = {SIGSEGV, SI_KERNEL, AT_ZERO},       [11] = {SIGBUS, SI_KERNEL, AT_ZERO},
    [12] = {SIGBUS, SI_KERNEL, AT_ZERO},        [13] = {SIGSEGV, SI_KERNEL, AT_ZERO},
    [17] = {SIGBUS, BUS_ADRALN, AT_ZERO},
};

/* From what is raised and not masked (Linux, fpu__exception_code). */
static int fpu_code(uint32_t raised)
{
    if (raised & 1u << 0)
        return FPE_FLTINV;
    if (raised & 1u << 2)
        return FPE_FLTDIV;
    if (raised & 1u << 3)
        return FPE_FLTOVF;
    if (raised & (1u << 1 | 1u << 4))
        return FPE_FLTUND;
    return raised & 1u << 5 ? FPE_FLTRES : 0;
}

static void on_fpu_exception(const struct trap_frame *frame)
{
    void *state = thread_current()->fpu;
    fpu_save(state);
    int code = fpu_code(frame->vector == TRAP_FPU ? fpu_x87_raised(state) : fpu_sse_raised(state));
    if (code != 0) /* without one, the exception was not the program's */
        signal_fault(SIGFPE, code, frame->eip);
}

static void on_page_fault(const struct trap_frame *frame, uint32_t address)
{
    cpu_interrupts_on();
    enum space_fault fault = space_fault(process_current()->space, address, frame->error);
    (void)platform_interrupts_save();
    if (fault == SPACE_FAULT_DONE)
        return;
    if (fault == SPACE_FAULT_MAPERR || fault == SPACE_FAULT_ACCERR)
        signal_fault(SIGSEGV, fault == SPACE_FAULT_ACCERR ? SEGV_ACCERR : SEGV_MAPERR, address);
    else
        signal_fault(SIGBUS, BUS_ADRERR, address);
}

static void note_fault(const struct trap_frame *frame, uint32_t address)
{
    struct user_thread *user = user_thread_current();
    user->fault_trap = frame->vector;
    user->fault_error = frame->error;
    if (frame->vector == TRAP_PAGE_FAULT)
        user->fault_address = address;
}

static void on_exception(struct trap_frame *frame, uint32_t address)
{
    uint32_t vector = frame->vector;
    if (vector == TRAP_PAGE_FAULT) {
        note_fault(frame, address);
        on_page_fault(frame, address);
    } else if (vector == TRAP_FPU || vector == TRAP_SIMD) {
        note_fault(frame, address);
        on_fpu_exception(frame);
    } else if (exceptions[vector].signal != 0) {
        note_fault(frame, address);
        signal_fault(exceptions[vector].signal, (int)exceptions[vector].code,
                     exceptions[vector].address == AT_INSTRUCTION ? frame->eip : 0);
    } else {
        panic_trap(frame, address);
    }
}

/* A copy from or to user memory met a page that is not there yet. Whoever copies has interrupts on.
 */
static bool on_kernel_page_fault(struct trap_frame *frame, uint32_t address)
{
    const struct process *process = process_current();
    bool is_user_row = address >= MAP_USER_START && address < MAP_LIBRARY_END;
    if (process == NULL || process->space == NULL || !is_user_row || !(frame->eflags & EFLAGS_IF) ||
        !preempt_is_enabled() || !trap_can_recover(frame))
        return false;
    cpu_interrupts_on();
    enum space_fault fault = space_fault(process->space, address, frame->error | PAGE_FAULT_USER);
    (void)platform_interrupts_save();
    return fault == SPACE_FAULT_DONE;
}

static void count_down(struct process *process, struct interval_count *count, int signal)
{
    if (count->left_ns == 0)
        return;
    count->left_ns -= count->left_ns < NS_PER_TICK ? count->left_ns : NS_PER_TICK;
    if (count->left_ns != 0)
        return;
    count->left_ns = count->interval_ns;
    signal_send(process, signal, NULL);
}

static void on_tick(struct thread *thread, bool is_in_user_mode)
{
    struct process *process = thread->process;
    if (is_in_user_mode)
        count_down(process, &process->user_timer, SIGVTALRM);
    count_down(process, &process->all_timer, SIGPROF);
}

void user_init(void)
{
    thread_tick_hook = on_tick;
    trap_hooks.user_exception = on_exception;
    trap_hooks.kernel_page_fault = on_kernel_page_fault;
    trap_hooks.before_user = user_before;
}

/* ---- thread-local storage ---- */

#define DESCRIPTOR_ACCESSED  (1u << 8)
#define DESCRIPTOR_WRITABLE  (1u << 9)
#define DESCRIPTOR_EXPANDS   (1u << 10)
#define DESCRIPTOR_SEGMENT   (1u << 12)
#define DESCRIPTOR_OF_USERS  (3u << 13)
#define DESCRIPTOR_PRESENT   (1u << 15)
#define DESCRIPTOR_AVAILABLE (1u << 20)
#define DESCRIPTOR_32_BITS   (1u << 22)
#define DESCRIPTOR_PAGES     (1u << 23)
#define TLS_FIRST            (SELECTOR_TLS_FIRST / 8)

static bool is_empty(const struct linux_user_desc *description)
{
    return description->base_address == 0 && description->limit == 0 &&
           description->contents == 0 && description->read_exec_only == 1 &&
           description->seg_32bit == 0 && description->limit_in_pages == 0 &&
           description->seg_not_present == 1 && description->useable == 0;
}

/* Data segments only: a code segment would be one more way to run what is not executable. */
static uint64_t descriptor_of(const struct linux_user_desc *description)
{
    uint32_t flags = DESCRIPTOR_ACCESSED | DESCRIPTOR_SEGMENT | DESCRIPTOR_OF_USERS;
    if (is_empty(description))
        return 0;
    if (!description->read_exec_only)
        flags |= DESCRIPTOR_WRITABLE;
    if (description->contents == 1)
        flags |= DESCRIPTOR_EXPANDS;
    if (!description->seg_not_present)
        flags |= DESCRIPTOR_PRESENT;
    if (description->useable)
        flags |= DESCRIPTOR_AVAILABLE;
    if (description->seg_32bit)
        flags |= DESCRIPTOR_32_BITS;
    if (description->limit_in_pages)
        flags |= DESCRIPTOR_PAGES;
    return segments_make_tls(description->base_address, description->limit, flags);
}

static int slot_of(const struct thread *thread, uint32_t entry_number)
{
    if (entry_number == UINT32_MAX) {
        for (int i = 0; i < SELECTOR_TLS_COUNT; i++)
            if (thread->tls[i] == 0)
                return i;
        return -ESRCH;
    }
    if (entry_number - TLS_FIRST >= SELECTOR_TLS_COUNT)
        return -EINVAL;
    return (int)(entry_number - TLS_FIRST);
}

int user_set_thread_area(struct thread *thread, struct linux_user_desc *description)
{
    int slot = slot_of(thread, description->entry_number);
    if (slot < 0)
        return slot;
    if (description->contents > 1 || (!is_empty(description) && !description->seg_32bit))
        return -EINVAL;
    description->entry_number = TLS_FIRST + (uint32_t)slot;
    unsigned long saved = platform_interrupts_save();
    thread->tls[slot] = descriptor_of(description);
    if (thread == thread_current())
        segments_load(thread->stack_end - THREAD_STACK_PAD, thread->tls);
    platform_interrupts_restore(saved);
    return 0;
}

int user_get_thread_area(const struct thread *thread, struct linux_user_desc *description)
{
    if (description->entry_number - TLS_FIRST >= SELECTOR_TLS_COUNT)
        return -EINVAL;
    uint64_t value = thread->tls[description->entry_number - TLS_FIRST];
    uint32_t high = (uint32_t)(value >> 32);
    description->base_address = (uint32_t)(value >> 16 & 0xFFFFFF) | (high & 0xFF000000u);
    description->limit = (uint32_t)(value & 0xFFFF) | (high & 0xF0000u);
    description->seg_32bit = !!(high & DESCRIPTOR_32_BITS);
    description->contents = !!(high & DESCRIPTOR_EXPANDS);
    description->read_exec_only = !(high & DESCRIPTOR_WRITABLE);
    description->limit_in_pages = !!(high & DESCRIPTOR_PAGES);
    description->seg_not_present = !(high & DESCRIPTOR_PRESENT);
    description->useable = !!(high & DESCRIPTOR_AVAILABLE);
    return 0;
}

/* ---- the FPU ---- */

void user_copy_fpu(struct thread *thread)
{
    struct thread *self = thread_current();
    if (self->fpu == NULL)
        return;
    fpu_save(self->fpu);
    memcpy(thread->fpu, self->fpu, FPU_STATE_BYTES);
}

void user_reset_machine(void)
{
    struct thread *thread = thread_current();
    unsigned long saved = platform_interrupts_save();
    memset(thread->tls, 0, sizeof(thread->tls));
    segments_load(thread->stack_end - THREAD_STACK_PAD, thread->tls);
    fpu_reset(thread->fpu);
    fpu_load(thread->fpu);
    platform_interrupts_restore(saved);
}
