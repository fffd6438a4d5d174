#include "boot/entry/lowram.h"

#include "boot/entry/bios.h"
#include "boot/entry/console.h"
#include "kernel/include/bootinfo.h"
#include "kernel/memory/memory.h"

#define BOUNCE_BYTES_MAX 0x10000
#define BOUNCE_START     ((MAP_LOW_START + BOUNCE_BYTES_MAX - 1) / BOUNCE_BYTES_MAX * BOUNCE_BYTES_MAX)
#define BOUNCE_BYTES_MIN 0x2000 /* VBE's answers; the ELF headers in the first read */

_Static_assert(MAP_LOW_START + BOOTINFO_FONT_SIZE <= BOUNCE_START,
               "the font lies below the buffer");

void lowram_find(struct lowram *lowram)
{
    struct bios_registers registers = {0};
    bios_call(0x12, &registers);
    uint32_t kibibytes = registers.eax & 0xFFFF;
    uint32_t end = kibibytes * 1024;
    uint32_t bounce_end = end < MAP_LOW_RAM_END ? end : MAP_LOW_RAM_END;
    if (bounce_end < BOUNCE_START + BOUNCE_BYTES_MIN)
        console_fail("the firmware leaves only %u KiB of low memory; %u KiB are needed.", kibibytes,
                     (uint32_t)(BOUNCE_START + BOUNCE_BYTES_MIN) / 1024);
    uint32_t bytes = bounce_end - BOUNCE_START;
    lowram->end = end;
    lowram->font = memory_at(MAP_LOW_START);
    lowram->bounce = memory_at(BOUNCE_START);
    lowram->bounce_bytes = bytes < BOUNCE_BYTES_MAX ? bytes : BOUNCE_BYTES_MAX;
}
