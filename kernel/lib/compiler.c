#include "kernel/include/types.h"

/*
 * What compilers call for 64-bit division and for counting bits on this processor: their names and
 * meanings are those of the GCC runtime library (GCC internals, 4.1 "Routines for integer
 * arithmetic"), which a freestanding kernel does without.
 */
uint64_t __udivmoddi4(uint64_t dividend, uint64_t divisor, uint64_t *remainder);
uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);
uint64_t __umoddi3(uint64_t dividend, uint64_t divisor);
int64_t __divmoddi4(int64_t dividend, int64_t divisor, int64_t *remainder);
int64_t __divdi3(int64_t dividend, int64_t divisor);
int64_t __moddi3(int64_t dividend, int64_t divisor);
int __popcountsi2(uint32_t value);
int __popcountdi2(uint64_t value);

/* high:low / divisor, with high < divisor, so that the quotient fits. */
static uint32_t divide_words(uint32_t high, uint32_t low, uint32_t divisor, uint32_t *remainder)
{
    uint32_t quotient;
    __asm__("divl %4" : "=a"(quotient), "=d"(*remainder) : "a"(low), "d"(high), "rm"(divisor));
    return quotient;
}

/* A divisor of one word: two divisions, the second starts with the first one's remainder. A zero
 * divisor faults here, as it should. */
static uint64_t divide_by_word(uint64_t dividend, uint32_t divisor, uint64_t *remainder)
{
    uint32_t rest;
    uint32_t high = divide_words(0, (uint32_t)(dividend >> 32), divisor, &rest);
    uint32_t low = divide_words(rest, (uint32_t)dividend, divisor, &rest);
    *remainder = rest;
    return (uint64_t)high << 32 | low;
}

uint64_t __udivmoddi4(uint64_t dividend, uint64_t divisor, uint64_t *remainder)
{
    uint64_t rest;
    uint64_t quotient = 0;
    if (divisor >> 32 == 0) {
        quotient = divide_by_word(dividend, (uint32_t)divisor, &rest);
    } else {
        /* The quotient has at most 32 bits: as many steps as the divisor can be shifted. */
        int shift = __builtin_clz((uint32_t)(divisor >> 32));
        rest = dividend;
        for (int step = shift; step >= 0; step--) {
            quotient <<= 1;
            if (rest >= divisor << step) {
                rest -= divisor << step;
                quotient |= 1;
            }
        }
    }
    if (remainder != NULL)
        *remainder = rest;
    return quotient;
}

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor)
{
    return __udivmoddi4(dividend, divisor, NULL);
}

uint64_t __umoddi3(uint64_t dividend, uint64_t divisor)
{
    uint64_t remainder;
    __udivmoddi4(dividend, divisor, &remainder);
    return remainder;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* The quotient rounds toward zero, so the remainder has the dividend's sign (C11, 6.5.5). */
int64_t __divmoddi4(int64_t dividend, int64_t divisor, int64_t *remainder)
{
    uint64_t rest;
    uint64_t quotient = __udivmoddi4(magnitude(dividend), magnitude(divisor), &rest);
    if (remainder != NULL)
        *remainder = (int64_t)(dividend < 0 ? 0 - rest : rest);
    return (int64_t)((dividend < 0) != (divisor < 0) ? 0 - quotient : quotient);
}

int64_t __divdi3(int64_t dividend, int64_t divisor)
{
    return __divmoddi4(dividend, divisor, NULL);
}

int64_t __moddi3(int64_t dividend, int64_t divisor)
{
    int64_t remainder;
    __divmoddi4(dividend, divisor, &remainder);
    return remainder;
}

int __popcountsi2(uint32_t value)
{
    value -= value >> 1 & 0x55555555u;
    value = (value & 0x33333333u) + (value >> 2 & 0x33333333u);
    value = (value + (value >> 4)) & 0x0f0f0f0fu;
    return (int)(value * 0x01010101u >> 24);
}

int __popcountdi2(uint64_t value)
{
    return __popcountsi2((uint32_t)value) + __popcountsi2((uint32_t)(value >> 32));
}
