#ifndef KERNEL_MEMORY_PAGEFRAME_BITS_H
#define KERNEL_MEMORY_PAGEFRAME_BITS_H

#include "kernel/include/types.h"

/*
 * Sets of up to 32 members, one bit each. A member is what its lowest five bits say: that is how
 * the processor takes it, so nobody has to cut off the rest. As the compiler would do it, but for
 * an instruction now and then, and every path of this module consists of these.
 */
static inline unsigned lowest_bit(uint32_t set)
{
    unsigned bit;
    __asm__("rep bsfl %1, %0" : "=r"(bit) : "rm"(set) : "cc");
    return bit;
}

static inline unsigned highest_bit(uint32_t set)
{
    unsigned bit;
    __asm__("bsrl %1, %0" : "=r"(bit) : "rm"(set) : "cc");
    return bit;
}

static inline uint32_t with_bit(uint32_t set, uint32_t bit)
{
    __asm__("btsl %1, %0" : "+r"(set) : "r"(bit) : "cc");
    return set;
}

static inline uint32_t without_bit(uint32_t set, uint32_t bit)
{
    __asm__("btrl %1, %0" : "+r"(set) : "r"(bit) : "cc");
    return set;
}

static inline bool has_bit(uint32_t set, uint32_t bit)
{
    return set >> bit % 32 & 1;
}

/* Fill arrays. */
static inline void fill_32(uint32_t *at, uint32_t value, size_t count)
{
    __asm__ volatile("rep stosl" : "+D"(at), "+c"(count) : "a"(value) : "memory");
}

static inline void fill_16(uint16_t *at, uint16_t value, size_t count)
{
    __asm__ volatile("rep stosw" : "+D"(at), "+c"(count) : "a"(value) : "memory");
}

#endif
