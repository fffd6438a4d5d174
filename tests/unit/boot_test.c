#include "boot/entry/commandline.h"
#include "boot/entry/crc32.h"
#include "boot/entry/elf.h"
#include "boot/entry/memorymap.h"
#include "kernel/lib/rsdp.h"
#include "tests/unit/test.h"

/* --- checksum --- */

TEST(crc32_known_values)
{
    const uint8_t *digits = (const uint8_t *)"123456789";
    CHECK_EQUAL(crc32_add(0, digits, 9), 0xCBF43926); /* the check value of every CRC catalogue */
    CHECK_EQUAL(crc32_add(0, digits, 0), 0);
    CHECK_EQUAL(crc32_add(crc32_add(0, digits, 4), digits + 4, 5), 0xCBF43926);
}

/* A bit at a time, as the definition has it. */
static uint32_t crc32_slow(const uint8_t *data, uint32_t bytes)
{
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < bytes * 8; i++) {
        uint32_t bit = (data[i / 8] >> (i % 8) ^ crc) & 1;
        crc = crc >> 1 ^ (bit ? 0xEDB88320 : 0);
    }
    return ~crc;
}

TEST(crc32_in_pieces_is_that_of_the_whole)
{
    uint8_t data[1000];
    for (uint32_t round = 0; round < 200; round++) {
        for (uint32_t i = 0; i < sizeof(data); i++)
            data[i] = (uint8_t)test_random();
        uint32_t crc = 0;
        for (uint32_t at = 0, bytes; at < sizeof(data); at += bytes) {
            bytes = test_random_range(0, (uint32_t)sizeof(data) - at);
            crc = crc32_add(crc, data + at, bytes);
        }
        CHECK_EQUAL(crc, crc32_slow(data, sizeof(data)));
    }
}

/* --- command line --- */

TEST(commandline_video)
{
    static const struct {
        const char *text;
        struct video_request expected;
    } cases[] = {
        {"", {VIDEO_BEST, 0, 0}},
        {"video=1024x768", {VIDEO_SIZE, 1024, 768}},
        {"  video=1x65535  ", {VIDEO_SIZE, 1, 65535}},
        {"video=text", {VIDEO_TEXT, 0, 0}},
        {"video=text run=mem", {VIDEO_TEXT, 0, 0}},
        {"quiet video=800x600 more", {VIDEO_SIZE, 800, 600}},
        {"video=800x600 video=text", {VIDEO_TEXT, 0, 0}},
        {"run=video=text", {VIDEO_BEST, 0, 0}},
        {"run=mem; video=text", {VIDEO_BEST, 0, 0}},
        {"run= video=text", {VIDEO_BEST, 0, 0}},
        {"myvideo=text", {VIDEO_BEST, 0, 0}},
        {"prun= video=text", {VIDEO_TEXT, 0, 0}},
        {"a\tvideo=text\trun= video=1x1", {VIDEO_TEXT, 0, 0}},
        {"a\trun=mem video=text", {VIDEO_BEST, 0, 0}},
        {"a\nrun=mem video=text", {VIDEO_BEST, 0, 0}},
        {"a;run=mem video=text", {VIDEO_TEXT, 0, 0}}, /* ';' ends no word */
        {"video=", {VIDEO_UNKNOWN, 0, 0}},
        {"video=texts", {VIDEO_UNKNOWN, 0, 0}},
        {"video=0x600", {VIDEO_UNKNOWN, 0, 0}},
        {"video=800x", {VIDEO_UNKNOWN, 0, 0}},
        {"video=800x0", {VIDEO_UNKNOWN, 0, 0}},
        {"video=800x600x32", {VIDEO_UNKNOWN, 0, 0}},
        {"video=800X600", {VIDEO_UNKNOWN, 0, 0}},
        {"video=65536x600", {VIDEO_UNKNOWN, 0, 0}},
        {"video=800x4294967297", {VIDEO_UNKNOWN, 0, 0}},
        {"video=-1x600", {VIDEO_UNKNOWN, 0, 0}},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct video_request request = commandline_video(cases[i].text);
        CHECK_EQUAL(request.wish, cases[i].expected.wish);
        CHECK_EQUAL(request.width, cases[i].expected.width);
        CHECK_EQUAL(request.height, cases[i].expected.height);
    }
}

/* --- the kernel's file --- */

#define ROW_START   0x100000u
#define ROW_END     0x110000u
#define ROW_BYTES   (ROW_END - ROW_START)
#define FILE_BYTES  0x6000u
#define HEAD_BYTES  0x1000u
#define HEADER_SIZE 52u
#define PHDR_SIZE   32u
#define UNTOUCHED   0xA5

/* Fields of a program header, in words. */
enum { P_TYPE, P_OFFSET, P_VADDR, P_PADDR, P_FILESZ, P_MEMSZ, P_FLAGS, P_ALIGN };

static void put16(uint8_t *at, uint16_t value)
{
    memcpy(at, &value, sizeof(value));
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static void put_segment(uint8_t *file, uint32_t index, uint32_t field, uint32_t value)
{
    put32(file + HEADER_SIZE + index * PHDR_SIZE + field * 4, value);
}

static void segment_make(uint8_t *file, uint32_t index, uint32_t offset, uint32_t address,
                         uint32_t file_bytes, uint32_t memory_bytes)
{
    put_segment(file, index, P_TYPE, 1);
    put_segment(file, index, P_OFFSET, offset);
    put_segment(file, index, P_PADDR, address);
    put_segment(file, index, P_FILESZ, file_bytes);
    put_segment(file, index, P_MEMSZ, memory_bytes);
}

/* A good file: three segments, the last with room behind its bytes. */
static void file_make(uint8_t *file)
{
    static const uint8_t ident[7] = {0x7F, 'E', 'L', 'F', 1, 1, 1};
    for (uint32_t i = 0; i < FILE_BYTES; i++)
        file[i] = (uint8_t)test_random();
    memset(file, 0, HEADER_SIZE + 3 * PHDR_SIZE);
    memcpy(file, ident, sizeof(ident));
    put16(file + 16, 2);
    put16(file + 18, 3);
    put32(file + 20, 1);
    put32(file + 24, ROW_START + 0x10);
    put32(file + 28, HEADER_SIZE);
    put16(file + 42, PHDR_SIZE);
    put16(file + 44, 3);
    segment_make(file, 0, 0x1000, ROW_START, 0x1234, 0x1234);
    segment_make(file, 1, 0x3000, ROW_START + 0x2000, 0x1000, 0x1000);
    segment_make(file, 2, 0x4000, ROW_START + 0x3000, 0x801, 0x9000);
}

static const char *plan_file(struct elf_plan *plan, const uint8_t *file)
{
    return elf_plan(plan, file, HEAD_BYTES, FILE_BYTES, ROW_START, ROW_END);
}

/* Brings the file to memory in pieces of random length. memory is where the row lies. */
static void file_place(const struct elf_plan *plan, uint8_t *memory, const uint8_t *file)
{
    uint8_t *start = memory + (plan->start - ROW_START);
    elf_clear(plan, start);
    for (uint32_t at = 0, bytes; at < FILE_BYTES; at += bytes) {
        bytes = test_random_range(1, FILE_BYTES - at < 5000 ? FILE_BYTES - at : 5000);
        uint8_t *piece = malloc(bytes); /* of its own, so that the sanitizer sees a step outside */
        memcpy(piece, file + at, bytes);
        elf_place(plan, start, piece, at, bytes);
        free(piece);
    }
}

static void check_placed(const struct elf_plan *plan, const uint8_t *memory, const uint8_t *file)
{
    uint8_t *expected = malloc(ROW_BYTES);
    memset(expected, UNTOUCHED, ROW_BYTES);
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        uint8_t *at = expected + (segment->address - ROW_START);
        memset(at, 0, segment->memory_bytes);
        memcpy(at, file + segment->file_offset, segment->file_bytes);
    }
    CHECK(!memcmp(memory, expected, ROW_BYTES));
    free(expected);
}

TEST(elf_segments_land_where_they_belong)
{
    uint8_t *file = malloc(FILE_BYTES), *memory = malloc(ROW_BYTES);
    for (uint32_t round = 0; round < 50; round++) {
        struct elf_plan plan;
        file_make(file);
        memset(memory, UNTOUCHED, ROW_BYTES);
        CHECK(!plan_file(&plan, file));
        CHECK_EQUAL(plan.count, 3);
        CHECK_EQUAL(plan.entry, ROW_START + 0x10);
        CHECK_EQUAL(plan.start, ROW_START);
        CHECK_EQUAL(plan.end, ROW_START + 0xC000);
        file_place(&plan, memory, file);
        check_placed(&plan, memory, file);
    }
    free(file);
    free(memory);
}

TEST(elf_what_is_wrong_is_named)
{
    static const struct {
        uint32_t segment, field, value;
        const char *text;
    } cases[] = {
        {0, P_OFFSET, FILE_BYTES + 1, "has a segment outside its file."},
        {0, P_OFFSET, 0xFFFFFFFF, "has a segment outside its file."},
        {0, P_OFFSET, FILE_BYTES - 0x1233, "has a segment outside its file."},
        {0, P_FILESZ, 0x1235, "has a segment that is larger in its file than in memory."},
        {1, P_PADDR, ROW_START - 1, "is too large for its row, or linked outside it."},
        {1, P_PADDR, ROW_END - 0xFFF, "is too large for its row, or linked outside it."},
        {1, P_PADDR, 0xFFFFFFFF, "is too large for its row, or linked outside it."},
        {2, P_MEMSZ, ROW_BYTES - 0x2FFF, "is too large for its row, or linked outside it."},
        {2, P_MEMSZ, 0xFFFFFFFF, "is too large for its row, or linked outside it."},
        {1, P_PADDR, ROW_START + 0x1233, "has segments that overlap."},
        {1, P_PADDR, ROW_START + 0x2001, "has segments that overlap."},
        {0, P_TYPE, 2, "has its entry outside its segments."},
        {0, P_FILESZ, 0x10, "has its entry outside its segments."},
    };
    uint8_t *file = malloc(FILE_BYTES);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct elf_plan plan;
        file_make(file);
        put_segment(file, cases[i].segment, cases[i].field, cases[i].value);
        const char *wrong = plan_file(&plan, file);
        if (!wrong || strcmp(wrong, cases[i].text))
            test_fail(__FILE__, __LINE__, "case %zu says: %s", i, wrong ? wrong : "nothing");
    }
    free(file);
}

TEST(elf_edges_that_are_allowed)
{
    uint8_t *file = malloc(FILE_BYTES);
    struct elf_plan plan;
    file_make(file);
    put_segment(file, 1, P_PADDR, ROW_END - 0x1000); /* to the row's last byte */
    CHECK(!plan_file(&plan, file));
    CHECK_EQUAL(plan.end, ROW_END);
    put_segment(file, 1, P_PADDR, ROW_START + 0x1234); /* touching */
    CHECK(!plan_file(&plan, file));
    put_segment(file, 1, P_OFFSET, FILE_BYTES - 0x1000); /* to the file's last byte */
    CHECK(!plan_file(&plan, file));
    put_segment(file, 1, P_MEMSZ, 0); /* nothing at all: left out */
    CHECK(!plan_file(&plan, file));
    CHECK_EQUAL(plan.count, 2);
    free(file);
}

TEST(elf_headers_beyond_the_first_piece_are_refused)
{
    uint8_t *file = malloc(FILE_BYTES);
    struct elf_plan plan;
    const uint32_t needed = HEADER_SIZE + 3 * PHDR_SIZE;
    file_make(file);
    for (uint32_t bytes = 0; bytes <= needed; bytes++) {
        uint8_t *head = malloc(bytes ? bytes : 1);
        memcpy(head, file, bytes);
        const char *wrong = elf_plan(&plan, head, bytes, FILE_BYTES, ROW_START, ROW_END);
        CHECK(!wrong == (bytes == needed));
        free(head);
    }
    free(file);
}

TEST(elf_too_many_segments)
{
    uint8_t *file = malloc(FILE_BYTES);
    struct elf_plan plan;
    for (uint16_t count = ELF_SEGMENTS_MAX; count <= ELF_SEGMENTS_MAX + 1; count++) {
        file_make(file);
        put16(file + 44, count);
        for (uint32_t i = 0; i < count; i++)
            segment_make(file, i, 0x1000, ROW_START + i * 0x40, 0x40, 0x40);
        const char *wrong = plan_file(&plan, file);
        CHECK(!wrong == (count == ELF_SEGMENTS_MAX));
    }
    free(file);
}

/* Whatever is accepted can be placed: nothing outside the row is written, nothing outside the file
 * is read (the sanitizers watch), and memory holds what the plan says. */
TEST(elf_any_header_is_refused_or_placed)
{
    uint8_t *file = malloc(FILE_BYTES), *memory = malloc(ROW_BYTES);
    uint32_t accepted = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        struct elf_plan plan;
        file_make(file);
        for (uint32_t changes = test_random_range(1, 3); changes; changes--) {
            uint32_t word = test_random_range(4, (HEADER_SIZE + 3 * PHDR_SIZE) / 4 - 1) * 4;
            uint32_t value = test_random() >> test_random_range(0, 31);
            put32(file + word, test_random_range(0, 1) ? value : ROW_START + value % 0x11000);
        }
        if (plan_file(&plan, file))
            continue;
        accepted++;
        memset(memory, UNTOUCHED, ROW_BYTES);
        file_place(&plan, memory, file);
        check_placed(&plan, memory, file);
    }
    CHECK(accepted > 100);
    free(file);
    free(memory);
}

/* --- ACPI's root pointer --- */

static void rsdp_make(uint8_t *at)
{
    uint8_t sum = 0;
    memcpy(at, "RSD PTR ", 8);
    for (uint32_t i = 9; i < 20; i++)
        at[i] = (uint8_t)test_random();
    at[8] = 0;
    for (uint32_t i = 0; i < 20; i++)
        sum = (uint8_t)(sum + at[i]);
    at[8] = (uint8_t)-sum;
}

TEST(rsdp_is_found_on_its_boundaries_only)
{
    for (uint32_t bytes = 0; bytes <= 200; bytes++) {
        uint8_t *area =
            malloc(bytes ? bytes : 1); /* just as long: the sanitizer sees a step outside */
        for (uint32_t at = 0; at + 20 <= bytes; at++) {
            memset(area, 0, bytes);
            rsdp_make(area + at);
            CHECK(rsdp_find(area, bytes) == (at % 16 ? NULL : area + at));
            area[at + 19]++; /* the sum */
            CHECK(!rsdp_find(area, bytes));
        }
        memset(area, 0, bytes);
        CHECK(!rsdp_find(area, bytes));
        free(area);
    }
}

TEST(rsdp_that_is_damaged_is_passed_over)
{
    uint8_t area[96] = {0};
    rsdp_make(area + 16);
    rsdp_make(area + 48);
    rsdp_make(area + 64);
    area[16 + 10] ^= 1;
    area[48 + 7] = '_';
    CHECK(rsdp_find(area, sizeof(area)) == area + 64);
}

/* --- where RAM is --- */

#define PAGES 64u

static void map_make(struct e820_map *map)
{
    memset(map, 0, sizeof(*map));
    for (uint32_t page = test_random_range(0, 3); page < PAGES;) {
        uint32_t pages = test_random_range(1, 12);
        if (page + pages > PAGES)
            break;
        struct e820_region *region = &map->regions[map->count++];
        region->start = frame_address(page);
        region->end = frame_address(page + pages);
        region->kind = test_random_range(0, 2) ? E820_USABLE : E820_RESERVED;
        /* Regions of one kind that touch are joined in a real map. */
        page += pages + 1 + test_random_range(0, 3);
    }
}

static bool is_page_usable(const struct e820_map *map, uint32_t page)
{
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->regions[i].start <= frame_address(page) &&
            frame_address(page) < map->regions[i].end)
            return map->regions[i].kind == E820_USABLE;
    }
    return false;
}

static bool is_run_usable(const struct e820_map *map, uint32_t first, uint32_t pages)
{
    for (uint32_t page = first; page < first + pages; page++) {
        if (!is_page_usable(map, page))
            return false;
    }
    return true;
}

TEST(place_is_the_highest_that_fits)
{
    for (uint32_t round = 0; round < 20000; round++) {
        struct e820_map map;
        map_make(&map);
        uint32_t bytes = test_random_range(1, 10 * FRAME_SIZE);
        uint32_t pages = (bytes + FRAME_SIZE - 1) / FRAME_SIZE;
        uint32_t low = test_random_range(1, PAGES), high = test_random_range(1, PAGES);
        uint32_t expected = 0;
        for (uint32_t page = low; page + pages <= high; page++) {
            if (is_run_usable(&map, page, pages))
                expected = page;
        }
        CHECK_EQUAL(memorymap_place(&map, bytes, frame_address(low), frame_address(high)),
                    frame_address(expected));
    }
}

TEST(place_below_4_gib)
{
    struct e820_map map = {.count = 1, .regions = {{0x100000, (paddr_t)1 << 35, E820_USABLE}}};
    CHECK_EQUAL(memorymap_place(&map, 1, 0x550000, (paddr_t)1 << 32), 0xFFFFF000);
    CHECK_EQUAL(memorymap_place(&map, UINT32_MAX, 0x550000, (paddr_t)1 << 32), 0);
}

TEST(usable_is_every_byte)
{
    for (uint32_t round = 0; round < 20000; round++) {
        struct e820_map map;
        map_make(&map);
        uint32_t first = test_random_range(0, PAGES - 1), pages = test_random_range(1, 12);
        bool expected = is_run_usable(&map, first, pages);
        CHECK(memorymap_is_usable(&map, first * FRAME_SIZE, (first + pages) * FRAME_SIZE) ==
              expected);
    }
}
