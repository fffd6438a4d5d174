#include "kernel/debug/monitor/parse.h"
#include "kernel/include/errors.h"
#include "tests/unit/test.h"

TEST(parse_number_table)
{
    static const struct {
        const char *text;
        int result;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"4096", 0, 4096},
        {"0x1000", 0, 0x1000},
        {"0XfF", 0, 255},
        {"18446744073709551615", 0, UINT64_MAX},
        {"0xFFFFFFFFFFFFFFFF", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"0x10000000000000000", -ERANGE, 0},
        {"99999999999999999999999", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"0x", -EINVAL, 0},
        {"x", -EINVAL, 0},
        {"12a", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"0x1g", -EINVAL, 0},
        {"99999999999999999999999x", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint64_t value = 77;
        int result = parse_number(cases[i].text, &value);
        if (result != cases[i].result || value != (result == 0 ? cases[i].value : 77))
            test_fail(__FILE__, __LINE__, "\"%s\" gives %d, %" PRIu64, cases[i].text, result,
                      value);
    }
}

TEST(parse_run_part_is_found_as_a_word_only)
{
    CHECK(strcmp(parse_run_part("run=mem; cpu"), "mem; cpu") == 0);
    CHECK(strcmp(parse_run_part("kernel.elf video=text run=a run=b"), "a run=b") == 0);
    CHECK(strcmp(parse_run_part("x\nrun="), "") == 0);
    CHECK(parse_run_part("") == NULL);
    CHECK(parse_run_part("prerun=mem") == NULL);
    CHECK(parse_run_part("run") == NULL);
    CHECK(strcmp(parse_run_part("\ta\trun=b\tc"), "b\tc") == 0);
    CHECK(parse_run_part("a;run=b") == NULL); /* blanks alone end words */
}

static void check_commands(const char *list, const char *const *expected, unsigned wanted)
{
    char command[64];
    unsigned count = 0;
    while ((list = parse_next_command(list, command, sizeof(command))) != NULL) {
        CHECK(count < wanted);
        CHECK(strcmp(command, expected[count++]) == 0);
    }
    CHECK_EQUAL(count, wanted);
}

TEST(parse_next_command_walks_the_list)
{
    static const char *const expected[] = {"mem", "mem who  0x10", "c"};
    check_commands(";; mem ;\n\r\nmem who  0x10\t\n c", expected, ARRAY_COUNT(expected));
    check_commands(" ;\n; ", NULL, 0);
}

TEST(parse_next_command_leaves_what_is_quoted)
{
    static const char *const expected[] = {"a 'b; c' \"d;\ne\"", "f\\;g", "h 'i; j"};
    check_commands("a 'b; c' \"d;\ne\" ; f\\;g; h 'i; j", expected, ARRAY_COUNT(expected));
}
