#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/include/types.h"

/*
 * Host tests: TEST(name) { ... CHECK(condition) ... }. The program runs all of them, or those that
 * are named on its command line; --list prints the names. A failed check says where, the seed, and
 * ends the program.
 */
struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

void test_register(struct test *test);
_Noreturn void test_fail(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);

#define TEST(id)                                                                                   \
    static void test_##id(void);                                                                   \
    __attribute__((constructor)) static void test_register_##id(void)                              \
    {                                                                                              \
        static struct test test = {#id, test_##id, NULL};                                          \
        test_register(&test);                                                                      \
    }                                                                                              \
    static void test_##id(void)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_fail(__FILE__, __LINE__, "%s", #condition);                                       \
    } while (0)

/* Both sides as unsigned long long, with their values in the message. */
#define CHECK_EQUAL(actual, expected)                                                              \
    do {                                                                                           \
        unsigned long long actual_ = (unsigned long long)(actual);                                 \
        unsigned long long expected_ = (unsigned long long)(expected);                             \
        if (actual_ != expected_)                                                                  \
            test_fail(__FILE__, __LINE__, "%s is 0x%llx, expected 0x%llx (%s)", #actual, actual_,  \
                      expected_, #expected);                                                       \
    } while (0)

/* A reproducible random number; the seed is in SEED or made from the clock, and printed on failure.
 */
uint32_t test_random(void);
/* The numbers that follow are those that follow this one, which is not 0. */
void test_random_restart(uint32_t state);
/* In [low, high]. */
uint32_t test_random_range(uint32_t low, uint32_t high);

#endif
