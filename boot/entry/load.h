#ifndef BOOT_ENTRY_LOAD_H
#define BOOT_ENTRY_LOAD_H

#include "boot/entry/lowram.h"
#include "boot/entry/memorymap.h"

/* Each reads a part of the image to its place; none returns where that fails. */

/* The command line, BOOTINFO_COMMAND_LINE_SIZE bytes with its closing zero. */
void load_command_line(char *text, const struct lowram *lowram);

struct loaded_kernel {
    uint32_t entry;
    uint32_t end; /* of what it takes of its row, zeroed parts included */
};

struct loaded_kernel load_kernel(const struct e820_map *map, const struct lowram *lowram);

/* The archive, to RAM above the kernel. Returns its address, 0 where the image has none. */
uint32_t load_archive(const struct e820_map *map, uint32_t kernel_end, const struct lowram *lowram);

#endif
