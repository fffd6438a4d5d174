#include "boot/entry/bios.h"
#include "boot/entry/commandline.h"
#include "boot/entry/console.h"
#include "boot/entry/firmware.h"
#include "boot/entry/load.h"
#include "boot/entry/lowram.h"
#include "boot/entry/memorymap.h"
#include "boot/entry/video.h"
#include "kernel/lib/processor.h"
#include "kernel/lib/string.h"
#include "kernel/memory/memory.h"

/* Called by the first instructions; returns the kernel's entry. */
uint32_t entry_main(void);

static struct e820_map map;
static struct lowram lowram;

_Static_assert(MAP_BOOTINFO + sizeof(struct bootinfo) <= MAP_BOOTINFO_END, "fits its row");
_Static_assert(MAP_E820_START + sizeof(struct e820_copy) <= MAP_E820_END, "fits its row");

static void bootinfo_begin(struct bootinfo *bootinfo)
{
    const struct loader_header *header = loader_header();
    memset(bootinfo, 0, sizeof(*bootinfo));
    bootinfo->magic = BOOTINFO_MAGIC;
    bootinfo->size = sizeof(*bootinfo);
    bootinfo->loader = header->medium == MEDIUM_CD ? BOOTINFO_CD : BOOTINFO_DISK;
    bootinfo->boot_drive = header->drive;
}

/* Until this has returned, only 386 instructions may run: the stub is compiled for that. */
static void processor_check(void)
{
    const char *refusal = processor_refusal();
    if (refusal)
        console_fail("%s", refusal);
}

uint32_t entry_main(void)
{
    struct bootinfo *bootinfo = memory_at(MAP_BOOTINFO);

    processor_check();
    bootinfo_begin(bootinfo);
    lowram_find(&lowram);
    console_say("loading from drive %x, %u-byte sectors.", bootinfo->boot_drive,
                (uint32_t)loader_header()->sector_bytes);
    memorymap_read(memory_at(MAP_E820_START), &map, lowram.end);
    load_command_line(bootinfo->command_line, &lowram);
    struct loaded_kernel kernel = load_kernel(&map, &lowram);
    bootinfo->archive = load_archive(&map, kernel.end, &lowram);
    bootinfo->archive_bytes = loader_header()->parts[PART_ARCHIVE].bytes;
    bootinfo->ebda = firmware_ebda();
    bootinfo->rsdp = firmware_rsdp(bootinfo->ebda);
    bootinfo->font = firmware_font(lowram.font);
    video_set(&bootinfo->framebuffer, commandline_video(bootinfo->command_line), &lowram);
    return kernel.entry;
}
