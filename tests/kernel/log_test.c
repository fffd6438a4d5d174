#include "kernel/cpu/irq.h"
#include "kernel/cpu/timer.h"
#include "kernel/include/log.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/memory/platform.h"
#include "tests/kernel/selftest.h"

#define LINES 12u

static volatile unsigned lines_of_interrupt;

static void log_in_interrupt(void)
{
    if (lines_of_interrupt < LINES)
        log_line("log test, interrupt, line %u of %u", ++lines_of_interrupt, LINES);
}

/* How far both series of lines have come, each in its order. */
struct progress {
    unsigned foreground, interrupt;
};

static bool is_line(const char *line, size_t length, const char *who, unsigned number)
{
    char expected[80];
    size_t size = (size_t)format_text(expected, sizeof(expected), "] log test, %s, line %u of %u",
                                      who, number, LINES);
    return length >= size && memcmp(line + length - size, expected, size) == 0;
}

static bool follow(void *context, const char *line, size_t length)
{
    struct progress *progress = context;
    if (is_line(line, length, "foreground", 1)) /* an earlier run's lines do not count */
        *progress = (struct progress){0, 0};
    if (is_line(line, length, "foreground", progress->foreground + 1))
        progress->foreground++;
    else if (is_line(line, length, "interrupt", progress->interrupt + 1))
        progress->interrupt++;
    return true;
}

/* Lines that interrupts log while the foreground does are whole, complete and in order. */
KERNEL_TEST(log_lines_from_interrupts_stay_whole)
{
    struct progress progress = {0, 0};
    uint64_t end = timer_ticks() + 5000;
    lines_of_interrupt = 0;
    log_line("log test, foreground, line 1 of %u", LINES);
    timer_set_storm(5000, log_in_interrupt);
    for (unsigned i = 2; i <= LINES; i++)
        log_line("log test, foreground, line %u of %u", i, LINES);
    while (lines_of_interrupt < LINES && timer_ticks() < end)
        timer_wait_ticks(1);
    timer_set_storm(0, NULL);
    log_visit(follow, &progress);
    SELFTEST_CHECK(progress.foreground == LINES);
    SELFTEST_CHECK(progress.interrupt == LINES);
}

struct longest {
    size_t length;
};

static bool measure(void *context, const char *line, size_t length)
{
    struct longest *longest = context;
    (void)line;
    if (length > longest->length)
        longest->length = length;
    return true;
}

KERNEL_TEST(log_cuts_long_lines)
{
    char text[2 * LOG_LINE_SIZE];
    struct longest longest = {0};
    memset(text, '.', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    log_line("%s", text);
    log_visit(measure, &longest);
    SELFTEST_CHECK(longest.length == LOG_LINE_SIZE - 1);
}

/* From a position on: what was logged behind it, and nothing of before. */
KERNEL_TEST(log_is_visited_from_a_position)
{
    struct longest longest = {0};
    uint32_t position = log_position();
    log_visit_since(position, measure, &longest);
    SELFTEST_CHECK(longest.length == 0);
    log_text("twelve bytes\n", 13);
    log_visit_since(position, measure, &longest);
    SELFTEST_CHECK(longest.length == 12 && log_position() == position + 13);
    longest.length = 0;
    log_visit_since(position - LOG_RING_SIZE - 1, measure, &longest); /* lost: the oldest on */
    SELFTEST_CHECK(longest.length >= 12);
}

/* A line that is not in service when its interrupt arrives is no interrupt. */
KERNEL_TEST(spurious_interrupts_are_recognised)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t before[3] = {irq_spurious_count(), irq_count(7), irq_count(15)};
    irq_dispatch(7, NULL);
    irq_dispatch(15, NULL);
    uint32_t after[3] = {irq_spurious_count(), irq_count(7), irq_count(15)};
    platform_interrupts_restore(saved);
    SELFTEST_CHECK(after[0] == before[0] + 2 && after[1] == before[1] && after[2] == before[2]);
}
