#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "kernel/include/types.h"

/* What the fuzzer calls for each input; a target defines it and returns 0. A fault aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The rest of an input, taken from the front. */
struct fuzz_bytes {
    const uint8_t *at;
    size_t left;
};

/* The next `count` bytes as a little-endian number, at most 8; zeroes where the input has ended. */
static inline uint64_t fuzz_take(struct fuzz_bytes *bytes, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count && bytes->left > 0; i++, bytes->left--)
        value |= (uint64_t)*bytes->at++ << 8 * i;
    return value;
}

#endif
