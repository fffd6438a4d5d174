#include "tools/e820-regions/table.h"

#include "tests/unit/test.h"

static struct table table;

static struct table_error parse(const char *text)
{
    memset(&table, 0xA5, sizeof(table));
    return table_parse(&table, text, strlen(text));
}

static void check_entry(const char *text, uint64_t base, uint64_t length, uint32_t type,
                        uint32_t attributes)
{
    struct table_error error = parse(text);
    if (error.text != NULL)
        test_fail(__FILE__, __LINE__, "%s: %s", text, error.text);
    const struct e820_entry *entry = &table.entries[0];
    if (table.count != 1 || entry->base != base || entry->length != length || entry->type != type ||
        entry->attributes != attributes)
        test_fail(__FILE__, __LINE__, "%s: %u entries, %llx %llx %u %u", text, table.count,
                  (unsigned long long)entry->base, (unsigned long long)entry->length, entry->type,
                  entry->attributes);
}

static void check_error(const char *text, unsigned line, const char *words)
{
    struct table_error error = parse(text);
    if (error.text == NULL)
        test_fail(__FILE__, __LINE__, "accepted: %s", text);
    if (error.line != line || strstr(error.text, words) == NULL)
        test_fail(__FILE__, __LINE__, "%s: line %u, %s", text, error.line, error.text);
}

TEST(table_lines)
{
    check_entry("0000000000100000 0000000000002000 1 1\n", 0x100000, 0x2000, 1, 1);
    check_entry("100000 2000 2 0", 0x100000, 0x2000, 2, 0);
    check_entry("\n\n# remark\n  0xABCdef\t0X10 2954887168 4294967295 # size=20 ebx=1\r\n",
                0xABCDEF, 0x10, 2954887168, UINT32_MAX);
    check_entry("ffffffffffffffff ffffffffffffffff 4294967295 0", UINT64_MAX, UINT64_MAX,
                UINT32_MAX, 0);
    check_entry("# BIOS-e820: in a remark makes no log\n1 2 3 1", 1, 2, 3, 1);
}

TEST(table_errors)
{
    check_error("", 0, "no entries");
    check_error("# only remarks\n\n", 0, "no entries");
    check_error("0 1000 1 1\nrubbish\n", 2, "the base");
    check_error("0 1000 1 1\n\n10000000000000000 1 1 1", 3, "the base");
    check_error("0 1000g 1 1", 1, "the length");
    check_error("0", 1, "the length");
    check_error("0 1000", 1, "the type");
    check_error("0 1000 4294967296 1", 1, "the type");
    check_error("0 1000 -1 1", 1, "the type");
    check_error("0 1000 1", 1, "the attribute");
    check_error("0 1000 1 x", 1, "the attribute");
    check_error("0 1000 1 1 1", 1, "more than base");
    check_error("0x 1000 1 1", 1, "the base");
    check_error("[    0.000000] BIOS-e801: [mem 0x0-0x9ffff] usable", 1, "the base");
}

TEST(log_ranges)
{
    check_entry("BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n", 0, 0x9FC00, 1,
                1);
    check_entry("[    0.000000] BIOS-e820: [mem 0x00000000fffc0000-0x00000000ffffffff] reserved",
                0xFFFC0000, 0x40000, 2, 1);
    check_entry("<6>[    0.000000]  BIOS-e820: 0000000000000000 - 000000000009fc00 (usable)\r\n", 0,
                0x9FC00, 1, 1);
    check_entry("Feb  5 00:11:57 host kernel:  BIOS-e820: 0000000000003000 @ 000000000fffc000 "
                "(ACPI data)",
                0xFFFC000, 0x3000, 3, 1);
    check_entry("BIOS-e820: [mem 0xfffffffffffff000-0xffffffffffffffff] reserved",
                0xFFFFFFFFFFFFF000, 0x1000, 2, 1);
    check_entry("BIOS-e820: fffffffffffff000 - 0000000000000000 (reserved)", 0xFFFFFFFFFFFFF000,
                0x1000, 2, 1);
    check_entry("BIOS-e820: [mem 0x0000000000001000-0x0000000000000fff] usable", 0x1000, 0, 1, 1);
    check_entry("BIOS-provided physical RAM map:\n"
                "BIOS-e820: [gap 0x0000000000000000-0x0000000000000fff]\n"
                "BIOS-e820: [gap 0x0000000000000000-0x0000000000000fff]  320   KB ...\n"
                "Command line: root=/dev/sda1 # not a remark to us\n"
                "BIOS-e820: [mem 0x1000-0x1fff]  System RAM\n"
                "user: [mem 0x3000-0x3fff] usable\n",
                0x1000, 0x1000, 1, 1);
}

TEST(log_kinds)
{
    static const struct {
        const char *words;
        uint32_t type;
    } kinds[] = {
        {"usable", 1},
        {"(usable)", 1},
        {"System RAM", 1},
        {"  639   KB kernel usable RAM", 1},
        {"    1.9 GB kernel usable RAM", 1},
        {"  4 KiB usable", 1},
        {"reserved", 2},
        {"(reserved)", 2},
        {"device reserved", 2},
        {"ACPI data", 3},
        {"(ACPI data)", 3},
        {"ACPI NVS", 4},
        {"(ACPI NVS)", 4},
        {"unusable", 5},
        {"(unusable)", 5},
        {"persistent (type 7)", 7},
        {"persistent (type 12)", 12},
        {"persistent RAM (type 7)", 7},
        {"persistent", 7},
        {"type 20", 20},
        {"(type 9)", 9},
        {"type 2954887168", 2954887168},
        {"soft reserved", 0xEFFFFFFF},
        {"undefined", 0},
        {"unknown", 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        char text[128];
        snprintf(text, sizeof(text), "BIOS-e820: [mem 0x1000-0x2fff] %s \n", kinds[i].words);
        check_entry(text, 0x1000, 0x2000, kinds[i].type, 1);
    }
}

TEST(log_errors)
{
    check_error("x\nBIOS-e820: [mem 0x0-0xfff] usabel\n", 2, "a kind");
    check_error("BIOS-e820: [mem 0x0-0xfff]", 1, "a kind");
    check_error("BIOS-e820: [mem 0x0-0xfff] usable too", 1, "a kind");
    check_error("BIOS-e820: [mem 0x0-0xfff] type 4294967296", 1, "a kind");
    check_error("BIOS-e820: [mem 0x0-0xfff] persistent (type 7", 1, "a kind");
    check_error("BIOS-e820: [mem 0x0-0xfff usable", 1, "no range");
    check_error("BIOS-e820: [mem 0x00000000", 1, "no range");
    check_error("BIOS-e820: hello", 1, "no range");
    check_error("BIOS-e820: [mem 0x0-0x10000000000000000] usable", 1, "no range");
    check_error("BIOS-e820: [mem 0x3000-0x1fff] usable", 1, "ends before");
    check_error("BIOS-e820: 3000 - 2000 (usable)", 1, "ends before");
    check_error("BIOS-e820:\n", 0, "no entries");
    check_error("BIOS-provided physical RAM map:\nBIOS-e820: [mem 0x0-0xfff] usable\n"
                "[    0.000000] BIOS-provided physical RAM map:\n",
                3, "a second map");
}

TEST(as_many_entries_as_firmware_has)
{
    static char text[(E820_ENTRIES_MAX + 1) * 16];
    size_t bytes = 0;
    for (unsigned i = 0; i < E820_ENTRIES_MAX; i++)
        bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "%x 10 1 1\n", i * 16);
    CHECK(parse(text).text == NULL);
    CHECK_EQUAL(table.count, E820_ENTRIES_MAX);
    CHECK_EQUAL(table.entries[E820_ENTRIES_MAX - 1].base, (E820_ENTRIES_MAX - 1) * 16);
    snprintf(text + bytes, sizeof(text) - bytes, "0 1 1 1\n");
    check_error(text, E820_ENTRIES_MAX + 1, "more than 128");
}

/* Any byte may come, the text ends where it ends, and nothing beyond it is read. */
TEST(bytes_of_any_kind)
{
    static const char text[] = "0 1000 1 1\0 2";
    struct table_error error = table_parse(&table, text, sizeof(text) - 1);
    CHECK_EQUAL(error.line, 1);
    error = table_parse(&table, text, 10);
    CHECK(error.text == NULL);
    for (size_t bytes = 0; bytes < 10; bytes++) {
        char *exact = malloc(bytes + 1); /* the sanitizer guards its end */
        memcpy(exact + 1, text, bytes);
        CHECK(table_parse(&table, exact + 1, bytes).text != NULL);
        free(exact);
    }
}
