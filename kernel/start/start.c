#include "kernel/start/start.h"

#include "kernel/include/log.h"
#include "kernel/lib/string.h"

extern const char image_boot_end[];

static struct bootinfo bootinfo;
static struct multiboot multiboot;

/* Our own loader's structure lies where it would soon be given away. */
static void copy_bootinfo(uint32_t information)
{
    const struct bootinfo *given = (const struct bootinfo *)information;
    if (given->magic != BOOTINFO_MAGIC || given->size != sizeof(struct bootinfo))
        start_refuse("the loader and the kernel were not built together.");
    bootinfo = *given;
    bootinfo.command_line[BOOTINFO_COMMAND_LINE_SIZE - 1] = '\0';
}

static void convert_multiboot(uint32_t magic, uint32_t information)
{
    bootinfo.magic = BOOTINFO_MAGIC;
    bootinfo.size = sizeof(bootinfo);
    bootinfo.boot_drive = UINT32_MAX;
    multiboot.bootinfo = &bootinfo;
    if (magic == MULTIBOOT1_MAGIC)
        multiboot1_read(&multiboot, information);
    else
        multiboot2_read(&multiboot, information);
    multiboot_place(&multiboot, (uint32_t)image_boot_end);
    firmware_scan(&bootinfo);
}

void start_log_loader(void)
{
    if (multiboot.bootinfo == NULL)
        return;
    if (multiboot.modules > 1)
        log_line("loader: it passed %u modules; the first is the archive, the others are left out",
                 multiboot.modules);
    if (multiboot_is_mode_missing(&bootinfo))
        log_line("loader: it chose the screen's mode, so video= changes nothing");
}

_Noreturn void start_main(uint32_t magic, uint32_t information)
{
    if (magic == BOOTINFO_MAGIC)
        copy_bootinfo(information);
    else if (magic == MULTIBOOT1_MAGIC || magic == MULTIBOOT2_MAGIC)
        convert_multiboot(magic, information);
    else
        start_refuse("the loader speaks none of the protocols that this kernel knows.");
    start_enable_paging();
    kernel_main(&bootinfo);
}
