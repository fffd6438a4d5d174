#include "kernel/include/errors.h"
#include "kernel/process/elf.h"
#include "tests/unit/test.h"

/* A file with three segments, and what becomes of it when one number is another. */
#define FILE_BYTES 0x6000u
#define BASE       0x10000000u

static const struct elf_room room = {0x10000000u, 0x20000000u};

static void put32(uint8_t *bytes, uint32_t at, uint32_t value)
{
    memcpy(bytes + at, &value, sizeof(value));
}

static void put16(uint8_t *bytes, uint32_t at, uint16_t value)
{
    memcpy(bytes + at, &value, sizeof(value));
}

static void put_segment(uint8_t *headers, unsigned index, uint32_t type, uint32_t offset,
                        uint32_t address, uint32_t file_bytes, uint32_t memory_bytes,
                        uint32_t flags)
{
    uint8_t *at = headers + index * ELF_HEADER_SIZE;
    put32(at, 0, type);
    put32(at, 4, offset);
    put32(at, 8, address);
    put32(at, 12, address);
    put32(at, 16, file_bytes);
    put32(at, 20, memory_bytes);
    put32(at, 24, flags);
    put32(at, 28, 0x1000);
}

static uint8_t header[ELF_HEADER_BYTES];
static uint8_t headers[ELF_HEADERS_MAX * ELF_HEADER_SIZE];

static void make(uint16_t type, uint32_t base)
{
    static const uint8_t identity[] = {0x7F, 'E', 'L', 'F', 1, 1, 1};
    memset(header, 0, sizeof(header));
    memset(headers, 0, sizeof(headers));
    memcpy(header, identity, sizeof(identity));
    put16(header, 16, type);
    put16(header, 18, 3);
    put32(header, 20, 1);
    put32(header, 24, base + 0x1040);
    put32(header, 28, 52);
    put16(header, 40, 52);
    put16(header, 42, 32);
    put16(header, 44, 4);
    put_segment(headers, 0, 1, 0, base, 0x400, 0x400, 4);
    put_segment(headers, 1, 1, 0x1000, base + 0x1000, 0x2345, 0x2345, 5);
    put_segment(headers, 2, 1, 0x3ff0, base + 0x4ff0, 0x100, 0x5000, 6);
    put_segment(headers, 3, 0x6474e551, 0, 0, 0, 0, 6);
}

static int plan(struct elf_image *image)
{
    return elf_plan(header, headers, FILE_BYTES, room, image);
}

TEST(elf_fixed_program_is_planned)
{
    struct elf_image image;
    make(2, BASE);
    CHECK_EQUAL(plan(&image), 0);
    CHECK(image.kind == ELF_FIXED && image.segment_count == 3 && image.interpreter_bytes == 0);
    CHECK_EQUAL(image.entry, BASE + 0x1040);
    CHECK_EQUAL(image.header_address, BASE + 52);
    CHECK_EQUAL(image.header_count, 4);
    CHECK_EQUAL(image.segments[1].file_bytes, 0x2345);
    CHECK_EQUAL(image.segments[2].address, BASE + 0x4ff0);
    CHECK_EQUAL(image.segments[2].rights, ELF_READ | ELF_WRITE);
    CHECK_EQUAL(elf_image_start(&image), BASE);
    CHECK_EQUAL(elf_image_end(&image), BASE + 0xA000);
}

TEST(elf_movable_program_begins_where_the_room_does)
{
    struct elf_image image;
    make(3, 0);
    CHECK_EQUAL(plan(&image), 0);
    CHECK(image.kind == ELF_MOVABLE);
    CHECK_EQUAL(image.entry, room.start + 0x1040);
    CHECK_EQUAL(elf_image_start(&image), room.start);
    make(3, 0x7000);
    CHECK_EQUAL(plan(&image), 0);
    CHECK_EQUAL(elf_image_start(&image), room.start);
    CHECK_EQUAL(image.entry, room.start + 0x1040);
}

TEST(elf_interpreter_is_found)
{
    struct elf_image image;
    make(3, 0);
    put_segment(headers, 3, 3, 0x200, 0x200, 0x13, 0x13, 4);
    CHECK_EQUAL(plan(&image), 0);
    CHECK_EQUAL(image.interpreter_offset, 0x200);
    CHECK_EQUAL(image.interpreter_bytes, 0x13);
}

/* Where the program headers are not part of a segment, the program does not find them. */
TEST(elf_headers_outside_of_segments)
{
    struct elf_image image;
    make(2, BASE);
    put32(header, 28, 0x3400);
    CHECK_EQUAL(plan(&image), 0);
    CHECK_EQUAL(image.header_address, 0);
}

/* In the header (at a multiple of 4 where `bytes` is 4) or in a program header: one other number.
 */
TEST(elf_what_makes_no_sense_is_refused)
{
    static const struct {
        const char *what;
        int segment; /* -1: the header */
        uint32_t at, bytes, value;
        const char *refusal; /* a part of it; NULL: it is no ELF file */
    } rows[] = {
        {"magic", -1, 0, 4, 0x464C457E, NULL},
        {"64 bits", -1, 4, 1, 2, "32-bit x86"},
        {"big endian", -1, 5, 1, 2, "32-bit x86"},
        {"machine", -1, 18, 2, 62, "32-bit x86"},
        {"object file", -1, 16, 2, 1, "object file"},
        {"core", -1, 16, 2, 4, "object file"},
        {"size of program headers", -1, 42, 2, 31, "make no sense"},
        {"no program headers", -1, 44, 2, 0, "make no sense"},
        {"too many", -1, 44, 2, ELF_HEADERS_MAX + 1, "make no sense"},
        {"address of another row", 0, 8, 4, 0x08048000, "relink it with"},
        {"address zero", 0, 8, 4, 0, "relink it with"},
        {"beyond the row", 2, 8, 4, 0x1FFFCFF0, "relink it with"},
        {"address wraps", 2, 8, 4, 0xFFFFFFF0, "relink it with"},
        {"memory wraps", 2, 20, 4, 0xFFFFFFFF, "relink it with"},
        {"file beyond memory", 1, 16, 4, 0x2346, "more bytes in the file"},
        {"offset beyond the file", 1, 4, 4, 0x10000000, "beyond the end"},
        {"offset wraps", 1, 4, 4, 0xFFFFF000, "beyond the end"},
        {"not congruent", 1, 4, 4, 0x1004, "not congruent"},
        {"writable and executable", 1, 24, 4, 7, "writable and executable"},
        {"overlap", 1, 8, 4, BASE, "overlap"},
        {"descending", 2, 8, 4, BASE + 0xff0, "overlap"},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        struct elf_image image;
        make(2, BASE);
        uint8_t *at = rows[i].segment < 0 ? header : headers + rows[i].segment * ELF_HEADER_SIZE;
        memcpy(at + rows[i].at, &rows[i].value, rows[i].bytes);
        if (plan(&image) != -ENOEXEC || (image.refusal == NULL) != (rows[i].refusal == NULL) ||
            (image.refusal != NULL && strstr(image.refusal, rows[i].refusal) == NULL))
            test_fail(__FILE__, __LINE__, "%s: refusal %s", rows[i].what,
                      image.refusal != NULL ? image.refusal : "none");
    }
}

TEST(elf_nothing_to_load)
{
    struct elf_image image;
    make(2, BASE);
    for (unsigned i = 0; i < 3; i++)
        put32(headers, i * ELF_HEADER_SIZE, 4);
    CHECK_EQUAL(plan(&image), -ENOEXEC);
    make(2, BASE);
    for (unsigned i = 0; i < 3; i++)
        put_segment(headers, i, 1, 0, BASE, 0, 0, 4);
    CHECK_EQUAL(plan(&image), -ENOEXEC);
}

TEST(elf_too_many_segments)
{
    struct elf_image image;
    make(2, BASE);
    put16(header, 44, ELF_SEGMENTS_MAX + 1);
    for (unsigned i = 0; i <= ELF_SEGMENTS_MAX; i++)
        put_segment(headers, i, 1, 0, BASE + i * 0x1000, 0x10, 0x10, 4);
    CHECK_EQUAL(plan(&image), -ENOEXEC);
    put16(header, 44, ELF_SEGMENTS_MAX);
    CHECK_EQUAL(plan(&image), 0);
    CHECK_EQUAL(image.segment_count, ELF_SEGMENTS_MAX);
}

TEST(elf_two_interpreters_are_refused)
{
    struct elf_image image;
    make(3, 0);
    put16(header, 44, 5);
    put_segment(headers, 3, 3, 0x200, 0x200, 0x13, 0x13, 4);
    put_segment(headers, 4, 3, 0x200, 0x200, 0x13, 0x13, 4);
    CHECK_EQUAL(plan(&image), -ENOEXEC);
    CHECK(strstr(image.refusal, "interpreter") != NULL);
}
