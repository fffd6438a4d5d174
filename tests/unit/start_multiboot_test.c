#include "kernel/memory/memory.h"
#include "tests/unit/start_loader.h"
#include "tests/unit/test.h"

/* ---- room for entries ---- */

static struct e820_copy copy;

static void add_entry(void *type)
{
    multiboot_add_entry(&copy, 0x100000, 0x1000, *(const uint32_t *)type);
}

TEST(more_entries_than_there_is_room_for)
{
    uint32_t ram = 1, reserved = 2;
    copy = (struct e820_copy){0};
    for (unsigned i = 0; i < E820_ENTRIES_MAX; i++)
        CHECK(loader_refusal(add_entry, i % 2 == 0 ? &ram : &reserved) == NULL);
    CHECK_EQUAL(copy.count, E820_ENTRIES_MAX);
    CHECK(loader_refusal(add_entry, &ram) == NULL); /* less memory than there is */
    CHECK_EQUAL(copy.count, E820_ENTRIES_MAX);
    const char *sentence = loader_refusal(add_entry, &reserved);
    CHECK(sentence != NULL && strstr(sentence, "more entries than there is room for") != NULL);
    CHECK_EQUAL(copy.count, E820_ENTRIES_MAX);
    for (unsigned i = 0; i < E820_ENTRIES_MAX; i++) {
        CHECK_EQUAL(copy.entries[i].type, i % 2 == 0 ? ram : reserved);
        CHECK_EQUAL(copy.entries[i].attributes, 1);
        CHECK_EQUAL(copy.returned_bytes[i], 20);
    }
}

TEST(without_a_map_there_are_two_entries)
{
    struct e820_copy map = {0};
    multiboot_add_basic(&map, 639, 0xFFFFFFFF);
    CHECK_EQUAL(map.count, 2);
    CHECK_EQUAL(map.entries[0].base, 0);
    CHECK_EQUAL(map.entries[0].length, 639 * 1024);
    CHECK_EQUAL(map.entries[1].base, 0x100000);
    CHECK_EQUAL(map.entries[1].length, 0xFFFFFFFFull * 1024);
}

/* ---- room for the archive ---- */

#define IMAGE_END 0x200000

TEST(archives_stay_or_find_a_place_or_do_not)
{
    static const struct {
        struct e820_region regions[3];
        uint32_t start, end, place;
    } cases[] = {
        /* It is in RAM, on a page and above the image. */
        {{{0x100000, 0x4000000, E820_USABLE}}, 0x200000, 0x200001, 0x200000},
        {{{0x100000, 0x4000000, E820_USABLE}}, 0x3FFF000, 0x4000000, 0x3FFF000},
        /* It is not on a page; reaches into the image; below it; out of RAM. */
        {{{0x100000, 0x4000000, E820_USABLE}}, 0x600001, 0x600002, 0x3FFF000},
        {{{0x100000, 0x4000000, E820_USABLE}}, 0x1FF000, 0x201000, 0x3FFE000},
        {{{0x100000, 0x4000000, E820_USABLE}}, 0x10000, 0x11001, 0x3FFE000},
        {{{0x100000, 0x4000000, E820_USABLE}}, 0x3FFF000, 0x4000001, 0x3FFE000},
        /* The highest place is taken, in the direct view, and not in what is no RAM. */
        {{{0x100000, 0x1000000, E820_USABLE}, {0x1000000, 0x2000000, E820_ACPI}}, 1, 2, 0xFFF000},
        {{{0x100000, 0x1000000, E820_USABLE}, {0x100000000, 0x200000000, E820_USABLE}},
         1,
         2,
         0xFFF000},
        {{{0x100000, 0x900000000, E820_USABLE}}, 1, 2, 0x9FFFF000},
        /* Without RAM, or without enough, there is none. */
        {{{0x100000, 0x4000000, E820_RESERVED}}, 0x600000, 0x601000, 0},
        {{{0x100000, 0x200000, E820_USABLE}}, 0x10000, 0x10001, 0},
        {{{0, 0x9F000, E820_USABLE}}, 0x10000, 0x10001, 0},
        {{{0x100000, 0x2B0000, E820_USABLE}}, 0x10000, 0xC0001, 0},
        {{{0x100000, 0x2B0000, E820_USABLE}}, 0x10000, 0xC0000, 0x200000},
        {{{0xA0000000, 0xB0000000, E820_USABLE}}, 0x10000, 0x10001, 0},
        {{{0x100000, 0x4000000, E820_USABLE}}, 0, 0xFFFFFFFF, 0},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        struct e820_map map = {.count = 0};
        for (; map.count < 3 && cases[i].regions[map.count].end != 0; map.count++)
            map.regions[map.count] = cases[i].regions[map.count];
        uint32_t place = multiboot_find_place(&map, IMAGE_END, cases[i].start, cases[i].end);
        if (place != cases[i].place)
            test_fail(__FILE__, __LINE__, "case %u: 0x%x, expected 0x%x", i, place, cases[i].place);
    }
}

/* ---- what loaders pass ---- */

static struct bootinfo bootinfo;
static struct multiboot multiboot;

static void begin(void)
{
    memset(&bootinfo, 0, sizeof(bootinfo));
    multiboot = (struct multiboot){.bootinfo = &bootinfo};
}

static void put(unsigned char *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

/* A Multiboot 2 information of these 32-bit words at the very end of memory. */
static void read2(const uint32_t *words, unsigned count)
{
    unsigned char *at = loader_memory() + LOADER_BYTES - 4 * (count + count % 2);
    memcpy(at, words, 4 * count);
    begin();
    multiboot2_read(&multiboot, loader_address(at));
}

TEST(multiboot2_tags_are_read)
{
    static const uint32_t words[] = {104,
                                     0,
                                     1,
                                     14,
                                     0x3D6E7572 /* run= */,
                                     0x0000006D /* m */,
                                     3,
                                     16,
                                     0x600000,
                                     0x601000,
                                     6,
                                     40,
                                     24,
                                     0,
                                     0x100000,
                                     0,
                                     0x7F00000,
                                     0,
                                     1,
                                     0,
                                     3,
                                     16,
                                     1,
                                     2,
                                     0,
                                     8};
    read2(words, ARRAY_COUNT(words));
    CHECK(strcmp(bootinfo.command_line, "run=m") == 0);
    CHECK_EQUAL(multiboot.modules, 2);
    CHECK_EQUAL(multiboot.archive_start, 0x600000);
    CHECK_EQUAL(multiboot.archive_end, 0x601000);
    CHECK_EQUAL(multiboot.map.count, 1);
    CHECK_EQUAL(multiboot.map.entries[0].length, 0x7F00000);
}

/* Each would have been read beyond what the loader says is the size. */
TEST(multiboot2_tags_that_reach_beyond_the_end_are_left_out)
{
    static const struct {
        uint32_t words[8];
        unsigned count;
    } cases[] = {
        {{8, 0}, 2},                                 /* nothing */
        {{16, 0, 6, 4096}, 4},                       /* a map that is longer */
        {{24, 0, 6, 16, 24, 0}, 6},                  /* a map without entries */
        {{32, 0, 6, 24, 16, 0, 1, 0}, 8},            /* with short ones */
        {{32, 0, 6, 24, 25, 0, 1, 0}, 8},            /* with odd ones */
        {{16, 0, 3, 8}, 4},                          /* a module without addresses */
        {{16, 0, 4, 8}, 4},                          /* memory without sizes */
        {{16, 0, 8, 8}, 4},                          /* a framebuffer without a mode */
        {{16, 0, 1, 8}, 4},                          /* a line without a byte */
        {{24, 0, 1, 16, 0x61616161, 0x61616161}, 6}, /* a line without an end */
        {{24, 0, 1, 0xFFFFFFF9, 0, 0}, 6},           /* sizes that wrap */
        {{24, 0, 99, 7, 0, 0}, 6},                   /* too short for a tag */
    };
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        read2(cases[i].words, cases[i].count);
        CHECK_EQUAL(multiboot.map.count, 0);
        CHECK_EQUAL(multiboot.modules, 0);
        CHECK_EQUAL(bootinfo.command_line[0], 0);
        CHECK_EQUAL(bootinfo.framebuffer.width, 0);
    }
}

/* Entries of a map that ends where memory does. */
TEST(multiboot1_maps_are_read_to_their_end)
{
    static const struct {
        uint32_t bytes, first_size, entries;
    } cases[] = {{48, 20, 2}, {47, 20, 1}, {24, 20, 1}, {23, 20, 0},         {48, 19, 0},
                 {48, 44, 1}, {48, 45, 0}, {0, 20, 0},  {48, 0xFFFFFFFF, 0}, {48, 28, 1}};
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        unsigned char *memory = loader_memory();
        unsigned char *map = memory + LOADER_BYTES - 48;
        put(memory, 1u << 6);
        put(memory + 44, cases[i].bytes);
        put(memory + 48, loader_address(memory + LOADER_BYTES - cases[i].bytes));
        map = memory + LOADER_BYTES - cases[i].bytes;
        if (cases[i].bytes >= 4)
            put(map, cases[i].first_size);
        if (cases[i].bytes >= 28)
            put(map + 24, 20);
        begin();
        multiboot1_read(&multiboot, loader_address(memory));
        CHECK_EQUAL(multiboot.map.count, cases[i].entries);
    }
}
