#ifndef TESTS_UNIT_HOST_MMU_H
#define TESTS_UNIT_HOST_MMU_H

#include "kernel/include/types.h"

/*
 * An MMU for a window of the kernel's address space, at its real address: a page shows the frame
 * of the machine's RAM that the translation says, from the first access until the page is flushed.
 * A page that is flushed and not mapped any more, or never was, faults, and so the test fails.
 */
struct host_mapping {
    frame_t frame; /* FRAME_NONE: not mapped */
    bool is_writable;
};

typedef struct host_mapping (*host_translation)(uintptr_t address);

/* The window [start, end), page-aligned; everything there is forgotten. Takes host_on_flush. */
void host_mmu_start(uintptr_t start, uintptr_t end, host_translation translation);

/* Instead of failing, an access to a page without mapping comes back here: for tests of protection.
 * True if reading the byte at the address faults. */
bool host_mmu_faults(uintptr_t address);

#endif
