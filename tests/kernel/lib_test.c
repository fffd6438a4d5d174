#include "kernel/debug/symbols/symbols.h"
#include "kernel/lib/string.h"
#include "tests/kernel/selftest.h"

#define AREA 96u

static unsigned char area[AREA], expected[AREA];

static void fill(void)
{
    for (unsigned i = 0; i < AREA; i++)
        area[i] = expected[i] = (unsigned char)selftest_random();
}

static bool is_as_expected(void)
{
    for (unsigned i = 0; i < AREA; i++)
        if (area[i] != expected[i])
            return false;
    return true;
}

/* Every offset, length and overlap of small copies, against a copy a byte at a time. */
KERNEL_TEST(memmove_all_overlaps)
{
    for (unsigned to = 0; to < 24; to++)
        for (unsigned from = 0; from < 24; from++)
            for (unsigned length = 0; length < 20; length++) {
                unsigned char between[20];
                fill();
                for (unsigned i = 0; i < length; i++)
                    between[i] = expected[from + i];
                for (unsigned i = 0; i < length; i++)
                    expected[to + i] = between[i];
                bool returned = memmove(area + to, area + from, length) == area + to;
                SELFTEST_CHECK(returned && is_as_expected());
            }
}

KERNEL_TEST(memcpy_memset_all_offsets)
{
    for (unsigned at = 0; at < 9; at++)
        for (unsigned length = 0; length < 40; length++) {
            fill();
            for (unsigned i = 0; i < length; i++)
                expected[at + i] = expected[50 + i];
            memcpy(area + at, area + 50, length);
            SELFTEST_CHECK(is_as_expected());
            for (unsigned i = 0; i < length; i++)
                expected[at + i] = 0xA7;
            memset(area + at, 0x1A7, length);
            SELFTEST_CHECK(is_as_expected());
        }
}

KERNEL_TEST(strings)
{
    SELFTEST_CHECK(strlen("") == 0 && strlen("four") == 4);
    SELFTEST_CHECK(strnlen("four", 3) == 3 && strnlen("four", 9) == 4);
    SELFTEST_CHECK(strcmp("a", "a") == 0 && strcmp("a", "b") < 0 && strcmp("\x80", "a") > 0);
    SELFTEST_CHECK(strcmp("ab", "a") > 0 && strncmp("ab", "ac", 1) == 0);
    SELFTEST_CHECK(memcmp("\x01\xff", "\x01\x02", 2) > 0 && memcmp("x", "y", 0) == 0);
    const char *text = "a=b";
    SELFTEST_CHECK(strchr(text, '=') == text + 1 && strchr(text, 'x') == NULL);
    SELFTEST_CHECK(strchr(text, '\0') == text + 3);
}

/* Quotient and remainder of random numbers of random widths put the dividend together again. */
KERNEL_TEST(division_64_bit)
{
    for (unsigned i = 0; i < 20000; i++) {
        volatile uint64_t dividend = (uint64_t)selftest_random() << 32 | selftest_random();
        volatile uint64_t divisor = (uint64_t)selftest_random() << 32 | selftest_random();
        dividend >>= selftest_random() % 64;
        divisor >>= selftest_random() % 64;
        if (divisor == 0)
            continue;
        uint64_t quotient = dividend / divisor;
        uint64_t remainder = dividend % divisor;
        SELFTEST_CHECK(remainder < divisor && quotient * divisor + remainder == dividend);
        SELFTEST_CHECK(quotient == 0 || divisor <= UINT64_MAX / quotient);
    }
    volatile int64_t seven = 7, minus_two = -2, minus_seven = -7;
    SELFTEST_CHECK(seven / minus_two == -3 && seven % minus_two == 1);
    SELFTEST_CHECK(minus_seven / minus_two == 3 && minus_seven % minus_two == -1);
}

KERNEL_TEST(symbols_are_found)
{
    struct symbol symbol = symbols_find((uint32_t)symbols_find + 1);
    SELFTEST_CHECK(symbol.name != NULL && strcmp(symbol.name, "symbols_find") == 0);
    SELFTEST_CHECK(symbol.offset == 1);
    SELFTEST_CHECK(symbols_find(0).name == NULL && symbols_find(UINT32_MAX).name == NULL);
}
