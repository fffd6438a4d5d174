#ifndef BOOT_ENTRY_MEMORYMAP_H
#define BOOT_ENTRY_MEMORYMAP_H

#include "kernel/memory/e820/e820.h"

/*
 * Asks the firmware for its memory map: E820, where there is none E801, where that is missing too
 * 88h. *copy gets it as it was given; *map what it means. low_end: what interrupt 12h says, for
 * the two that do not speak of low memory. Does not return where there is no map.
 */
void memorymap_read(struct e820_copy *copy, struct e820_map *map, uint32_t low_end);

/* Whether every byte of [start, end) is usable. */
bool memorymap_is_usable(const struct e820_map *map, uint32_t start, uint32_t end);

/*
 * The highest page-aligned place for bytes (more than 0) of usable RAM in [low, high); 0 if there
 * is none.
 */
uint32_t memorymap_place(const struct e820_map *map, uint32_t bytes, paddr_t low, paddr_t high);

#endif
