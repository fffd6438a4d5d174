#include "kernel/lib/format.h"
#include "tests/unit/test.h"

/* The host's own snprintf is the oracle. */
#define SAME_AS_HOST(...)                                                                          \
    do {                                                                                           \
        char ours[128], theirs[128];                                                               \
        int length = format_text(ours, sizeof(ours), __VA_ARGS__);                                 \
        CHECK_EQUAL(length, snprintf(theirs, sizeof(theirs), __VA_ARGS__));                        \
        if (strcmp(ours, theirs) != 0)                                                             \
            test_fail(__FILE__, __LINE__, "\"%s\", expected \"%s\"", ours, theirs);                \
    } while (0)

TEST(format_numbers)
{
    SAME_AS_HOST("%d %i %u", -5, 7, 4000000000u);
    SAME_AS_HOST("%08x|%-8x|%8X|%#x", 0xbeefu, 0xbeefu, 0xbeefu, 0xbeefu);
    SAME_AS_HOST("%lld %llu %llx", INT64_MIN + 0ll, UINT64_MAX + 0ull, 1ull << 63);
    SAME_AS_HOST("%hhu %hd %zu %ld", (unsigned char)200, (short)-3, (size_t)77, -9L);
    SAME_AS_HOST("%+d % d %05d %-5d| %.3d %*d %.*u", 4, 4, -42, -42, 7, 6, 1, 4, 2u);
    SAME_AS_HOST("%p", (void *)0x1234);
}

TEST(format_texts)
{
    SAME_AS_HOST("%s|%10s|%-10s|%.2s|%c|%%", "abc", "abc", "abc", "abc", 'x');
    SAME_AS_HOST("%.*s", 2, "wxyz");
}

TEST(format_cuts_what_does_not_fit)
{
    char small[4] = "???";
    CHECK_EQUAL(format_text(small, sizeof(small), "%s", "abcdef"), 6);
    CHECK(strcmp(small, "abc") == 0);
    CHECK_EQUAL(format_text(NULL, 0, "%d", 12345), 5);
}

static void name(uintptr_t address, char *name, size_t size)
{
    if (address != 0x1000)
        format_text(name, size, "function_at_%zx+0x4", (size_t)address);
}

TEST(format_names_callers)
{
    static const struct {
        uintptr_t address;
        void (*names)(uintptr_t address, char *name, size_t size);
        const char *text;
    } cases[] = {
        {0x1234, NULL, "by 0x00001234, 7"},
        {0x1234, name, "by 0x00001234 function_at_1234+0x4, 7"},
        {0x1000, name, "by 0x00001000, 7"},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[64];
        format_name_caller = cases[i].names;
        CHECK_EQUAL(format_text(text, sizeof(text), "by %pS, %d", (void *)cases[i].address, 7),
                    strlen(cases[i].text));
        CHECK(strcmp(text, cases[i].text) == 0);
    }
    format_name_caller = NULL;
}

TEST(format_random)
{
    static const char *const formats[] = {"%llx", "%020lld", "%-25llu|", "%+lld", "%.12llx"};
    for (int i = 0; i < 20000; i++) {
        unsigned long long value = (unsigned long long)test_random() << 32 | test_random();
        char ours[64], theirs[64];
        value >>= test_random_range(0, 63);
        const char *format = formats[test_random_range(0, ARRAY_COUNT(formats) - 1)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
        format_text(ours, sizeof(ours), format, value);
        snprintf(theirs, sizeof(theirs), format, value);
#pragma GCC diagnostic pop
        CHECK(strcmp(ours, theirs) == 0);
    }
}
