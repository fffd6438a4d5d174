#include "boot/entry/firmware.h"

#include "boot/entry/bios.h"
#include "kernel/include/bootinfo.h"
#include "kernel/lib/rsdp.h"
#include "kernel/lib/string.h"
#include "kernel/memory/memory.h"

#define BDA_EBDA_SEGMENT 0x40E /* a word in the BIOS data area */

uint32_t firmware_ebda(void)
{
    uint32_t address = (uint32_t) * (volatile uint16_t *)memory_at(BDA_EBDA_SEGMENT) << 4;
    return address >= MAP_EBDA_LOWEST && address < MAP_VIDEO_START ? address : 0;
}

uint32_t firmware_rsdp(uint32_t ebda)
{
    const uint8_t *found = ebda ? rsdp_find(memory_at(ebda), RSDP_EBDA_BYTES) : NULL;
    if (!found)
        found = rsdp_find(memory_at(MAP_BIOS_START), MAP_FIRMWARE_END - MAP_BIOS_START);
    return (uint32_t)(uintptr_t)found;
}

uint32_t firmware_font(uint8_t *to)
{
    struct bios_registers registers = {.eax = 0x1130, .ebx = 0x0600};
    bios_call(0x10, &registers);
    uint32_t from = ((uint32_t)registers.es << 4) + (registers.ebp & 0xFFFF);
    if (!registers.es)
        return 0;
    memcpy(to, memory_at(from), BOOTINFO_FONT_SIZE);
    return (uint32_t)(uintptr_t)to;
}
