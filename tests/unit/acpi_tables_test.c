#include "kernel/device/acpi/tables.h"
#include "kernel/include/errors.h"
#include "tests/unit/test.h"

/* Every table is copied into a block of exactly its size, so that the address sanitizer sees a
 * byte too much. */
static uint8_t *copy_of(const void *bytes, size_t count)
{
    uint8_t *copy = malloc(count + (count == 0));
    CHECK(copy != NULL);
    memcpy(copy, bytes, count);
    return copy;
}

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void fix_sum(uint8_t *table, size_t bytes, size_t at)
{
    uint8_t sum = 0;
    table[at] = 0;
    for (size_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + table[i]);
    table[at] = (uint8_t)-sum;
}

static void make_rsdp(uint8_t *rsdp, uint8_t revision)
{
    memset(rsdp, 0, ACPI_RSDP_BYTES);
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = revision;
    put(rsdp + 16, 0x7FE1234, 4);
    put(rsdp + 20, ACPI_RSDP_BYTES, 4);
    put(rsdp + 24, 0x123456789A, 8);
    fix_sum(rsdp, 20, 8);
    fix_sum(rsdp, ACPI_RSDP_BYTES, 32);
}

TEST(rsdp)
{
    uint8_t rsdp[ACPI_RSDP_BYTES];
    struct acpi_root root;
    make_rsdp(rsdp, 0);
    CHECK_EQUAL(acpi_parse_rsdp(rsdp, sizeof(rsdp), &root), 0);
    CHECK(root.address == 0x7FE1234 && root.entry_bytes == 4);
    make_rsdp(rsdp, 2);
    CHECK_EQUAL(acpi_parse_rsdp(rsdp, sizeof(rsdp), &root), 0);
    CHECK(root.address == 0x123456789A && root.entry_bytes == 8);
    rsdp[33]++; /* the second checksum is wrong: the older half still counts */
    CHECK_EQUAL(acpi_parse_rsdp(rsdp, sizeof(rsdp), &root), 0);
    CHECK(root.address == 0x7FE1234 && root.entry_bytes == 4);
    rsdp[16]++;
    CHECK_EQUAL(acpi_parse_rsdp(rsdp, sizeof(rsdp), &root), (unsigned long long)-EINVAL);
    make_rsdp(rsdp, 2);
    put(rsdp + 20, 0xFFFFFFFF, 4); /* a length that is not believed */
    fix_sum(rsdp, 20, 8);
    CHECK_EQUAL(acpi_parse_rsdp(rsdp, sizeof(rsdp), &root), 0);
    CHECK_EQUAL(root.entry_bytes, 4);
    uint8_t *seen = copy_of(rsdp, 20);
    CHECK_EQUAL(acpi_parse_rsdp(seen, 20, &root), 0);
    CHECK_EQUAL(acpi_parse_rsdp(seen, 19, &root), (unsigned long long)-EINVAL);
    free(seen);
}

TEST(table_lengths)
{
    uint8_t header[ACPI_HEADER_BYTES] = "FACP";
    static const struct {
        uint32_t claimed, believed;
    } cases[] = {{0, 0},
                 {35, 0},
                 {36, 36},
                 {244, 244},
                 {ACPI_TABLE_BYTES_MAX, ACPI_TABLE_BYTES_MAX},
                 {ACPI_TABLE_BYTES_MAX + 1, 0},
                 {UINT32_MAX, 0}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        put(header + 4, cases[i].claimed, 4);
        CHECK_EQUAL(acpi_table_bytes(header), cases[i].believed);
    }
    CHECK_EQUAL(acpi_root_count(36, 8), 0);
    CHECK_EQUAL(acpi_root_count(36 + 23, 8), 2);
    uint8_t root[36 + 16];
    put(root + 36, 0x1122334455667788, 8);
    put(root + 44, 0xAABBCCDDEEFF0011, 8);
    CHECK_EQUAL(acpi_root_entry(root, 8, 1), 0xAABBCCDDEEFF0011);
    CHECK_EQUAL(acpi_root_entry(root, 4, 1), 0x11223344);
}

static const uint8_t madt_entries[] = {
    0, 8,  0, 0, 1, 0, 0,    0,                             /* an enabled processor */
    0, 8,  1, 1, 0, 0, 0,    0,                             /* one that is not */
    9, 16, 0, 0, 5, 0, 0,    0,    1,  0, 0, 0, 0, 0, 0, 0, /* an enabled one, x2APIC */
    1, 12, 7, 0, 0, 0, 0xC0, 0xFE, 24, 0, 0, 0,             /* I/O APIC 7 at 0xFEC00000 */
    2, 10, 0, 0, 2, 0, 0,    0,    0,  0,                   /* an override */
    5, 12, 0, 0, 0, 0, 0xE0, 0xFE, 1,  0, 0, 0,             /* the local APIC is elsewhere */
};

TEST(madt)
{
    uint8_t table[44 + sizeof(madt_entries)] = {0};
    struct acpi_madt madt;
    put(table + 36, 0xFEE00000, 4);
    table[40] = 1;
    memcpy(table + 44, madt_entries, sizeof(madt_entries));
    CHECK_EQUAL(acpi_parse_madt(table, sizeof(table), &madt), 0);
    CHECK_EQUAL(madt.processors, 2);
    CHECK_EQUAL(madt.override_count, 1);
    CHECK_EQUAL(madt.local_apic, 0x1FEE00000);
    CHECK(madt.has_8259);
    CHECK_EQUAL(madt.io_apic_count, 1);
    CHECK(madt.io_apics[0].id == 7 && madt.io_apics[0].address == 0xFEC00000 &&
          madt.io_apics[0].first_interrupt == 24);
    /* Cut anywhere: what is whole counts, nothing else is read. */
    for (size_t bytes = 0; bytes < sizeof(table); bytes++) {
        uint8_t *seen = copy_of(table, bytes);
        int result = acpi_parse_madt(seen, bytes, &madt);
        CHECK_EQUAL(result == 0, bytes >= 44);
        CHECK_EQUAL(madt.io_apic_count, bytes >= 44 + 8 + 8 + 16 + 12);
        free(seen);
    }
}

TEST(madt_that_is_broken_ends)
{
    uint8_t table[44 + 600 * 12] = {0};
    struct acpi_madt madt;
    CHECK_EQUAL(acpi_parse_madt(table, sizeof(table), &madt), 0); /* entries of length 0 */
    for (unsigned i = 0; i < 600; i++) {
        table[44 + 12 * i] = 1;
        table[45 + 12 * i] = 12;
    }
    CHECK_EQUAL(acpi_parse_madt(table, sizeof(table), &madt), 0);
    CHECK_EQUAL(madt.io_apic_count, 600);
    for (unsigned i = 0; i < 20000; i++) {
        size_t bytes = test_random_range(0, 300);
        for (size_t at = 0; at < bytes; at++)
            table[at] = (uint8_t)test_random_range(0, 16);
        uint8_t *seen = copy_of(table, bytes);
        CHECK_EQUAL(acpi_parse_madt(seen, bytes, &madt) == 0, bytes >= 44);
        free(seen);
    }
}

TEST(hpet)
{
    uint8_t table[56] = {0};
    put(table + 44, 0xFED00000, 8);
    CHECK_EQUAL(acpi_parse_hpet(table, sizeof(table)), 0xFED00000);
    CHECK_EQUAL(acpi_parse_hpet(table, 51), 0);
    table[40] = 1;
    CHECK_EQUAL(acpi_parse_hpet(table, sizeof(table)), 0);
}

TEST(fadt)
{
    uint8_t table[244] = {0};
    struct acpi_fadt fadt;
    put(table + 40, 0x1000, 4);
    put(table + 48, 0xB2, 4);
    table[52] = 0xF1;
    put(table + 64, 0x604, 4);
    CHECK_EQUAL(acpi_parse_fadt(table, 116, &fadt), 0);
    CHECK(fadt.dsdt == 0x1000 && fadt.smi_command == 0xB2 && fadt.enable == 0xF1);
    CHECK(fadt.pm1a_control == 0x604 && fadt.pm1b_control == 0);
    put(table + 140, 0x200001000, 8);
    table[172] = 1;
    put(table + 176, 0x1804, 8);
    table[184] = 1;
    put(table + 188, 0x1904, 8);
    CHECK_EQUAL(acpi_parse_fadt(table, 244, &fadt), 0);
    CHECK(fadt.dsdt == 0x200001000);
    CHECK(fadt.pm1a_control == 0x1804 && fadt.pm1b_control == 0x1904);
    table[172] = 0; /* in memory: not for us */
    CHECK_EQUAL(acpi_parse_fadt(table, 244, &fadt), (unsigned long long)-EINVAL);
    for (size_t bytes = 0; bytes < 244; bytes++) {
        uint8_t *seen = copy_of(table, bytes);
        CHECK(acpi_parse_fadt(seen, bytes, &fadt) == 0 || bytes < 72 || bytes >= 184);
        free(seen);
    }
}

TEST(off_is_found_in_the_code)
{
    static const struct {
        const char *code;
        size_t bytes;
        int result;
        uint8_t a, b;
    } cases[] = {
#define CODE(text) text, sizeof(text) - 1
        {CODE("\x08_S5_\x12\x06\x04\x00\x00\x00\x00"), 0, 0, 0},   /* QEMU */
        {CODE("xx\x08_S5_\x12\x08\x04\x0a\x05\x0a\x06"), 0, 5, 6}, /* byte integers */
        {CODE("\x08\\_S5_\x12\x07\x02\x01\x0a\x07"), 0, 1, 7},     /* root prefix */
        {CODE("\x08_S5_\x12\x40\x01\x02\x0a\x05\x01"), 0, 5, 1},   /* a long length */
        {CODE("_S5_\x08_S5_\x12\x05\x02\x01\x01"), 0, 1, 1},       /* a use before it */
        {CODE("\x08_S5_\x12\x05\x02\x0a"), -ENOENT, 0, 0},         /* cut */
        {CODE("\x08_S5_\x12\x05\x01\x00"), -ENOENT, 0, 0},         /* one element */
        {CODE("\x08_S5_\x12\xc0"), -ENOENT, 0, 0},
        {CODE("\x08_S5_\x12\x05\x02\x0d\x01\x01"), -ENOENT, 0, 0}, /* a string */
        {CODE("\x08_S5_"), -ENOENT, 0, 0},
        {CODE("\x08_S4_\x12\x06\x04\x00\x00"), -ENOENT, 0, 0},
        {CODE(""), -ENOENT, 0, 0},
#undef CODE
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct acpi_sleep sleep = {0, 0};
        uint8_t *code = copy_of(cases[i].code, cases[i].bytes);
        int result = acpi_find_off(code, cases[i].bytes, &sleep);
        if (result != cases[i].result || sleep.type_a != cases[i].a || sleep.type_b != cases[i].b)
            test_fail(__FILE__, __LINE__, "case %zu: %d, %u, %u", i, result, sleep.type_a,
                      sleep.type_b);
        free(code);
    }
}
