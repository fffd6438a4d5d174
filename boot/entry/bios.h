#ifndef BOOT_ENTRY_BIOS_H
#define BOOT_ENTRY_BIOS_H

#include "boot/image.h"
#include "kernel/include/types.h"

/*
 * BIOS calls from 32-bit code, through stage 2's gate. What a call reads and writes must lie below
 * 1 MiB; everything static in this stub, and the bounce buffer, does.
 */

/* stage 2 knows this layout. */
struct bios_registers {
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
    uint32_t eflags; /* in: the carry counts, no other flag */
    uint16_t ds, es;
};

_Static_assert(offsetof(struct bios_registers, es) == 34, "stage 2 knows this layout");
_Static_assert(sizeof(struct bios_registers) == 36, "stage 2 knows this layout");

#define BIOS_CARRY 0x0001

/* Stage 2's header, as it lies in memory. */
struct loader_header *loader_header(void);

/* Calls an interrupt; *registers goes in and comes out. Bounded by the firmware only. */
void bios_call(uint8_t interrupt, struct bios_registers *registers);

/* Real-mode addresses, for what lies below 1 MiB. */
static inline uint16_t bios_segment(const void *address)
{
    return (uint16_t)((uintptr_t)address >> 4);
}

static inline uint16_t bios_offset(const void *address)
{
    return (uint16_t)((uintptr_t)address & 0xF);
}

/* The memory at a physical address. Hides the address from the compiler, which takes small
 * constants for null pointers. */
static inline void *memory_at(uint32_t address)
{
    __asm__("" : "+r"(address));
    return (void *)(uintptr_t)address;
}

#endif
