#include "kernel/cpu/fpu.h"
#include "kernel/cpu/registers.h"
#include "kernel/file/linux.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/process/internal.h"
#include "kernel/process/user.h"
#include "kernel/space/usercopy.h"

/*
 * What a handler finds on its stack, in Linux's layout (arch/x86/include/asm/sigframe.h), from the
 * lowest address up:
 *
 *      return address     the restorer, which makes sigreturn or rt_sigreturn
 *      signal number
 *      plain: sigcontext, room, upper half of the mask, code
 *      SA_SIGINFO: pointers to the next two; siginfo; ucontext; code
 *      ...
 *      FPU state          what sigcontext points at: FNSAVE's format, then FXSAVE's
 */
#define LEGACY_BYTES  112u /* FNSAVE's 108, status again, and which formats follow */
#define FPSTATE_BYTES (LEGACY_BYTES + FPU_STATE_BYTES)
#define MAGIC_FXSR    0x0000u
#define MAGIC_REGULAR 0xFFFFu
#define EFLAGS_OF_USERS                                                                            \
    0x00050DD5u /* what sigreturn may change: AC, OF, DF, TF, SF, ZF, AF, PF, CF */

struct plain_frame {
    uint32_t return_address, signal;
    struct linux_sigcontext context;
    uint8_t room[FPSTATE_BYTES];
    uint32_t extra_mask;
    uint8_t code[8];
};

struct rt_frame {
    uint32_t return_address, signal, information_at, context_at;
    uint8_t information[SIGINFO_BYTES];
    struct linux_ucontext context;
    uint8_t code[8];
};

/* What is written of a plain frame: the room stays as it is. */
struct plain_head {
    uint32_t return_address, signal;
    struct linux_sigcontext context;
};

static uint16_t half_at(const uint8_t *bytes, size_t offset)
{
    return (uint16_t)(bytes[offset] | bytes[offset + 1] << 8);
}

static void put_word(uint8_t *bytes, size_t offset, uint32_t value)
{
    memcpy(bytes + offset, &value, sizeof(value));
}

/* FXSAVE keeps one bit a register; FNSAVE two: 3 is empty. What is in between (zero, special) is
 * for whoever looks, and 0, "valid", is always allowed (Intel SDM 1, 8.1.7). */
static uint16_t full_tags(uint8_t tags)
{
    uint16_t full = 0;
    for (unsigned i = 0; i < 8; i++)
        if (!(tags >> i & 1))
            full |= (uint16_t)(3u << 2 * i);
    return full;
}

static uint8_t short_tags(uint16_t full)
{
    uint8_t tags = 0;
    for (unsigned i = 0; i < 8; i++)
        if ((full >> 2 * i & 3) != 3)
            tags |= (uint8_t)(1u << i);
    return tags;
}

/* FNSAVE's image from FXSAVE's (Intel SDM 1, 8.1.10 and 10.5.1). */
static void make_legacy(uint8_t legacy[LEGACY_BYTES], const uint8_t *state)
{
    memset(legacy, 0, LEGACY_BYTES);
    if (!fpu_has_fxsave()) {
        memcpy(legacy, state, FPU_FNSAVE_BYTES);
    } else {
        put_word(legacy, 0, 0xFFFF0000u | half_at(state, 0));
        put_word(legacy, 4, 0xFFFF0000u | half_at(state, 2));
        put_word(legacy, 8, 0xFFFF0000u | full_tags(state[4]));
        memcpy(legacy + 12, state + 8, 4); /* instruction pointer */
        put_word(legacy, 16, half_at(state, 12) | (uint32_t)half_at(state, 6) << 16);
        memcpy(legacy + 20, state + 16, 4); /* data pointer */
        put_word(legacy, 24, 0xFFFF0000u | half_at(state, 20));
        for (unsigned i = 0; i < 8; i++)
            memcpy(legacy + 28 + 10 * i, state + 32 + 16 * i, 10);
    }
    memcpy(legacy + 108, legacy + 4, 2);
    put_word(legacy, 108,
             half_at(legacy, 4) | (fpu_has_fxsave() ? MAGIC_FXSR : MAGIC_REGULAR) << 16);
}

/* The other way round: what the handler changed in FNSAVE's image counts. */
static void take_legacy(uint8_t *state, const uint8_t legacy[LEGACY_BYTES])
{
    memcpy(state + 0, legacy + 0, 2);
    memcpy(state + 2, legacy + 4, 2);
    state[4] = short_tags(half_at(legacy, 8));
    memcpy(state + 6, legacy + 18, 2);
    memcpy(state + 8, legacy + 12, 4);
    memcpy(state + 12, legacy + 16, 2);
    memcpy(state + 16, legacy + 20, 4);
    memcpy(state + 20, legacy + 24, 2);
    for (unsigned i = 0; i < 8; i++)
        memcpy(state + 32 + 16 * i, legacy + 28 + 10 * i, 10);
}

/* The handler begins with a fresh state. */
static int push_fpu(uint32_t at)
{
    uint8_t legacy[LEGACY_BYTES];
    void *state = thread_current()->fpu;
    fpu_save(state);
    make_legacy(legacy, state);
    int error = space_copy_to_user(at, legacy, sizeof(legacy));
    if (error == 0 && fpu_has_fxsave())
        error = space_copy_to_user(at + LEGACY_BYTES, state, FPU_STATE_BYTES);
    if (error != 0)
        return error;
    preempt_disable();
    fpu_reset(state);
    fpu_load(state);
    preempt_enable();
    return 0;
}

static int pop_fpu(uint32_t at)
{
    uint8_t legacy[LEGACY_BYTES];
    uint8_t state[FPU_STATE_BYTES] __attribute__((aligned(FPU_STATE_ALIGNMENT)));
    int error = space_copy_from_user(legacy, at, sizeof(legacy));
    if (error == 0 && fpu_has_fxsave())
        error = space_copy_from_user(state, at + LEGACY_BYTES, sizeof(state));
    if (error != 0)
        return error;
    if (fpu_has_fxsave())
        take_legacy(state, legacy);
    else
        memcpy(state, legacy, FPU_FNSAVE_BYTES);
    preempt_disable();
    memcpy(thread_current()->fpu, state, sizeof(state));
    fpu_load(thread_current()->fpu);
    preempt_enable();
    return 0;
}

static struct linux_sigcontext make_context(const struct user_thread *thread,
                                            const struct trap_frame *frame, uint32_t fpstate,
                                            signal_set_t mask)
{
    return (struct linux_sigcontext){
        .gs = frame->gs & 0xFFFF,
        .fs = frame->fs & 0xFFFF,
        .es = frame->es & 0xFFFF,
        .ds = frame->ds & 0xFFFF,
        .edi = frame->edi,
        .esi = frame->esi,
        .ebp = frame->ebp,
        .esp = frame->user_esp,
        .ebx = frame->ebx,
        .edx = frame->edx,
        .ecx = frame->ecx,
        .eax = frame->eax,
        .trapno = thread->fault_trap,
        .err = thread->fault_error,
        .eip = frame->eip,
        .cs = frame->cs & 0xFFFF,
        .eflags = frame->eflags,
        .esp_at_signal = frame->user_esp,
        .ss = frame->user_ss & 0xFFFF,
        .fpstate = fpstate,
        .oldmask = (uint32_t)mask,
        .cr2 = thread->fault_address,
    };
}

static bool is_on_stack(const struct signal_stack *stack, uint32_t address)
{
    return stack->size != 0 && address - stack->start - 1 < stack->size;
}

static uint32_t choose_stack(const struct user_thread *thread, const struct signal_action *action,
                             uint32_t esp)
{
    const struct signal_stack *stack = &thread->stack;
    if (action->flags & SA_ONSTACK && stack->size != 0 && !is_on_stack(stack, esp))
        return stack->start + stack->size;
    return esp;
}

static int push_plain(const struct user_thread *thread, const struct trap_frame *frame,
                      const struct signal_action *action, int signal, uint32_t at, uint32_t fpstate,
                      signal_set_t mask)
{
    const struct plain_head head = {.return_address = action->restorer,
                                    .signal = (uint32_t)signal,
                                    .context = make_context(thread, frame, fpstate, mask)};
    int error = space_copy_to_user(at, &head, sizeof(head));
    if (error != 0)
        return error;
    return space_write_user32(at + offsetof(struct plain_frame, extra_mask),
                              (uint32_t)(mask >> 32));
}

static struct linux_sigaltstack describe_stack(const struct user_thread *thread, uint32_t esp)
{
    const struct signal_stack *stack = &thread->stack;
    uint32_t flags = stack->size == 0 ? SS_DISABLE : is_on_stack(stack, esp) ? SS_ONSTACK : 0;
    return (struct linux_sigaltstack){stack->start, flags | stack->flags, stack->size};
}

static int push_rt(const struct user_thread *thread, const struct trap_frame *frame,
                   const struct signal_action *action, const struct signal_information *information,
                   uint32_t at, uint32_t fpstate, signal_set_t mask)
{
    struct rt_frame whole = {
        .return_address = action->restorer,
        .signal = (uint32_t)information->signal,
        .information_at = at + offsetof(struct rt_frame, information),
        .context_at = at + offsetof(struct rt_frame, context),
        .context = {.stack = describe_stack(thread, frame->user_esp),
                    .context = make_context(thread, frame, fpstate, mask),
                    .mask = mask},
    };
    memcpy(whole.information, information, sizeof(*information));
    return space_copy_to_user(at, &whole, sizeof(whole));
}

int signal_frame_push(struct user_thread *thread, struct trap_frame *frame,
                      const struct signal_action *action,
                      const struct signal_information *information, signal_set_t mask)
{
    bool is_rt = action->flags & SA_SIGINFO;
    uint32_t top = choose_stack(thread, action, frame->user_esp);
    /* FXSAVE's image is aligned; the handler finds its stack as a call would leave it. */
    uint32_t fpstate = ((top - FPU_STATE_BYTES) & ~63u) - LEGACY_BYTES;
    uint32_t bytes = is_rt ? sizeof(struct rt_frame) : sizeof(struct plain_frame);
    uint32_t at = ((fpstate - bytes + 4) & ~15u) - 4;
    int error = is_rt ? push_rt(thread, frame, action, information, at, fpstate, mask)
                      : push_plain(thread, frame, action, information->signal, at, fpstate, mask);
    if (error == 0)
        error = push_fpu(fpstate);
    if (error != 0)
        return error;
    frame->user_esp = at;
    frame->eip = action->handler;
    frame->eax = (uint32_t)information->signal;
    frame->edx = is_rt ? at + offsetof(struct rt_frame, information) : 0;
    frame->ecx = is_rt ? at + offsetof(struct rt_frame, context) : 0;
    frame->cs = SELECTOR_USER_CODE;
    frame->ds = frame->es = frame->user_ss = SELECTOR_USER_DATA;
    frame->eflags &= ~(EFLAGS_DF | EFLAGS_TF);
    return 0;
}

/* Selectors of users only: the code segment is the one there is. */
static void take_context(struct trap_frame *frame, const struct linux_sigcontext *context)
{
    frame->gs = context->gs & 0xFFFF;
    frame->fs = context->fs & 0xFFFF;
    frame->es = context->es & 0xFFFF;
    frame->ds = context->ds & 0xFFFF;
    frame->edi = context->edi;
    frame->esi = context->esi;
    frame->ebp = context->ebp;
    frame->user_esp = context->esp;
    frame->ebx = context->ebx;
    frame->edx = context->edx;
    frame->ecx = context->ecx;
    frame->eax = context->eax;
    frame->eip = context->eip;
    frame->cs = SELECTOR_USER_CODE;
    frame->user_ss = SELECTOR_USER_DATA;
    frame->eflags = (frame->eflags & ~EFLAGS_OF_USERS) | (context->eflags & EFLAGS_OF_USERS);
    frame->vector = 0;
}

static int32_t refuse(void)
{
    signal_fault(SIGSEGV, SI_KERNEL, 0);
    return 0;
}

static int32_t take_back(struct trap_frame *frame, const struct linux_sigcontext *context,
                         signal_set_t mask)
{
    if (context->fpstate != 0 && pop_fpu(context->fpstate) != 0)
        return refuse();
    take_context(frame, context);
    signal_set_blocked(mask);
    return (int32_t)frame->eax;
}

/* The restorer took the signal's number off the stack, and its own address went with the handler.
 */
int32_t signal_return(struct trap_frame *frame)
{
    struct plain_head head;
    uint32_t extra, at = frame->user_esp - 8;
    if (space_copy_from_user(&head, at, sizeof(head)) != 0 ||
        space_read_user32(&extra, at + offsetof(struct plain_frame, extra_mask)) != 0)
        return refuse();
    return take_back(frame, &head.context, head.context.oldmask | (signal_set_t)extra << 32);
}

int32_t signal_return_rt(struct trap_frame *frame)
{
    struct linux_ucontext context;
    uint32_t at = frame->user_esp - 4 + offsetof(struct rt_frame, context);
    if (space_copy_from_user(&context, at, sizeof(context)) != 0)
        return refuse();
    struct user_thread *thread = user_thread_current();
    int32_t result = take_back(frame, &context.context, context.mask);
    if (!is_on_stack(&thread->stack, frame->user_esp))
        thread->stack = context.stack.flags & SS_DISABLE
                            ? (struct signal_stack){0}
                            : (struct signal_stack){context.stack.sp, context.stack.size, 0};
    return result;
}
