#ifndef BENCH_HOST_RANDOM_H
#define BENCH_HOST_RANDOM_H

#include <stdint.h>

/* xorshift32, by which the traces are defined: the state is never zero. */
extern uint32_t random_state;

static inline uint32_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* From 0 to limit - 1. */
static inline uint32_t random_below(uint32_t limit)
{
    return (uint32_t)((uint64_t)random_next() * limit >> 32);
}

/* From low to high, both included. */
static inline uint32_t random_range(uint32_t low, uint32_t high)
{
    return low + random_below(high - low + 1);
}

#endif
