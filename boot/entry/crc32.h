#ifndef BOOT_ENTRY_CRC32_H
#define BOOT_ENTRY_CRC32_H

#include "kernel/include/types.h"

/* CRC-32 (IEEE 802.3) of bytes that follow those whose CRC is crc; begin with 0. Pure. */
uint32_t crc32_add(uint32_t crc, const uint8_t *data, uint32_t bytes);

#endif
