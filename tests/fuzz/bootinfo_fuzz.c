/*
 * Any bytes as what a Multiboot loader passes, of either version, at the very end of memory:
 * reading beyond what it says is there faults. What comes of it is placed as start does, and the
 * command line goes through its readers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/debug/monitor/parse.h"
#include "kernel/lib/commandline.h"
#include "kernel/memory/memory.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/start_loader.h"
#include "tests/unit/test.h"

#define HEADER_BYTES 116u /* of Multiboot 1, up to its colours */
#define STRING_BYTES 256u

static struct bootinfo bootinfo;
static struct multiboot multiboot;
static uint32_t information;

static void read1(void *unused)
{
    (void)unused;
    multiboot1_read(&multiboot, information);
}

static void read2(void *unused)
{
    (void)unused;
    multiboot2_read(&multiboot, information);
}

static void put(unsigned char *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

/* The header's addresses are a loader's: they are of memory, and sizes are true. The map ends where
 * memory does; texts and the module lie before it. */
static void make1(const uint8_t *data, size_t size)
{
    unsigned char *memory = loader_memory();
    size_t header = size < HEADER_BYTES ? size : HEADER_BYTES, rest = size - header;
    unsigned char *texts = memory + 128, *end = memory + LOADER_BYTES;
    if (rest > LOADER_BYTES - 1024)
        rest = LOADER_BYTES - 1024;
    memcpy(memory, data, header);
    memcpy(texts, data + header, rest < 2 * STRING_BYTES ? rest : 2 * STRING_BYTES);
    texts[STRING_BYTES - 1] = texts[2 * STRING_BYTES - 1] = '\0';
    memcpy(end - rest, data + header, rest);
    put(memory + 16, loader_address(texts));
    put(memory + 24, loader_address(texts + 16));
    put(memory + 44, (uint32_t)rest);
    put(memory + 48, loader_address(end - rest));
    put(memory + 64, loader_address(texts + STRING_BYTES));
    information = loader_address(memory);
}

static void make2(const uint8_t *data, size_t size)
{
    size_t padded = (size + 7) / 8 * 8;
    unsigned char *at = loader_memory() + LOADER_BYTES - padded;
    memcpy(at, data, size);
    put(at, (uint32_t)size);
    information = loader_address(at);
}

#define IMAGE_END 0x1E0000

static void check_place(void)
{
    static struct e820_map map;
    uint32_t start = multiboot.archive_start, end = multiboot.archive_end, place;
    if (e820_resolve(&map, multiboot.map.entries, multiboot.map.count) != 0 || end <= start)
        return;
    place = multiboot_find_place(&map, IMAGE_END, start, end);
    if (place == 0)
        return;
    CHECK_EQUAL(place % FRAME_SIZE, 0);
    CHECK(place >= IMAGE_END);
    for (uint32_t i = 0; i < map.count; i++)
        if (map.regions[i].kind == E820_USABLE && map.regions[i].start <= place &&
            map.regions[i].end >= (uint64_t)place + (end - start))
            return;
    test_fail(__FILE__, __LINE__, "the archive at 0x%x lies in no RAM", place);
}

/* The words that the kernel and the monitor look for. */
static void check_line(void)
{
    static char command[BOOTINFO_COMMAND_LINE_SIZE];
    const char *line = bootinfo.command_line, *list;
    size_t length = strnlen(line, BOOTINFO_COMMAND_LINE_SIZE);
    CHECK(length < BOOTINFO_COMMAND_LINE_SIZE);
    const char *value = commandline_value(line, "guard=");
    CHECK(value == NULL || (value >= line && value <= line + length));
    (void)multiboot_is_mode_missing(&bootinfo);
    list = parse_run_part(line);
    CHECK(list == NULL || (list >= line && list <= line + length));
    while (list != NULL && (list = parse_next_command(list, command, sizeof(command))) != NULL)
        CHECK(strnlen(command, sizeof(command)) < sizeof(command));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 9 || size > LOADER_BYTES / 2)
        return 0;
    memset(&bootinfo, 0, sizeof(bootinfo));
    multiboot = (struct multiboot){.bootinfo = &bootinfo};
    if (data[0] % 2 == 0) {
        make1(data + 1, size - 1);
        if (loader_refusal(read1, NULL) != NULL)
            return 0;
    } else {
        make2(data + 1, size - 1);
        if (loader_refusal(read2, NULL) != NULL)
            return 0;
    }
    CHECK(multiboot.map.count <= E820_ENTRIES_MAX);
    check_place();
    check_line();
    return 0;
}
