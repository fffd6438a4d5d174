#include "boot/entry/firmware.h"

#include "boot/entry/bios.h"
#include "kernel/include/bootinfo.h"
#include "kernel/lib/string.h"
#include "kernel/memory/memory.h"

#define BDA_EBDA_SEGMENT  0x40E /* a word in the BIOS data area */
#define RSDP_EBDA_BYTES   1024
#define RSDP_ALIGN        16
#define RSDP_SUMMED_BYTES 20

uint32_t firmware_ebda(void)
{
    uint32_t address = (uint32_t) * (volatile uint16_t *)memory_at(BDA_EBDA_SEGMENT) << 4;
    return address >= MAP_EBDA_LOWEST && address < MAP_VIDEO_START ? address : 0;
}

static bool is_rsdp(const uint8_t *at)
{
    if (memcmp(at, "RSD PTR ", 8))
        return false;
    uint8_t sum = 0;
    for (uint32_t i = 0; i < RSDP_SUMMED_BYTES; i++)
        sum = (uint8_t)(sum + at[i]);
    return !sum;
}

static uint32_t rsdp_in(uint32_t start, uint32_t end)
{
    for (uint32_t at = start; at + RSDP_SUMMED_BYTES <= end; at += RSDP_ALIGN) {
        if (is_rsdp(memory_at(at)))
            return at;
    }
    return 0;
}

uint32_t firmware_rsdp(uint32_t ebda)
{
    uint32_t found = ebda ? rsdp_in(ebda, ebda + RSDP_EBDA_BYTES) : 0;
    return found ? found : rsdp_in(MAP_BIOS_START, MAP_FIRMWARE_END);
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
