#include "tests/kernel/selftest.h"

#include <stdarg.h>

#include "kernel/device/serial/serial.h"
#include "kernel/include/errors.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

/* kernel.ld.S: what KERNEL_TEST registers. */
extern const struct selftest selftests_start[], selftests_end[];

static char failure[160]; /* of the running test; "" if none */
static uint32_t random_state;

static void say(const char *format, ...) PRINTF_LIKE(1, 2);
static void say(const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int length = format_text_arguments(line, sizeof(line), format, arguments);
    va_end(arguments);
    serial_write(line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

void selftest_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    if (failure[0] != '\0')
        return;
    int length = format_text(failure, sizeof(failure), "%s:%d: ", file, line);
    va_start(arguments, format);
    format_text_arguments(failure + length, sizeof(failure) - (size_t)length, format, arguments);
    va_end(arguments);
}

/* xorshift32: never zero. */
uint32_t selftest_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static bool passes(const struct selftest *test)
{
    failure[0] = '\0';
    random_state = 2463534242u;
    test->run();
    if (failure[0] == '\0')
        say("test %s: ok\n", test->name);
    else
        say("test %s: FAILED: %s\n", test->name, failure);
    return failure[0] == '\0';
}

int selftest_run(const char *name)
{
    unsigned passed = 0;
    unsigned failed = 0;
    for (const struct selftest *test = selftests_start; test < selftests_end; test++) {
        if (name != NULL && strcmp(name, test->name) != 0)
            continue;
        if (passes(test))
            passed++;
        else
            failed++;
    }
    if (passed + failed == 0)
        return -ENOENT;
    say("selftest: %u passed, %u failed\n", passed, failed);
    return (int)failed;
}
