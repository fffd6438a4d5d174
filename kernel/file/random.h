#ifndef KERNEL_FILE_RANDOM_H
#define KERNEL_FILE_RANDOM_H

#include "kernel/include/types.h"

/* What kernel/file/random.c shows to its test: one block of ChaCha20. */
#define RANDOM_BLOCK_WORDS 16

void random_block(const uint32_t state[RANDOM_BLOCK_WORDS], uint32_t out[RANDOM_BLOCK_WORDS]);

#endif
