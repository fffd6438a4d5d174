#ifndef TESTS_UNIT_START_LOADER_H
#define TESTS_UNIT_START_LOADER_H

#include "kernel/start/start.h"

/*
 * A Multiboot loader's memory, at addresses that 32 bits hold: zeros, and behind its last byte
 * there is none.
 */
#define LOADER_BYTES 65536u

/* All of it, zeroed. */
unsigned char *loader_memory(void);

/* The address of a byte of it. */
uint32_t loader_address(const void *byte);

/* Makes a call that may refuse the machine: the sentence, or NULL if it returned. */
const char *loader_refusal(void (*call)(void *context), void *context);

#endif
