#ifndef BOOT_ENTRY_ELF_H
#define BOOT_ENTRY_ELF_H

#include "kernel/include/types.h"

/*
 * Places an ELF executable's segments while its file passes by, so that no second copy of the file
 * is ever in memory. Pure but for the memory that elf_place and elf_clear are told to write.
 */

#define ELF_SEGMENTS_MAX 16

struct elf_segment {
    uint32_t file_offset;
    uint32_t file_bytes;
    uint32_t address;      /* physical */
    uint32_t memory_bytes; /* at least file_bytes; the rest is zero */
};

struct elf_plan {
    uint32_t entry;
    uint32_t start; /* the segments lie in [start, end) */
    uint32_t end;
    uint32_t count;
    struct elf_segment segments[ELF_SEGMENTS_MAX];
};

/*
 * Makes the plan from the file's first head_bytes, which must hold the program headers. Segments
 * must lie in [row_start, row_end), must not overlap, and one must hold the entry. Returns NULL,
 * or what is wrong, to follow "the kernel": the plan then means nothing.
 */
const char *elf_plan(struct elf_plan *plan, const uint8_t *head, uint32_t head_bytes,
                     uint32_t file_bytes, uint32_t row_start, uint32_t row_end) MUST_CHECK;

/* Zeroes what no byte of the file fills. memory is where the address plan->start lies. */
void elf_clear(const struct elf_plan *plan, uint8_t *memory);

/* Puts the file's bytes [position, position + bytes) where they belong. */
void elf_place(const struct elf_plan *plan, uint8_t *memory, const uint8_t *data, uint32_t position,
               uint32_t bytes);

#endif
