#include "kernel/lib/rsdp.h"
#include "kernel/memory/memory.h"
#include "kernel/start/start.h"

/* The BIOS data area keeps the EBDA's segment here. */
#define BDA_EBDA_SEGMENT 0x40E

/* Page 0 is memory like any other while paging is off; the compiler must not think of it as a null
 * pointer. */
static uint32_t read_ebda(void)
{
    uint16_t segment;
    __asm__ volatile("movw (%1), %0" : "=r"(segment) : "r"(BDA_EBDA_SEGMENT));
    uint32_t ebda = (uint32_t)segment << 4;
    return ebda >= MAP_EBDA_LOWEST && ebda < MAP_VIDEO_START ? ebda : 0;
}

void firmware_scan(struct bootinfo *bootinfo)
{
    const uint8_t *rsdp = NULL;
    bootinfo->ebda = read_ebda();
    if (bootinfo->ebda != 0)
        rsdp = rsdp_find((const uint8_t *)bootinfo->ebda, RSDP_EBDA_BYTES);
    if (rsdp == NULL)
        rsdp = rsdp_find((const uint8_t *)MAP_BIOS_START, MAP_FIRMWARE_END - MAP_BIOS_START);
    bootinfo->rsdp = (uint32_t)rsdp;
}
