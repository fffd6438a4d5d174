#include "kernel/cpu/registers.h"
#include "kernel/memory/memory.h"
#include "kernel/start/start.h"

/*
 * Page tables for the time until the memory system has its own: 2 MiB pages, writable, supervisor,
 * write-back (device areas keep the type that the MTRRs give them).
 */
#define LARGE_SIZE     0x200000u
#define IDENTITY_BYTES 0x1000000u /* the image, the E820 copy, the text screen */

#define ENTRY_PRESENT  (1u << 0)
#define ENTRY_WRITE    (1u << 1)
#define ENTRY_LARGE    (1u << 7)

static uint64_t top[4] __attribute__((aligned(32)));
static uint64_t directories[4 * 512] __attribute__((aligned(4096)));

/* Ranges are multiples of LARGE_SIZE. */
static void map(uint32_t start, uint32_t bytes, uint32_t physical)
{
    for (uint32_t offset = 0; offset < bytes; offset += LARGE_SIZE)
        directories[(start + offset) / LARGE_SIZE] =
            (physical + offset) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_LARGE;
}

/* CR4.PSE says nothing under PAE, but there is an emulator that wants it for 2 MiB pages; every
 * processor with PAE has it. */
void start_enable_paging(void)
{
    map(0, IDENTITY_BYTES, 0);
    map(MAP_DIRECT_START, MAP_DIRECT_END - MAP_DIRECT_START, 0);
    for (unsigned i = 0; i < 4; i++)
        top[i] = (uint32_t)&directories[i * 512] | ENTRY_PRESENT;
    write_cr4(read_cr4() | CR4_PAE | CR4_PSE);
    write_cr3((uint32_t)top);
    write_cr0(read_cr0() | CR0_PG);
}
