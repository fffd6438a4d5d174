#ifndef KERNEL_PROCESS_ELF_H
#define KERNEL_PROCESS_ELF_H

#include "kernel/include/types.h"

/*
 * ELF files (System V ABI, chapter 4; i386 supplement), as far as exec wants to know: what is to be
 * mapped where. Pure: bytes in, a plan or an error out; every number in a file may be a lie.
 */
#define ELF_HEADER_BYTES 52u
#define ELF_SEGMENTS_MAX 16u  /* PT_LOAD */
#define ELF_HEADERS_MAX  128u /* program headers; a page of them */
#define ELF_HEADER_SIZE  32u  /* of a program header */
#define ELF_PATH_MAX     256u /* of an interpreter, with its zero */

#define ELF_EXECUTE      1u
#define ELF_WRITE        2u
#define ELF_READ         4u

enum elf_kind { ELF_FIXED, ELF_MOVABLE }; /* ET_EXEC, ET_DYN */

/* Where a file goes: one for what stands in the user row, and one for an interpreter. */
struct elf_room {
    uint32_t start, end; /* addresses; a fixed file lies inside, a movable one from the start on */
};

struct elf_segment {
    uint32_t address;      /* as it will be */
    uint32_t memory_bytes; /* from there */
    uint32_t file_bytes;   /* of them from the file, at this offset */
    uint32_t offset;       /* congruent to the address, by page */
    uint32_t rights;       /* ELF_* */
};

struct elf_image {
    enum elf_kind kind;
    uint32_t entry;
    uint32_t header_address; /* of the program headers in memory; 0: they are not mapped */
    uint32_t header_count;
    uint32_t segment_count;
    struct elf_segment segments[ELF_SEGMENTS_MAX]; /* ascending, apart by page */
    uint32_t interpreter_offset,
        interpreter_bytes; /* path in the file, with its zero; bytes 0: none */
    const char
        *refusal; /* after -ENOEXEC: a sentence for the log, or NULL where it is no ELF file */
};

/* How many bytes of the file the two of them want to see: the header, then the program headers. */
struct elf_headers {
    uint32_t offset, count;
};

/* The file's first bytes (at least ELF_HEADER_BYTES): where its program headers are. 0 or -ENOEXEC.
 */
int elf_read_header(const uint8_t *bytes, struct elf_headers *headers,
                    const char **refusal) MUST_CHECK;

/* Header and program headers (headers.count * ELF_HEADER_SIZE bytes) of a file of this size: the
 * plan. 0 or -ENOEXEC. */
int elf_plan(const uint8_t *header, const uint8_t *program_headers, uint64_t file_bytes,
             struct elf_room room, struct elf_image *image) MUST_CHECK;

/* The end of what is mapped, rounded up to a page; and where it begins. */
uint32_t elf_image_end(const struct elf_image *image);
uint32_t elf_image_start(const struct elf_image *image);

#endif
