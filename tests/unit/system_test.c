#include <dirent.h>

#include "kernel/include/errors.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/system.h"
#include "tests/unit/host/mmu.h"
#include "tests/unit/host/platform.h"
#include "tests/unit/test.h"
#include "tools/e820-regions/table.h"

/*
 * The five modules as one, on every firmware map that we have: started as the kernel starts them,
 * worked, and found in order.
 */
#define DATA          (getenv("E820_DATA") != NULL ? getenv("E820_DATA") : "tests/data/e820")
#define DIRECT_FRAMES ((MAP_DIRECT_END - MAP_DIRECT_START) / FRAME_SIZE)

/* A 32-bit test program has no room for the whole direct view. */
#define HOST_FRAMES_MAX (sizeof(void *) == 8 ? DIRECT_FRAMES : 0x40000u)

static struct e820_copy firmware;
static unsigned sentences;

static void count_sentence(const char *sentence)
{
    sentences++;
    fprintf(stderr, "check: %s\n", sentence);
}

static void check_books(void)
{
    CHECK_EQUAL(memory_check(count_sentence), 0);
}

static struct host_mapping translate(uintptr_t address)
{
    struct paging_translation found = paging_query(&paging_kernel, address);
    if (!found.present)
        return (struct host_mapping){FRAME_NONE, false};
    return (struct host_mapping){frame_of(found.physical), (found.flags & PAGING_WRITE) != 0};
}

static const struct e820_map *resolve(void)
{
    static struct e820_map map;
    CHECK_EQUAL(e820_resolve(&map, firmware.entries, firmware.count), 0);
    return &map;
}

/* The frames that a direct view of this map needs on the host. */
static uint32_t direct_frames(void)
{
    const struct e820_map *map = resolve();
    paddr_t end = 0;
    for (uint32_t i = 0; i < map->count; i++)
        if (map->regions[i].kind == E820_USABLE && frame_of(map->regions[i].start) < DIRECT_FRAMES)
            end = map->regions[i].end;
    return frame_of(end) < DIRECT_FRAMES ? frame_of(end) : DIRECT_FRAMES;
}

/* Some machine has a hole where the kernel must be. */
static bool has_ram_for_image(void)
{
    const struct e820_map *map = resolve();
    for (uint32_t i = 0; i < map->count; i++)
        if (map->regions[i].kind == E820_USABLE && map->regions[i].start <= MAP_IMAGE_START &&
            map->regions[i].end >= MAP_HEAP_START)
            return true;
    return false;
}

static int start(void)
{
    static const struct memory_setup setup = {
        .firmware_map = &firmware,
        .image = {.text_start = 0x100000,
                  .text_end = 0x120000,
                  .rodata_start = 0x120000,
                  .rodata_end = 0x128000,
                  .data_start = 0x128000,
                  .data_end = 0x140000,
                  .boot_start = 0x140000,
                  .boot_end = 0x148000},
    };
    host_platform_init(direct_frames());
    host_mmu_start(MAP_HEAP_START, MAP_HEAP_END, translate);
    return memory_init(&setup);
}

static void entry(uint64_t base, uint64_t length, uint32_t type)
{
    firmware.entries[firmware.count++] = (struct e820_entry){base, length, type, 1};
}

static void use_plain_machine(uint64_t ram_bytes)
{
    firmware.count = 0;
    entry(0, 0x9FC00, 1);
    entry(0x9FC00, 0x400, 2);
    entry(0xF0000, 0x10000, 2);
    entry(0x100000, ram_bytes - 0x100000, 1);
}

/* Objects and frames of every kind, then all of it back: the books read as before. */
static void work(void)
{
    struct pageframe_statistics before, after;
    void *objects[64];
    frame_t frames[32];
    check_books();
    pageframe_read_statistics(&before);
    for (unsigned i = 0; i < ARRAY_COUNT(objects); i++) {
        size_t size = test_random_range(1, i % 8 == 0 ? 40000 : 600);
        objects[i] = kmalloc(size);
        if (objects[i] != NULL)
            memset(objects[i], (int)i, size);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(frames); i++)
        frames[i] = pageframe_alloc(i % PAGEFRAME_WHERE_COUNT,
                                    BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL));
    check_books();
    for (unsigned i = 0; i < ARRAY_COUNT(objects); i++)
        kfree(objects[i]);
    for (unsigned i = 0; i < ARRAY_COUNT(frames); i++)
        if (frames[i] != FRAME_NONE)
            CHECK_EQUAL(pageframe_free(frames[i]), 0);
    heap_trim();
    check_books();
    pageframe_read_statistics(&after);
    CHECK_EQUAL(after.free_frames, before.free_frames);
}

static void start_and_work(void)
{
    struct pageframe_statistics boot, running;
    CHECK_EQUAL(start(), 0);
    check_books();
    pageframe_read_statistics(&boot);
    uint32_t released = memory_release_boot();
    pageframe_read_statistics(&running);
    CHECK(released > 8);
    CHECK_EQUAL(running.free_frames, boot.free_frames + released);
    work();
}

static bool read_table(const char *path)
{
    static char text[65536];
    static struct table table;
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    size_t bytes = fread(text, 1, sizeof(text), file);
    fclose(file);
    CHECK(table_parse(&table, text, bytes).text == NULL);
    firmware.count = table.count;
    memcpy(firmware.entries, table.entries, sizeof(table.entries));
    return direct_frames() <= HOST_FRAMES_MAX;
}

/* Every table of a folder on which the kernel could start; how many those were. */
static unsigned work_on_tables(const char *folder)
{
    char path[512];
    unsigned worked = 0;
    snprintf(path, sizeof(path), "%s/%s", DATA, folder);
    DIR *directory = opendir(path);
    CHECK(directory != NULL);
    for (struct dirent *found; (found = readdir(directory)) != NULL;) {
        if (strstr(found->d_name, ".txt") == NULL)
            continue;
        snprintf(path, sizeof(path), "%s/%s/%s", DATA, folder, found->d_name);
        if (!read_table(path))
            continue;
        if (getenv("VERBOSE") != NULL)
            fprintf(stderr, "%s\n", path);
        if (!has_ram_for_image()) {
            CHECK_EQUAL(start(), -EINVAL);
            continue;
        }
        start_and_work();
        worked++;
    }
    closedir(directory);
    return worked;
}

TEST(system_starts_on_emulated_firmware)
{
    CHECK(work_on_tables("emulators") > 20);
}

TEST(system_starts_on_machines_in_the_field)
{
    CHECK(work_on_tables("machines") > (sizeof(void *) == 8 ? 10 : 2));
}

/* What was free after boot and is somebody's by now stays that. */
TEST(system_gives_boot_back_once)
{
    struct pageframe_statistics before, after;
    use_plain_machine(32u << 20);
    CHECK_EQUAL(start(), 0);
    CHECK(memory_release_boot() > 0);
    CHECK_EQUAL(pageframe_take(0x20, 4, BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)), 0);
    pageframe_read_statistics(&before);
    CHECK_EQUAL(memory_release_boot(), 0);
    pageframe_read_statistics(&after);
    CHECK_EQUAL(after.free_frames, before.free_frames);
    CHECK_EQUAL(bytemap_get(0x20), BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL));
    check_books();
}

TEST(system_refuses_maps_it_cannot_start_on)
{
    firmware.count = 0;
    host_platform_init(1024);
    CHECK_EQUAL(memory_init(&(struct memory_setup){.firmware_map = &firmware}), -EINVAL);
    entry(0, 0x100000, 2);
    CHECK_EQUAL(memory_init(&(struct memory_setup){.firmware_map = &firmware}), -EINVAL);
    use_plain_machine(0x180000);
    firmware.entries[3].base = 0x110000; /* no RAM where the kernel lies */
    CHECK(start() < 0);
    use_plain_machine(0x150000); /* the kernel, and next to nothing else */
    CHECK(start() < 0);
}

TEST(system_reserves_what_the_processor_cannot_reach)
{
    use_plain_machine(64 << 20);
    entry(0x100000000, 0x40000000, 1);
    platform_features.physical_bits = 32;
    start_and_work();
    CHECK_EQUAL(memory_out_of_reach_frames(), 0x40000);
    CHECK_EQUAL(bytemap_get(0x100000), BYTEMAP_TAG(BYTEMAP_RESERVED, BYTEMAP_KERNEL));
    platform_features.physical_bits = 36;
    start_and_work();
    CHECK_EQUAL(memory_out_of_reach_frames(), 0);
}
