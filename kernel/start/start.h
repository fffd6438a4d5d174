#ifndef KERNEL_START_START_H
#define KERNEL_START_START_H

/*
 * From the loader's hand to kernel_main(). Everything in this folder is linked into the image's
 * boot part, whose frames are free after boot. It runs with paging off until start_enable_paging().
 */

/* What a loader leaves in EAX. */
#define MULTIBOOT1_MAGIC 0x2BADB002
#define MULTIBOOT2_MAGIC 0x36D76289

#define BOOT_STACK_BYTES 32768

#ifndef __ASSEMBLER__

#include "kernel/include/bootinfo.h"
#include "kernel/memory/e820/e820.h"

/* What a Multiboot loader passed, copied to the image's own memory. */
struct multiboot {
    struct bootinfo *bootinfo; /* to be filled */
    struct e820_copy map;
    uint32_t archive_start, archive_end; /* the first module; start == end: none */
    uint32_t modules;                    /* how many there are; the others are left out */
};

/* What lies at a physical address, with paging off. Host tests have a loader's gifts below 4 GiB.
 */
static inline const void *start_pointer(uint32_t address)
{
    return (const void *)(uintptr_t)address;
}

/* The first C code, with paging off. */
_Noreturn void start_main(uint32_t magic, uint32_t information);

/* One sentence on COM1 and the text screen; then an emulator ends (POWER_EXIT_REFUSED), and all
 * others halt. For every processor since the 80386. */
_Noreturn void start_refuse(const char *sentence);
void start_require_processor(void);

/* Read what the loader passed; write nothing outside of *multiboot and its bootinfo. That its
 * addresses and sizes are of memory is taken from the loader; within those sizes everything may be
 * wrong, and what does not fit is left out. */
void multiboot1_read(struct multiboot *multiboot, uint32_t information);
void multiboot2_read(struct multiboot *multiboot, uint32_t information);

/* For both of them. */
void multiboot_add_entry(struct e820_copy *map, uint64_t base, uint64_t length, uint32_t type);
void multiboot_add_basic(struct e820_copy *map, uint32_t lower_kib, uint32_t upper_kib);

/* The words that the user wrote, as they were written. loader: its name, or NULL. Pure. */
void multiboot_set_command_line(struct bootinfo *bootinfo, const char *line, const char *loader);

/* Whether the line asks for a mode (video=...) that the screen does not have as the loader left it:
 * VGA text or graphics. Pure. */
bool multiboot_is_mode_missing(const struct bootinfo *bootinfo);

/* Where an archive that the loader left at [start, end) is to be: there, if it is
 * above the image's end, on a page and in RAM, else the highest such place in the direct view; 0 if
 * there is none. Pure. */
uint32_t multiboot_find_place(const struct e820_map *map, uint32_t image_end, uint32_t start,
                              uint32_t end);

/* Puts everything where the map wants it: the archive, then the E820 copy. */
void multiboot_place(struct multiboot *multiboot, uint32_t image_end);

/* Log lines on what a Multiboot loader passed and is not used. */
void start_log_loader(void);

/* Finds EBDA and RSDP as a loader would. */
void firmware_scan(struct bootinfo *bootinfo);

/* Provisional tables: the first megabytes where they are, and the direct view. */
void start_enable_paging(void);

/* kernel/main.c */
_Noreturn void kernel_main(const struct bootinfo *given);

#endif
#endif
