#ifndef TESTS_UNIT_HEAP_MACHINE_H
#define TESTS_UNIT_HEAP_MACHINE_H

#include "kernel/memory/heap/internal.h"
#include "tests/unit/host/mmu.h"
#include "tests/unit/host/platform.h"
#include "tests/unit/test.h"

/*
 * A machine with a heap in the window at its real address: RAM from frame 1 on, real frames, real
 * page tables, and an MMU that faults on every page that they do not map.
 */
void machine_start(uint32_t frames);

uint32_t machine_free_frames(void);

/* How many faults heap_check finds; the sentences, joined by newlines, are in machine_faults. */
uint32_t machine_check(void);
extern char machine_faults[4096];

/* Fails with the sentences unless there are none. */
void machine_check_is_clean(void);

struct heap_statistics machine_statistics(void);

/* Takes frames until `left` are free; machine_return_frames gives them back. */
void machine_hoard_frames(uint32_t left);
void machine_return_frames(void);

/* A stamp at both ends of an object, made from its address, its size and a number. */
void stamp_write(void *object, size_t bytes, uint32_t number);
bool stamp_is_whole(const void *object, size_t bytes, uint32_t number);

#endif
