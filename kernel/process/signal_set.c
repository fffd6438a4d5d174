#include "kernel/process/signal.h"

#include "kernel/file/linux.h"

#define BIT(signal) (1ull << ((signal)-1))
#define IGNORED     (BIT(SIGCHLD) | BIT(SIGURG) | BIT(SIGWINCH))
#define STOPS       (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))
#define OF_FAULTS                                                                                  \
    (BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGFPE) | BIT(SIGSYS))

enum signal_default signal_default_of(int signal)
{
    if (signal == SIGCONT)
        return SIGNAL_CONTINUES;
    if (BIT(signal) & IGNORED)
        return SIGNAL_IGNORED;
    return BIT(signal) & STOPS ? SIGNAL_STOPS : SIGNAL_ENDS;
}

int signal_first(signal_set_t set)
{
    if (set == 0)
        return 0;
    if (set & BIT(SIGKILL))
        return SIGKILL;
    if (set & OF_FAULTS)
        set &= OF_FAULTS;
    uint32_t low = (uint32_t)set, high = (uint32_t)(set >> 32);
    return low != 0 ? __builtin_ctz(low) + 1 : __builtin_ctz(high) + 33;
}
