#ifndef BOOT_ENTRY_FIRMWARE_H
#define BOOT_ENTRY_FIRMWARE_H

#include "kernel/include/types.h"

/* What the firmware left in memory. Each returns 0 where it is not there. */

/* Physical address of the extended BIOS data area. */
uint32_t firmware_ebda(void);

/* Physical address of ACPI's root pointer (ACPI 6.5, 5.2.5.1). */
uint32_t firmware_rsdp(uint32_t ebda);

/* Copies the BIOS's 8x16 font; returns where to. */
uint32_t firmware_font(uint8_t *to);

#endif
