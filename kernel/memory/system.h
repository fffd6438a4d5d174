#ifndef KERNEL_MEMORY_SYSTEM_H
#define KERNEL_MEMORY_SYSTEM_H

#include "kernel/memory/check.h"
#include "kernel/memory/e820/e820.h"
#include "kernel/memory/memory.h"

/*
 * The five modules started and checked as one. The order of the calls is the order in which data
 * flows: map -> bytemap -> pageframe -> paging -> heap.
 */

/* Parts of the kernel image as the linker script lays them out: page-aligned addresses, physical =
 * virtual, from MAP_IMAGE_START on and not beyond MAP_IMAGE_END, each part where the one before it
 * ends: what lay between two of them would be mapped by none. Of a part that does not exist, start
 * and end are equal. */
struct memory_image {
    uint32_t text_start, text_end;     /* R-X */
    uint32_t rodata_start, rodata_end; /* R-- */
    uint32_t data_start, data_end;     /* RW-, bss included */
    uint32_t boot_start,
        boot_end; /* RW- until memory_release_boot(), then free; part of no other range */
};

struct memory_setup {
    const struct e820_copy *firmware_map; /* stays, and stays mapped: at MAP_E820_START or in the
                                             image, boot part excepted */
    struct memory_image image;
    paddr_t archive; /* page-aligned; 0 if none */
    uint32_t archive_bytes;
};

/*
 * From the firmware's map to a working heap, on page tables of our own. Called once, with a
 * provisional mapping under which platform_frame_pointer works. After it, only the map's rows are
 * mapped, so the caller's stack lies in the image. 0, or -EINVAL (no usable map, or the image or
 * the archive is not described well, or not where it should be), -ENOMEM (too little RAM for the
 * system's own tables); the log says which.
 */
int memory_init(const struct memory_setup *setup) MUST_CHECK;

/* What boot used and nobody needs any more (low RAM, the image's boot part) becomes free. Returns
 * how many frames; the second time 0. */
uint32_t memory_release_boot(void);

/* The archive is read and its content copied: its frames become free, whoever mapped them has
 * unmapped them. Returns how many; 0 if there are none, or no more, or if one of them is locked or
 * has other references (then none is freed). O(frames), interrupts off. */
uint32_t memory_release_archive(void);

const struct e820_map *memory_map(void); /* the regions made of the firmware's map */
const struct e820_copy *memory_firmware_map(void);
uint32_t memory_out_of_reach_frames(void); /* RAM beyond the processor's physical width */

/*
 * Verifies everything, from first principles: each module's check, and what holds between them. One
 * sentence a fault goes to `say`. Returns how many; 0 means that the books balance. Interrupts are
 * off meanwhile: O(RAM).
 */
uint32_t memory_check(void (*say)(const char *sentence));

/* What stands on the five modules takes part in memory_check from now on, behind them. At most
 * MEMORY_CHECKS_MAX; the same twice is once. */
#define MEMORY_CHECKS_MAX 4u
void memory_add_check(void (*also)(struct check *check));

#endif
