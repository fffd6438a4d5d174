#include "kernel/lib/string.h"
#include "kernel/memory/memory.h"
#include "kernel/start/start.h"

/* The BIOS data area keeps the EBDA's segment here. */
#define BDA_EBDA_SEGMENT 0x40E

/* ACPI 6.5, 5.2.5.1: on a 16-byte boundary in the EBDA's first KiB or in the last 128 KiB below 1
 * MiB; the first 20 bytes sum to 0. */
#define RSDP_SIGNATURE  "RSD PTR "
#define RSDP_BYTES      20
#define RSDP_ALIGNMENT  16
#define RSDP_EBDA_BYTES 1024

/* Page 0 is memory like any other while paging is off; the compiler must not think of it as a null
 * pointer. */
static uint32_t read_ebda(void)
{
    uint16_t segment;
    __asm__ volatile("movw (%1), %0" : "=r"(segment) : "r"(BDA_EBDA_SEGMENT));
    uint32_t ebda = (uint32_t)segment << 4;
    return ebda >= MAP_EBDA_LOWEST && ebda < MAP_VIDEO_START ? ebda : 0;
}

static bool is_rsdp(const uint8_t *bytes)
{
    uint8_t sum = 0;
    if (memcmp(bytes, RSDP_SIGNATURE, strlen(RSDP_SIGNATURE)) != 0)
        return false;
    for (unsigned i = 0; i < RSDP_BYTES; i++)
        sum += bytes[i];
    return sum == 0;
}

static uint32_t find_rsdp(uint32_t start, uint32_t end)
{
    for (uint32_t at = start; at + RSDP_BYTES <= end; at += RSDP_ALIGNMENT)
        if (is_rsdp((const uint8_t *)at))
            return at;
    return 0;
}

void firmware_scan(struct bootinfo *bootinfo)
{
    bootinfo->ebda = read_ebda();
    if (bootinfo->ebda != 0)
        bootinfo->rsdp = find_rsdp(bootinfo->ebda, bootinfo->ebda + RSDP_EBDA_BYTES);
    if (bootinfo->rsdp == 0)
        bootinfo->rsdp = find_rsdp(MAP_BIOS_START, MAP_FIRMWARE_END);
}
