#ifndef KERNEL_LIB_RSDP_H
#define KERNEL_LIB_RSDP_H

#include "kernel/include/types.h"

/*
 * ACPI's root pointer (ACPI 6.5, 5.2.5.1): it begins with a signature, on a 16-byte boundary, in
 * the first KiB of the EBDA or in the BIOS's area, and its first 20 bytes sum to 0.
 */
#define RSDP_EBDA_BYTES 1024

/* The first root pointer in bytes of memory that begin on a 16-byte boundary, or NULL. Pure. */
const uint8_t *rsdp_find(const uint8_t *area, uint32_t bytes);

#endif
