#ifndef TESTS_UNIT_PAGING_MACHINE_H
#define TESTS_UNIT_PAGING_MACHINE_H

#include "kernel/memory/paging/internal.h"
#include "tests/unit/host/platform.h"
#include "tests/unit/test.h"

/*
 * A small machine whose address space looks as it does after boot: RAM from 0 to 0x9F000 and from 1
 * MiB up, an image, a stack, a framebuffer, the direct view.
 */
#define MACHINE_FRAMES      8192u /* 32 MiB */
#define MACHINE_TEXT        0x00100000u
#define MACHINE_RODATA      0x00120000u
#define MACHINE_DATA        0x00130000u
#define MACHINE_IMAGE_END   0x00150000u
#define MACHINE_FRAMEBUFFER 0xE0000000u /* physical */
#define MACHINE_SCREEN      0x08600000u /* virtual: congruent modulo 2 MiB */
#define MACHINE_DEVICE      0xFEC00000u

#define KERNEL_FRAME        BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)
#define USER_FRAME          BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_USER)
#define HEAP_FRAME          BYTEMAP_TAG(BYTEMAP_HEAP, BYTEMAP_KERNEL)

#define ALL_FEATURES                                                                               \
    (struct platform_features)                                                                     \
    {                                                                                              \
        .no_execute = true, .global_pages = true, .pat = true, .physical_bits = 36                 \
    }

/* RAM, frame books and paging_init; nothing mapped. */
void machine_start(struct platform_features features);
/* The same with so much RAM from frame 0 on, and beyond the direct view; it has all features. */
void machine_start_with(uint32_t frames, uint32_t frames_beyond);
/* The rows that boot maps. */
void machine_map_rows(void);
/* machine_start with all features, and the rows. */
void machine_boot(void);

/* A new frame; the test fails when there is none. */
frame_t machine_frame(bytemap_tag_t tag);
uint32_t machine_free_frames(void);

/* How many faults paging_check finds; the sentences, joined by newlines, are in machine_faults. */
uint32_t machine_check(void);
extern char machine_faults[8192];

/* Fails with the sentences unless there are none. */
void machine_check_is_clean(void);

#endif
