// Signals: actions, masks, stacks, what a handler is told, interrupted calls, faults of arithmetic.
#include "check.h"

#include <fenv.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile int calls, last_signal, last_code;
static volatile uintptr_t last_address, handler_stack;
static volatile bool was_blocked, usr2_was_blocked;

static void note(int number, siginfo_t *info, void *context)
{
    sigset_t set;
    (void)context;
    calls++;
    last_signal = number;
    last_code = info->si_code;
    last_address = (uintptr_t)info->si_addr;
    handler_stack = (uintptr_t)&set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    was_blocked = sigismember(&set, number) == 1;
    usr2_was_blocked = sigismember(&set, SIGUSR2) == 1;
}

static void handle(int number, int flags)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    MUST(sigaction(number, &action, NULL));
    calls = 0;
}

static void actions(void)
{
    SECTION("rt_sigaction");
    struct sigaction action = {.sa_handler = SIG_IGN}, old;
    TRY(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
    TRY(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
    TRY(syscall(SYS_rt_sigaction, SIGKILL, &action, NULL, 8));
    TRY(syscall(SYS_rt_sigaction, SIGSTOP, &action, NULL, 8));
    TRY(syscall(SYS_rt_sigaction, SIGKILL, NULL, NULL, 8));
    TRY(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
    TRY(syscall(SYS_rt_sigaction, SIGUSR1, 1, NULL, 8));
    TRY(syscall(SYS_rt_sigaction, SIGUSR1, NULL, 1, 8));
    handle(SIGUSR1, 0);
    TRUE(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_sigaction == note &&
         (old.sa_flags & SA_SIGINFO) != 0);
    TRY(raise(SIGUSR1));
    TRUE(calls == 1 && last_signal == SIGUSR1 && was_blocked);
    handle(SIGUSR1, SA_NODEFER);
    TRY(raise(SIGUSR1));
    TRUE(calls == 1 && !was_blocked);
    handle(SIGUSR1, SA_RESETHAND);
    TRY(raise(SIGUSR1));
    TRUE(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
    struct sigaction masking = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigaddset(&masking.sa_mask, SIGUSR2);
    MUST(sigaction(SIGUSR1, &masking, NULL));
    TRY(raise(SIGUSR1));
    TRUE(usr2_was_blocked);
    MUST(kill(getpid(), SIGUSR1));
    TRUE(last_code == SI_USER);
    signal(SIGUSR1, SIG_IGN);
    TRY(raise(SIGUSR1));
    IN_CHILD("the default of SIGCHLD is to be ignored", raise(SIGCHLD));
    IN_CHILD("the default of SIGUSR1", signal(SIGUSR1, SIG_DFL); raise(SIGUSR1));
    IN_CHILD("SIGKILL cannot be blocked", {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        raise(SIGKILL);
    });
}

/* What the kernel has of a signal, past the C library. */
struct raw_action {
    uintptr_t handler;
    unsigned flags;
    uintptr_t restorer;
    unsigned long long mask;
};

static struct raw_action shown(int number)
{
    struct raw_action action;
    MUST(syscall(SYS_rt_sigaction, number, NULL, &action, 8));
    return action;
}

static bool is_shown(int number, struct raw_action action)
{
    struct raw_action now = shown(number);
    return now.handler == action.handler && now.flags == action.flags &&
           now.restorer == action.restorer && now.mask == action.mask;
}

/* With the C library's restorer. */
static struct raw_action set(int number, uintptr_t handler, unsigned flags, unsigned long long mask)
{
    handle(number, 0);
    struct raw_action action = shown(number);
    action.handler = handler;
    action.flags |= flags;
    action.mask = mask;
    MUST(syscall(SYS_rt_sigaction, number, &action, NULL, 8));
    return action;
}

static void shown_actions(void)
{
    SECTION("what rt_sigaction shows");
    const uintptr_t address = (uintptr_t)note;
    struct raw_action action = set(SIGUSR1, address, SA_RESTART, 0x8000000000000200);
    TRUE(is_shown(SIGUSR1, action));
    action = set(SIGUSR1, address, 0, ~0ull);
    action.mask &= ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1));
    TRUE(is_shown(SIGUSR1, action));
    action = set(SIGUSR1, (uintptr_t)SIG_IGN, SA_RESTART, 5);
    TRUE(is_shown(SIGUSR1, action));
    action = set(SIGUSR1, (uintptr_t)SIG_DFL, SA_NODEFER, 7);
    TRUE(is_shown(SIGUSR1, action));
    action = set(SIGUSR1, address, SA_RESETHAND, 6);
    MUST(raise(SIGUSR1));
    action.handler = (uintptr_t)SIG_DFL;
    TRUE(calls == 1 && is_shown(SIGUSR1, action));
    action = set(64, address, SA_NODEFER, 9);
    TRUE(is_shown(64, action) && shown(63).handler == 0 && shown(63).flags == 0);
    MUST(raise(64));
    TRUE(calls == 1 && last_signal == 64 && !was_blocked);
}

static void actions_of_children(void)
{
    SECTION("a child begins with its parent's actions, and each changes its own");
    const uintptr_t address = (uintptr_t)note;
    const struct raw_action first = set(SIGUSR1, address, SA_RESTART, 2);
    const struct raw_action second = set(SIGUSR2, address, SA_NODEFER, 4);
    int ends[2];
    char byte = 0;
    IN_CHILD("what the child changes", {
        bool same = is_shown(SIGUSR1, first) && is_shown(SIGUSR2, second);
        struct raw_action own = set(SIGUSR1, address, SA_NODEFER, 8);
        _exit(same && is_shown(SIGUSR1, own) && is_shown(SIGUSR2, second) ? 0 : 1);
    });
    TRUE(is_shown(SIGUSR1, first) && is_shown(SIGUSR2, second));
    MUST(pipe(ends));
    int child = fork();
    if (child == 0)
        _exit(read(ends[0], &byte, 1) == 1 && is_shown(SIGUSR1, first) && raise(SIGUSR2) == 0 &&
                      last_signal == SIGUSR2
                  ? 0
                  : 1);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_DFL);
    MUST(write(ends[1], &byte, 1));
    ENDED(child); /* had not what the parent changed */
    set(SIGUSR1, address, 0, 0);
    IN_CHILD("a handler taken back", handle(SIGUSR1, 0); signal(SIGUSR1, SIG_DFL); raise(SIGUSR1));
    IN_CHILD("a handler that runs once", set(SIGUSR1, address, SA_RESETHAND, 0); raise(SIGUSR1);
             raise(SIGUSR1));
    TRUE(raise(SIGUSR1) == 0 && last_signal == SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    IN_CHILD("an ignored signal in a child's child", {
        int inner = fork();
        if (inner == 0)
            _exit(raise(SIGUSR1));
        ENDED(inner);
    });
    close(ends[0]);
    close(ends[1]);
}

static void masks(void)
{
    SECTION("rt_sigprocmask, rt_sigpending, rt_sigsuspend");
    sigset_t set, old, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    TRY(syscall(SYS_rt_sigprocmask, 99, &set, NULL, 8));
    TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4));
    TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 1, NULL, 8));
    handle(SIGUSR1, 0);
    TRY(sigprocmask(SIG_BLOCK, &set, &old));
    TRUE(sigismember(&old, SIGUSR1) == 0);
    MUST(raise(SIGUSR1));
    MUST(raise(SIGUSR1));
    TRUE(calls == 0);
    TRUE(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1);
    TRY(sigsuspend(&old));
    TRUE(calls == 1); /* one of a kind is pending at most */
    TRUE(sigprocmask(SIG_BLOCK, NULL, &set) == 0 && sigismember(&set, SIGUSR1) == 1);
    MUST(raise(SIGUSR1));
    TRY(sigprocmask(SIG_SETMASK, &old, NULL));
    TRUE(calls == 2);
    handle(SIGRTMIN, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    MUST(sigprocmask(SIG_BLOCK, &set, NULL));
    for (int i = 0; i < 3; i++)
        MUST(raise(SIGRTMIN));
    MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
    VALUE(calls); /* real-time signals queue */
}

static void alternate_stack(void)
{
    SECTION("sigaltstack");
    static char room[16384];
    stack_t stack = {.ss_sp = room, .ss_size = sizeof room}, old;
    TRUE(sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
    stack.ss_size = 100;
    TRY(sigaltstack(&stack, NULL));
    stack.ss_size = sizeof room;
    stack.ss_flags = 0x40;
    TRY(sigaltstack(&stack, NULL));
    stack.ss_flags = 0;
    TRY(syscall(SYS_sigaltstack, 1, NULL));
    TRY(sigaltstack(&stack, NULL));
    handle(SIGUSR1, SA_ONSTACK);
    MUST(raise(SIGUSR1));
    TRUE(handler_stack >= (uintptr_t)room && handler_stack < (uintptr_t)room + sizeof room);
    handle(SIGUSR1, 0);
    MUST(raise(SIGUSR1));
    TRUE(!(handler_stack >= (uintptr_t)room && handler_stack < (uintptr_t)room + sizeof room));
    TRUE(sigaltstack(NULL, &old) == 0 && old.ss_sp == room && old.ss_flags == 0);
    stack.ss_flags = SS_DISABLE;
    TRY(sigaltstack(&stack, NULL));
}

static sigjmp_buf back;

static void note_and_jump(int number, siginfo_t *info, void *context)
{
    note(number, info, context);
    siglongjmp(back, 1);
}

static void catch (int number)
{
    struct sigaction action = {.sa_sigaction = note_and_jump, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    MUST(sigaction(number, &action, NULL));
    calls = 0;
}

#define CATCH(number, act)                                                                         \
    do {                                                                                           \
        catch (number);                                                                            \
        if (sigsetjmp(back, 1) == 0)                                                               \
            act;                                                                                   \
    } while (0)

static volatile bool endless = true;

static void __attribute__((noinline)) overflow(volatile char *above)
{
    volatile char frame[PAGE];
    frame[0] = above[0];
    if (endless)
        overflow(frame);
    frame[1] = 1;
}

static void faults(void)
{
    SECTION("faults");
    char *base = map_pages(2, PROT_READ);
    MUST(munmap(base + PAGE, PAGE));
    CATCH(SIGSEGV, *(volatile char *)base = 1);
    TRUE(calls == 1 && last_code == SEGV_ACCERR && last_address == (uintptr_t)base);
    CATCH(SIGSEGV, *(volatile char *)(base + PAGE + 5));
    TRUE(calls == 1 && last_code == SEGV_MAPERR && last_address == (uintptr_t)base + PAGE + 5);
    CATCH(SIGSEGV, *(volatile char *)NULL);
    TRUE(calls == 1 && last_code == SEGV_MAPERR && last_address == 0);
    CATCH(SIGSEGV, ((void (*)(void))16)());
    TRUE(calls == 1 && last_code == SEGV_MAPERR && last_address == 16);
    CATCH(SIGILL, __asm__ volatile("ud2"));
    TRUE(calls == 1 && last_code == ILL_ILLOPN);
    CATCH(SIGSEGV, __asm__ volatile("hlt"));
    TRUE(calls == 1 && last_code == SI_KERNEL);
    CATCH(SIGTRAP, __asm__ volatile("int3"));
    TRUE(calls == 1 && last_code == SI_KERNEL);
    CATCH(SIGFPE,
          __asm__ volatile("xorl %%edx, %%edx\n\tmovl $1, %%eax\n\txorl %%ecx, %%ecx\n\tdivl %%ecx"
                           :
                           :
                           : "eax", "ecx", "edx"));
    TRUE(calls == 1 && last_code == FPE_INTDIV);
    static char room[16384];
    stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
    char here = 0;
    MUST(sigaltstack(&stack, NULL));
    CATCH(SIGSEGV, overflow(&here));
    TRUE(calls == 1 && last_code == SEGV_MAPERR);
    IN_CHILD("a stack that overflows without another one for the handler", {
        stack.ss_flags = SS_DISABLE;
        sigaltstack(&stack, NULL);
        catch (SIGSEGV);
        overflow(&here);
    });
    IN_CHILD("an ignored fault kills all the same", signal(SIGSEGV, SIG_IGN);
             *(volatile char *)NULL = 1);
    IN_CHILD("a blocked fault kills all the same", {
        sigset_t all;
        sigfillset(&all);
        catch (SIGSEGV);
        sigprocmask(SIG_SETMASK, &all, NULL);
        *(volatile char *)NULL = 1;
    });
}

static void floating_point(void)
{
    SECTION("floating-point exceptions");
    unsigned short control = 0x037F & ~4; /* division by zero */
    CATCH(SIGFPE, __asm__ volatile("fninit\n\tfldcw %0\n\tfldz\n\tfld1\n\tfdivp\n\tfwait"
                                   :
                                   : "m"(control)));
    TRUE(calls == 1 && last_code == FPE_FLTDIV);
    control = 0x037F & ~1;
    CATCH(SIGFPE, __asm__ volatile("fninit\n\tfldcw %0\n\tfldz\n\tfldz\n\tfdivp\n\tfwait"
                                   :
                                   : "m"(control)));
    TRUE(calls == 1 && last_code == FPE_FLTINV);
    __asm__ volatile("fninit");
    unsigned mxcsr =
        0x1F80 & ~0x200; /* QEMU's own translation never raises this one; processors do */
    CATCH(SIGFPE,
          __asm__ volatile(
              "ldmxcsr %0\n\tpushl $0x3f800000\n\tmovss (%%esp), %%xmm0\n\taddl $4, %%esp\n\t"
              "xorps %%xmm1, %%xmm1\n\tdivss %%xmm1, %%xmm0"
              :
              : "m"(mxcsr)
              : "memory"));
    mxcsr = 0x1F80;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    TRUE(calls == 1 && last_code == FPE_FLTDIV);
}

static volatile unsigned seen_control;
static volatile long double seen_value;

static void spoil_registers(int number)
{
    unsigned short control;
    (void)number;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    seen_control = control;
    control = 0x0F7F;
    __asm__ volatile("fninit\n\tfldcw %0\n\tfldpi\n\tfldpi\n\tfldpi" : : "m"(control));
    __asm__ volatile("pcmpeqd %%xmm3, %%xmm3" : : : "memory");
}

static void registers_around_a_handler(void)
{
    SECTION("a handler does not disturb the registers");
    struct sigaction action = {.sa_handler = spoil_registers};
    unsigned before[4] = {1, 2, 3, 4}, after[4] = {0};
    unsigned short control = 0x0E7F, control_after = 0;
    double value = 0;
    MUST(sigaction(SIGUSR1, &action, NULL));
    int pid = getpid();
    __asm__ volatile(
        "fninit\n\tfldcw %[control]\n\tfld1\n\tmovups %[before], %%xmm3\n\t"
        "movl $37, %%eax\n\tmovl %[pid], %%ebx\n\tmovl $10, %%ecx\n\tint $0x80\n\t"
        "movups %%xmm3, %[after]\n\tfstpl %[value]\n\tfnstcw %[control_after]\n\tfninit"
        : [after] "=m"(after), [value] "=m"(value), [control_after] "=m"(control_after)
        : [control] "m"(control), [before] "m"(before), [pid] "m"(pid)
        : "eax", "ebx", "ecx", "memory");
    TRUE(memcmp(before, after, sizeof after) == 0);
    TRUE(value == 1.0);
    TRUE(control_after == 0x0E7F);
    TRUE(seen_control == 0x037F); /* a handler starts with a fresh unit */
}

static void change_context(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;
    (void)number;
    (void)info;
    user->uc_mcontext.gregs[REG_EAX] = 77;
    user->uc_mcontext.gregs[REG_EIP] += 2; /* past ud2 */
}

static void context_is_taken_back(void)
{
    SECTION("what a handler changes in its context is taken back");
    struct sigaction action = {.sa_sigaction = change_context, .sa_flags = SA_SIGINFO};
    int value = 1;
    MUST(sigaction(SIGILL, &action, NULL));
    __asm__ volatile("ud2" : "+a"(value));
    VALUE(value);
    signal(SIGILL, SIG_DFL);
}

static void interrupted(void)
{
    SECTION("interrupted calls");
    int ends[2];
    char byte = 0;
    struct itimerval soon = {.it_value = {0, 50000}};
    MUST(pipe(ends));
    handle(SIGALRM, 0);
    MUST(setitimer(ITIMER_REAL, &soon, NULL));
    TRY(read(ends[0], &byte, 1));
    VALUE(calls);
    handle(SIGALRM, SA_RESTART);
    int child = fork();
    if (child == 0) {
        usleep(200000);
        _exit((int)write(ends[1], "r", 1) - 1);
    }
    MUST(setitimer(ITIMER_REAL, &soon, NULL));
    TRUE(read(ends[0], &byte, 1) == 1 && byte == 'r' &&
         calls == 1); /* begun again after the handler */
    ENDED(child);
    handle(SIGALRM, SA_RESTART);
    MUST(setitimer(ITIMER_REAL, &soon, NULL));
    TRY(pause());
    struct timespec time = {0, 300000000}, left = {9, 9};
    MUST(setitimer(ITIMER_REAL, &soon, NULL));
    TRY(nanosleep(&time, &left));
    TRUE(left.tv_sec == 0 && left.tv_nsec > 0 && left.tv_nsec < 300000000);
    handle(SIGALRM, 0);
    child = fork();
    if (child == 0) {
        usleep(200000);
        _exit(0);
    }
    MUST(setitimer(ITIMER_REAL, &soon, NULL));
    TRY(waitpid(child, NULL, 0));
    ENDED(child);
}

static void children(void)
{
    SECTION("SIGCHLD");
    sigset_t set, old;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    MUST(sigprocmask(SIG_BLOCK, &set, &old));
    int child = fork();
    if (child == 0)
        _exit(12);
    TRUE(syscall(SYS_rt_sigtimedwait, &set, &info, NULL, 8) == SIGCHLD);
    TRUE(info.si_pid == child && info.si_code == CLD_EXITED && info.si_status == 12);
    ENDED(child);
    child = fork();
    if (child == 0)
        raise(SIGKILL);
    TRUE(syscall(SYS_rt_sigtimedwait, &set, &info, NULL, 8) == SIGCHLD);
    TRUE(info.si_pid == child && info.si_code == CLD_KILLED && info.si_status == SIGKILL);
    ENDED(child);
    struct timespec brief = {0, 1000000};
    TRY(syscall(SYS_rt_sigtimedwait, &set, &info, &brief, 8));
    MUST(sigprocmask(SIG_SETMASK, &old, NULL));
    signal(SIGCHLD, SIG_IGN);
    child = fork();
    if (child == 0)
        _exit(0);
    TRY(waitpid(child, NULL, 0)); /* who ignores SIGCHLD has no children to wait for */
    signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
    actions();
    shown_actions();
    actions_of_children();
    masks();
    alternate_stack();
    faults();
    floating_point();
    registers_around_a_handler();
    context_is_taken_back();
    interrupted();
    children();
    return done();
}
