#include "kernel/cpu/cpu.h"
#include "kernel/cpu/irq.h"
#include "kernel/cpu/timer.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/debug/monitor/parse.h"
#include "kernel/debug/symbols/symbols.h"
#include "kernel/device/acpi/acpi.h"
#include "kernel/device/keyboard/keyboard.h"
#include "kernel/device/screen/screen.h"
#include "kernel/device/serial/serial.h"
#include "kernel/file/files.h"
#include "kernel/include/errors.h"
#include "kernel/include/log.h"
#include "kernel/include/panic.h"
#include "kernel/include/version.h"
#include "kernel/lib/commandline.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/debug.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/system.h"
#include "kernel/process/process.h"
#include "kernel/process/start.h"
#include "kernel/space/space.h"
#include "kernel/start/start.h"
#include "kernel/syscall/table.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/thread.h"

/* kernel.ld.S */
extern const char image_text_start[], image_text_end[], image_rodata_start[], image_rodata_end[],
    image_data_start[], image_data_end[], image_boot_start[], image_boot_end[];

static struct bootinfo bootinfo;

static void start_log(void)
{
    static const char *const loaders[] = {
        [BOOTINFO_DISK] = "disk",
        [BOOTINFO_CD] = "CD",
        [BOOTINFO_MULTIBOOT1] = "Multiboot",
        [BOOTINFO_MULTIBOOT2] = "Multiboot 2",
    };
    format_name_caller = symbols_name_caller;
    serial_init();
    if (log_add_sink(serial_write) != 0)
        panic("the log has no room for COM1");
    log_line(VERSION_NAME " " VERSION_NUMBER ", booted from %s",
             bootinfo.loader < ARRAY_COUNT(loaders) ? loaders[bootinfo.loader] : "somewhere");
    if (bootinfo.command_line[0] != '\0')
        log_line("command line: %s", bootinfo.command_line);
    if (bootinfo.archive_bytes != 0)
        log_line("initial archive: %u bytes at 0x%08x", bootinfo.archive_bytes, bootinfo.archive);
    start_log_loader();
}

/* program= says which; without it and without commands for the monitor, a shell that the archive
 * has. */
static void start_first_program(void)
{
    const char *program = commandline_value(bootinfo.command_line, COMMANDLINE_PROGRAM);
    const char *commands = commandline_value(bootinfo.command_line, COMMANDLINE_RUN);
    enum process_start_end end = PROCESS_START_POWERS_OFF;
    if (program == NULL && commands == NULL) {
        program = process_start_default();
        end = PROCESS_START_LEAVES_MONITOR;
    }
    if (program == NULL)
        return;
    int error = process_start(program, end);
    if (error != 0)
        refuse("no memory for the first program");
}

/* What became of the firmware's map. */
static void say_memory(void)
{
    const struct e820_map *map = memory_map();
    struct pageframe_statistics frames;
    unsigned regions = 0;
    for (uint32_t i = 0; i < map->count; i++)
        regions += map->regions[i].kind == E820_USABLE;
    pageframe_read_statistics(&frames);
    log_line("memory: %u KiB of RAM in %u region%s, %u KiB free",
             frames.ram_frames * (FRAME_SIZE / 1024), regions, regions == 1 ? "" : "s",
             frames.free_frames * (FRAME_SIZE / 1024));
    if (map->beyond_bytes != 0)
        log_line("memory: %u MiB of RAM lie above 64 GiB, where PAE does not reach: left out",
                 (unsigned)(map->beyond_bytes >> 20));
}

/* guard=N: every n-th object of the heap is guarded. The last such word counts. */
static void start_guard(void)
{
    const char *value = commandline_value(bootinfo.command_line, "guard=");
    char digits[12] = "";
    uint64_t every;
    if (value == NULL)
        return;
    memcpy(digits, value, strnlen(value, sizeof(digits) - 1));
    for (char *end = digits; *end != '\0'; end++)
        if (commandline_is_blank(*end))
            *end = '\0';
    if (parse_number(digits, &every) != 0 || every > UINT32_MAX) {
        log_line("guard=%s: not a number; no object of the heap is guarded", digits);
        return;
    }
    heap_guard_set((uint32_t)every);
    log_line("heap: of %u new objects, one gets pages of its own", (uint32_t)every);
}

static void start_memory(void)
{
    const struct memory_setup setup = {
        .firmware_map = (const struct e820_copy *)MAP_E820_START,
        .image =
            {
                .text_start = (uint32_t)image_text_start,
                .text_end = (uint32_t)image_text_end,
                .rodata_start = (uint32_t)image_rodata_start,
                .rodata_end = (uint32_t)image_rodata_end,
                .data_start = (uint32_t)image_data_start,
                .data_end = (uint32_t)image_data_end,
                .boot_start = (uint32_t)image_boot_start,
                .boot_end = (uint32_t)image_boot_end,
            },
        .archive = bootinfo.archive,
        .archive_bytes = bootinfo.archive_bytes,
    };
    int error = memory_init(&setup);
    if (error != 0)
        refuse("the memory system: %s", error_text(error));
    cpu_set_kernel_root(paging_kernel.root);
    say_memory();
    start_guard();
}

/* From here on there can be programs; the first one starts if the command line or the archive has
 * one. */
static void start_processes(void)
{
    int error = space_init();
    if (error == 0)
        error = files_start(bootinfo.archive, bootinfo.archive_bytes);
    if (error == 0)
        error = process_init();
    if (error != 0)
        refuse("no memory for programs");
    syscall_init();
    start_first_program();
}

/* On the kernel's own stack, with everything of memory at hand. */
static void kernel_run(void)
{
    serial_start_receiving();
    keyboard_init();
    screen_init(&bootinfo);   /* shows the log so far; reads the font from boot memory */
    acpi_init(bootinfo.rsdp); /* what the machine has, and how to switch it off */
    log_line("memory: %u frames of boot given back", memory_release_boot());
    thread_init(); /* from here on, what runs is the monitor's thread */
    clock_init();
    start_processes();
    monitor_run(bootinfo.command_line);
}

/* Called from the boot stack, with the provisional page tables of kernel/start. */
_Noreturn void kernel_main(const struct bootinfo *given)
{
    bootinfo = *given;
    start_log();
    cpu_init();   /* segments, traps, what the processor has */
    irq_init();   /* interrupt lines, all masked */
    timer_init(); /* the tick */
    cpu_interrupts_on();
    start_memory(); /* from the firmware's map to a working heap */
    cpu_switch_stack(MAP_STACK_END, kernel_run);
}
