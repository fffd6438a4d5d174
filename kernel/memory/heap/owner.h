#ifndef KERNEL_MEMORY_HEAP_OWNER_H
#define KERNEL_MEMORY_HEAP_OWNER_H

#include "kernel/lib/string.h"
#include "kernel/memory/heap/debug.h"
#include "kernel/memory/heap/level.h"
#include "kernel/memory/paging/paging.h"

/* What guarded objects and debug builds have in common: patterns, and the words for what has become
 * of them. */

#define HEAP_ZONE_BYTE 0xA7u /* around an object */
#define HEAP_FREE_BYTE 0xD5u /* in what is free */

/* A page of the window has just got a frame. */
static inline void heap_poison_page(uintptr_t address)
{
    if (HEAP_HAS_PATTERNS)
        memset((void *)address, HEAP_FREE_BYTE, PAGE_SIZE);
}

/* The number of the next allocation that is recorded. Interrupts off. */
extern uint32_t heap_owner_numbers; /* given so far */
static inline uint32_t heap_owner_next_number(void)
{
    return ++heap_owner_numbers;
}

/* In debug builds: debug/look.c. */
bool layer_owner_at(uintptr_t address, struct heap_owner *owner);

/* A byte that somebody changed who had no business there. */
struct heap_damage {
    struct heap_owner owner; /* object 0: nobody knows */
    uintptr_t address;
    uint8_t found, expected;
};

#define HEAP_DAMAGE_SIZE 256

/* "overrun: 0x01 instead of 0xa7, 0 bytes behind an object of 100 bytes at 0x00564010, allocated by
 * 0x00194d17 f+0x17 (number 3)" in the buffer; returns the buffer. */
const char *heap_damage_text(const struct heap_damage *damage, char *buffer, size_t size);

/* A line for the log about whose object an address lies in or beside, if that is known. */
void heap_owner_log(uintptr_t address);

/* Compares [start, end) with a byte; the first that differs. 0: none does. */
uintptr_t heap_find_change(uintptr_t start, uintptr_t end, uint8_t expected);

#endif
