#include "kernel/debug/monitor/picture.h"
#include "tests/unit/test.h"

TEST(picture_size_table)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1 KiB"},
        {0x2A80000, "42.5 MiB"},
        {2684354560u, "2.50 GiB"},
        {16ull << 30, "16 GiB"},
        {(1ull << 30) - 1, "1023 MiB"},
        {1ull << 32, "4 GiB"},
        {UINT64_MAX, "16777215 TiB"},
        {10 * 1024 + 1023, "10.9 KiB"},
        {1024 + 51, "1.04 KiB"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[PICTURE_SIZE_SIZE];
        picture_size(text, cases[i].bytes);
        if (strcmp(text, cases[i].text) != 0)
            test_fail(__FILE__, __LINE__, "%s, expected %s", text, cases[i].text);
    }
}

TEST(picture_mebibytes_table)
{
    char text[PICTURE_SIZE_SIZE];
    picture_mebibytes(text, 4096);
    CHECK(strcmp(text, "0.003") == 0);
    picture_mebibytes(text, (8ull << 30) + (1 << 19));
    CHECK(strcmp(text, "8192.500") == 0);
    picture_mebibytes(text, (1 << 20) - 1);
    CHECK(strcmp(text, "0.999") == 0);
}

TEST(picture_bar_is_full_and_empty_only_when_it_is_true)
{
    char text[11];
    picture_bar(text, 10, 0, 100);
    CHECK(strcmp(text, "..........") == 0);
    picture_bar(text, 10, 1, 1000000);
    CHECK(strcmp(text, "#.........") == 0);
    picture_bar(text, 10, 999999, 1000000);
    CHECK(strcmp(text, "#########.") == 0);
    picture_bar(text, 10, 7, 7);
    CHECK(strcmp(text, "##########") == 0);
    picture_bar(text, 10, 0, 0);
    CHECK(strcmp(text, "..........") == 0);
    picture_bar(text, 10, 5, 3);
    CHECK(strcmp(text, "##########") == 0);
}
