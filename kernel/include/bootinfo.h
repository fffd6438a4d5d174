#ifndef KERNEL_INCLUDE_BOOTINFO_H
#define KERNEL_INCLUDE_BOOTINFO_H

/*
 * What the loader tells the kernel. Our own loader writes it at MAP_BOOTINFO and enters the kernel
 * with EAX = BOOTINFO_MAGIC, EBX = its address, paging off, interrupts off, flat 32-bit segments.
 * The Multiboot entry makes the same structure from what its loader passed. The kernel copies it,
 * and what it points at, before it hands out the first frame.
 */
#define BOOTINFO_MAGIC 0x32B00755

#ifndef __ASSEMBLER__

#include "kernel/include/types.h"

#define BOOTINFO_COMMAND_LINE_SIZE 2048 /* with the closing zero */
#define BOOTINFO_FONT_SIZE         4096 /* 256 glyphs of 16 rows, a byte a row, leftmost pixel in bit 7 */

enum bootinfo_loader { BOOTINFO_DISK, BOOTINFO_CD, BOOTINFO_MULTIBOOT1, BOOTINFO_MULTIBOOT2 };

/* A linear framebuffer in a 32-bit mode; width is 0 where the screen is VGA text. */
struct bootinfo_framebuffer {
    uint64_t address; /* physical */
    uint32_t pitch;   /* bytes a line */
    uint16_t width;
    uint16_t height;
    uint8_t bits; /* a pixel */
    uint8_t red_shift;
    uint8_t green_shift;
    uint8_t blue_shift; /* 8 bits of each colour */
};

struct bootinfo {
    uint32_t magic;      /* BOOTINFO_MAGIC */
    uint32_t size;       /* sizeof(struct bootinfo): loader and kernel were built together */
    uint32_t loader;     /* enum bootinfo_loader */
    uint32_t boot_drive; /* BIOS drive number, or 0xFFFFFFFF */
    uint32_t
        archive; /* physical address of the initial archive, page-aligned; 0 if there is none */
    uint32_t archive_bytes;
    uint32_t ebda; /* physical address of the EBDA, 0 if unknown */
    uint32_t rsdp; /* physical address of the ACPI root pointer, 0 if none was found */
    uint32_t font; /* physical address of the BIOS's 8x16 font in low RAM, BOOTINFO_FONT_SIZE bytes;
                      0 if none */
    struct bootinfo_framebuffer framebuffer;
    char command_line[BOOTINFO_COMMAND_LINE_SIZE]; /* zero-terminated */
};

/* Where the map in struct e820_copy came from. */
enum e820_source { E820_FROM_E820, E820_FROM_E801, E820_FROM_88H, E820_FROM_MULTIBOOT };

/* One entry as the firmware gives it (ACPI 6.5, table 15.1), 24 bytes. */
struct e820_entry {
    uint64_t base;   /* bytes */
    uint64_t length; /* bytes */
    uint32_t type;   /* 1 RAM, 2 reserved, 3 ACPI, 4 NVS, 5 bad, ... */
    uint32_t
        attributes; /* bit 0 clear: ignore the entry. 1 where the firmware returned 20 bytes. */
} __attribute__((packed, aligned(4)));

#define E820_ENTRIES_MAX 128

/* Lives at MAP_E820_START for the life of the system. */
struct e820_copy {
    uint32_t count;
    uint32_t source; /* enum e820_source */
    struct e820_entry entries[E820_ENTRIES_MAX];
    uint8_t returned_bytes[E820_ENTRIES_MAX]; /* ECX as the firmware returned it, for each entry */
};

_Static_assert(sizeof(struct e820_entry) == 24, "the firmware's layout");
_Static_assert(sizeof(struct e820_copy) <= 4096, "fits its row");
_Static_assert(sizeof(struct bootinfo) <= 4096, "fits below the E820 copy");

#endif
#endif
