#include "boot/entry/load.h"

#include "boot/entry/bios.h"
#include "boot/entry/console.h"
#include "boot/entry/disk.h"
#include "boot/entry/elf.h"
#include "kernel/include/bootinfo.h"
#include "kernel/lib/string.h"
#include "kernel/memory/memory.h"

#define FOUR_GIB        ((paddr_t)1 << 32)
#define DIRECT_VIEW_END ((paddr_t)MAP_DIRECT_END - MAP_DIRECT_START) /* physical */

static void copy_through(void *context, const uint8_t *data, uint32_t position, uint32_t bytes)
{
    memcpy((uint8_t *)context + position, data, bytes);
}

void load_command_line(char *text, const struct lowram *lowram)
{
    const struct image_part *part = &loader_header()->parts[PART_COMMAND_LINE];
    if (part->bytes > BOOTINFO_COMMAND_LINE_SIZE)
        console_fail("the command line is longer than %u bytes.",
                     (uint32_t)BOOTINFO_COMMAND_LINE_SIZE);
    disk_read_part(part, "command line", lowram, copy_through, text);
    text[BOOTINFO_COMMAND_LINE_SIZE - 1] = 0;
}

struct kernel_load {
    struct elf_plan plan;
    const struct e820_map *map;
    uint32_t file_bytes;
};

/* The file's first bytes hold its headers: they say where all else goes. */
static void kernel_begin(struct kernel_load *load, const uint8_t *head, uint32_t head_bytes)
{
    const struct elf_plan *plan = &load->plan;
    const char *wrong =
        elf_plan(&load->plan, head, head_bytes, load->file_bytes, MAP_IMAGE_START, MAP_IMAGE_END);
    if (wrong)
        console_fail("the kernel %s", wrong);
    uint32_t start = plan->start / FRAME_SIZE * FRAME_SIZE;
    uint32_t end = (plan->end + FRAME_SIZE - 1) / FRAME_SIZE * FRAME_SIZE;
    if (!memorymap_is_usable(load->map, start, end))
        console_fail("there is no RAM where the kernel must be (%x to %x).", start, end);
    elf_clear(plan, memory_at(plan->start));
}

static void kernel_take(void *context, const uint8_t *data, uint32_t position, uint32_t bytes)
{
    struct kernel_load *load = context;
    if (!position)
        kernel_begin(load, data, bytes);
    elf_place(&load->plan, memory_at(load->plan.start), data, position, bytes);
}

struct loaded_kernel load_kernel(const struct e820_map *map, const struct lowram *lowram)
{
    static struct kernel_load load;
    const struct image_part *part = &loader_header()->parts[PART_KERNEL];
    load = (struct kernel_load){.map = map, .file_bytes = part->bytes};
    disk_read_part(part, "kernel", lowram, kernel_take, &load);
    if (!load.plan.count)
        console_fail("the image holds no kernel.");
    return (struct loaded_kernel){load.plan.entry, load.plan.end};
}

uint32_t load_archive(const struct e820_map *map, uint32_t kernel_end, const struct lowram *lowram)
{
    const struct image_part *part = &loader_header()->parts[PART_ARCHIVE];
    if (!part->bytes)
        return 0;
    /* High, so that what lies below stays in one piece; where the kernel sees it, if it can be. */
    uint32_t place = memorymap_place(map, part->bytes, kernel_end, DIRECT_VIEW_END);
    if (!place)
        place = memorymap_place(map, part->bytes, kernel_end, FOUR_GIB);
    if (!place)
        console_fail("there is no RAM for the initial archive of %u bytes.", part->bytes);
    disk_read_part(part, "initial archive", lowram, copy_through, memory_at(place));
    return place;
}
