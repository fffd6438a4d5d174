#ifndef KERNEL_MEMORY_MEMORY_H
#define KERNEL_MEMORY_MEMORY_H

/*
 * The memory map: every bound of the layout, stated once, read by the C compiler, the assembler
 * (through the preprocessor) and the linker scripts. Nothing else in the tree writes one of these
 * numbers. Bounds are half-open: START is inclusive, END exclusive; each row starts where the one
 * before it ends. docs/memory-map.md is the same map as a contract, in words; the tests hold the
 * two against each other.
 */
#define MAP_NULL_START        0x00000000 /* interrupt vectors, BIOS data: never mapped */
#define MAP_STAGE1_START      0x00001000 /* the boot sector moves itself here */
#define MAP_STAGE2_START      0x00002000 /* real-mode loader and its buffers */
#define MAP_BOOTINFO_START    0x00004000 /* real-mode stack, then boot information */
#define MAP_E820_START        0x00006000 /* the firmware's map as it was given */
#define MAP_ENTRY_START       0x00007000 /* 32-bit entry stub */
#define MAP_LOW_START         0x0000C000 /* low RAM: bounce buffer during boot, then free */
#define MAP_FIRMWARE_START    0x0009FC00 /* EBDA, video memory, BIOS */
#define MAP_IMAGE_START       0x00100000 /* kernel image */
#define MAP_HEAP_START        0x00550000 /* kernel heap window */
#define MAP_GUARD_BELOW_START 0x08550000 /* never mapped */
#define MAP_STACK_START       0x08560000 /* kernel stack of boot and monitor */
#define MAP_GUARD_ABOVE_START 0x08570000 /* never mapped */
#define MAP_FRAMEBUFFER_START 0x08580000 /* linear framebuffer, wherever it is physically */
#define MAP_MMIO_START        0x0B000000 /* device registers, mapped on request */
#define MAP_USER_START        0x10000000 /* one process */
#define MAP_LIBRARY_START     0x20000000 /* shared objects and shared memory */
#define MAP_DIRECT_START      0x30000000 /* direct view: RAM at physical + MAP_DIRECT_START */
#define MAP_STACKS_START      0xD0000000 /* kernel stacks, one per thread */
#define MAP_SANITIZER_START   0xD8000000 /* shadow memory in sanitizer builds */
#define MAP_TEMPORARY_START   0xF8000000 /* short-lived views */
#define MAP_TOP_START         0xFFC00000 /* never mapped */
#define MAP_TOP_END           0x100000000

#define MAP_NULL_END          MAP_STAGE1_START
#define MAP_STAGE1_END        MAP_STAGE2_START
#define MAP_STAGE2_END        MAP_BOOTINFO_START
#define MAP_BOOTINFO_END      MAP_E820_START
#define MAP_E820_END          MAP_ENTRY_START
#define MAP_ENTRY_END         MAP_LOW_START
#define MAP_LOW_END           MAP_FIRMWARE_START
#define MAP_FIRMWARE_END      MAP_IMAGE_START
#define MAP_IMAGE_END         MAP_HEAP_START
#define MAP_HEAP_END          MAP_GUARD_BELOW_START
#define MAP_GUARD_BELOW_END   MAP_STACK_START
#define MAP_STACK_END         MAP_GUARD_ABOVE_START
#define MAP_GUARD_ABOVE_END   MAP_FRAMEBUFFER_START
#define MAP_FRAMEBUFFER_END   MAP_MMIO_START
#define MAP_MMIO_END          MAP_USER_START
#define MAP_USER_END          MAP_LIBRARY_START
#define MAP_LIBRARY_END       MAP_DIRECT_START
#define MAP_DIRECT_END        MAP_STACKS_START
#define MAP_STACKS_END        MAP_SANITIZER_START
#define MAP_SANITIZER_END     MAP_TEMPORARY_START
#define MAP_TEMPORARY_END     MAP_TOP_START

/* Inside rows. */
#define MAP_STAGE1_LOAD 0x00007C00     /* where the firmware loads a boot sector */
#define MAP_REAL_STACK  0x00005000     /* top of the real-mode stack; boot information follows it */
#define MAP_BOOTINFO    MAP_REAL_STACK /* struct bootinfo, written by the entry stub */
#define MAP_LOW_RAM_END                                                                            \
    0x0009F000 /* low RAM is given out up to here; the EBDA may begin before its row */
#define MAP_EBDA_LOWEST 0x00080000 /* firmware that says its EBDA begins below has none */
#define MAP_VIDEO_START 0x000A0000 /* VGA windows; 0xB8000 holds the text screen */
#define MAP_VIDEO_TEXT  0x000B8000
#define MAP_VIDEO_END   0x000C0000 /* below: uncached, writable; above: firmware, read-only */
#define MAP_BIOS_START  0x000E0000 /* ACPI's root pointer is searched from here to the row's end */

#ifndef __ASSEMBLER__

#include "kernel/include/types.h"

/* One row of the map, for those who print it or explain an address. */
struct memory_row {
    const char *name;
    uint32_t start;
    uint64_t end; /* 64-bit: the last row ends at 4 GiB */
};

/* ROW(identifier, name): in ascending order. */
#define MEMORY_ROWS(ROW)                                                                           \
    ROW(NULL, "IVT + BDA")                                                                         \
    ROW(STAGE1, "stage 1")                                                                         \
    ROW(STAGE2, "stage 2")                                                                         \
    ROW(BOOTINFO, "boot information")                                                              \
    ROW(E820, "E820 copy")                                                                         \
    ROW(ENTRY, "kernel entry stub")                                                                \
    ROW(LOW, "low RAM")                                                                            \
    ROW(FIRMWARE, "EBDA, video, BIOS")                                                             \
    ROW(IMAGE, "kernel image")                                                                     \
    ROW(HEAP, "kernel heap")                                                                       \
    ROW(GUARD_BELOW, "guard below stack")                                                          \
    ROW(STACK, "kernel stack")                                                                     \
    ROW(GUARD_ABOVE, "guard above stack")                                                          \
    ROW(FRAMEBUFFER, "framebuffer")                                                                \
    ROW(MMIO, "MMIO")                                                                              \
    ROW(USER, "user space")                                                                        \
    ROW(LIBRARY, "library space")                                                                  \
    ROW(DIRECT, "direct view")                                                                     \
    ROW(STACKS, "kernel stacks")                                                                   \
    ROW(SANITIZER, "sanitizer")                                                                    \
    ROW(TEMPORARY, "temporary")                                                                    \
    ROW(TOP, "top")

enum memory_row_index {
#define MEMORY_ROW_INDEX(identifier, name) MEMORY_ROW_##identifier,
    MEMORY_ROWS(MEMORY_ROW_INDEX)
#undef MEMORY_ROW_INDEX
        MEMORY_ROW_COUNT
};

extern const struct memory_row memory_rows[MEMORY_ROW_COUNT];

/* The row that holds a virtual address; every 32-bit address has one. Bounded by the number of
 * rows. */
const struct memory_row *memory_row_of(uint32_t address);

#endif
#endif
