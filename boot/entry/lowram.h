#ifndef BOOT_ENTRY_LOWRAM_H
#define BOOT_ENTRY_LOWRAM_H

#include "kernel/include/types.h"

/*
 * Low RAM during boot:
 *
 *     MAP_LOW_START     the BIOS's 8x16 font
 *     next 64 KiB line  bounce buffer: what BIOS calls read and write; does not cross 64 KiB
 *     ... as far as interrupt 12h and the map allow
 */
struct lowram {
    uint32_t end; /* by interrupt 12h, bytes */
    uint8_t *font;
    uint8_t *bounce;
    uint32_t bounce_bytes;
};

/* Asks the firmware; does not return where there is too little. */
void lowram_find(struct lowram *lowram);

#endif
