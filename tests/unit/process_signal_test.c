#include "kernel/file/linux.h"
#include "kernel/process/signal.h"
#include "tests/unit/test.h"

/* signal(7), "Signal numbering" and "Standard signals". */
TEST(signals_have_their_default_actions)
{
    for (int signal = 1; signal <= SIGNAL_COUNT; signal++) {
        enum signal_default expected = SIGNAL_ENDS;
        if (signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH)
            expected = SIGNAL_IGNORED;
        if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU)
            expected = SIGNAL_STOPS;
        if (signal == SIGCONT)
            expected = SIGNAL_CONTINUES;
        CHECK_EQUAL(signal_default_of(signal), expected);
    }
}

TEST(signals_come_in_order)
{
    CHECK_EQUAL(signal_first(0), 0);
    for (int signal = 1; signal <= SIGNAL_COUNT; signal++)
        CHECK_EQUAL(signal_first(signal_bit(signal)), signal);
    CHECK_EQUAL(signal_first(~0ull), SIGKILL);
    CHECK_EQUAL(signal_first(signal_bit(SIGHUP) | signal_bit(SIGSEGV)), SIGSEGV);
    CHECK_EQUAL(signal_first(signal_bit(64) | signal_bit(40) | signal_bit(SIGUSR1)), SIGUSR1);
    CHECK_EQUAL(signal_first(signal_bit(64) | signal_bit(33)), 33);
}
