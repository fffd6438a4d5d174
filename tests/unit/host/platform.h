#ifndef TESTS_UNIT_HOST_PLATFORM_H
#define TESTS_UNIT_HOST_PLATFORM_H

#include "kernel/memory/platform.h"

/*
 * The machine that host tests run on: RAM is a reservation of address space, touched on demand;
 * interrupts are a nesting count that is checked; TLB flushes are recorded.
 */

/* Gives the machine RAM, all zero; forgets everything from before. Frames 0 to frames - 1 are in
 * the direct view; those above can be seen only through an MMU (tests/unit/host/mmu.h). */
void host_platform_init(uint32_t frames);

/* The file that the machine's RAM is; frame f begins at f * FRAME_SIZE. */
extern int host_ram_file;

/* How often the memory tree logged a line, and the last one. */
extern unsigned host_log_lines;
extern char host_log_last[256];

/* Flushes since host_platform_init, and the address of the last single-page one. */
extern unsigned host_page_flushes, host_full_flushes;
extern uintptr_t host_last_page_flush;
extern paddr_t host_root; /* what was last loaded */

/* If set, called at each flush of a page (an emulated MMU forgets that page) and each full flush
 * (address 0). */
extern void (*host_on_flush)(uintptr_t address);

/* If set, called whenever interrupts come on again: a handler that was waiting. It may call into
 * the memory tree; it is not interrupted itself if it clears this meanwhile. */
extern void (*host_on_interrupts_on)(void);

#endif
