#ifndef TESTS_KERNEL_SELFTEST_H
#define TESTS_KERNEL_SELFTEST_H

#include "kernel/include/types.h"

/*
 * Tests that run inside the machine: KERNEL_TEST(name) { ... SELFTEST_CHECK(condition); ... }. A
 * failed check reports and leaves the test; what the test took must then be given back by the test
 * itself, so take late and check after giving back.
 */
struct selftest {
    const char *name;
    void (*run)(void);
};

#define KERNEL_TEST(id)                                                                            \
    static void selftest_##id(void);                                                               \
    static const struct selftest selftest_entry_##id                                               \
        __attribute__((used, section(".selftests"))) = {#id, selftest_##id};                       \
    static void selftest_##id(void)

#define SELFTEST_CHECK(condition)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            selftest_fail(__FILE__, __LINE__, "%s", #condition);                                   \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* The running test has failed; the first failure counts and is printed. */
void selftest_fail(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * Runs all tests, or the one of this name, and prints on COM1 "test NAME: ok" or "test NAME:
 * FAILED: file:line: condition" for each and "selftest: N passed, N failed" at the end. Returns how
 * many failed; -ENOENT if there is none of that name. Interrupts must be on.
 */
int selftest_run(const char *name);

/* A reproducible random number, the same sequence in each test. */
uint32_t selftest_random(void);

#endif
