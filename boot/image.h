#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include "kernel/memory/memory.h"

// clang-format off: the table keeps its columns
/*
 * How the boot image is put together: what tools/image.py writes and the three boot parts read.
 *
 *     byte 0 (and again as the CD's boot file)   stage 1, 512 bytes
 *     a multiple of 2048                         stage 2, STAGE2_BYTES, begins with the header
 *     multiples of 2048                          the parts that the header names by byte offset
 *
 * Byte offsets count from the start of the medium. Each reader divides by the sector size that the
 * firmware reports, so the same numbers serve a disk (512) and a CD (2048).
 */
// clang-format on

#define STAGE1_BPB_START 3 /* USB firmware writes a BIOS parameter block over these bytes */
#define STAGE1_BPB_END   62
#define STAGE1_FIELDS    424 /* where the image builder writes: the fields below */
#define STAGE1_CODE_END  440 /* a disk signature and the partition table follow */
#define STAGE1_BYTES     512

#define STAGE2_BYTES     (MAP_STAGE2_END - MAP_STAGE2_START)
#define STAGE2_MAGIC     0x32B0072A

/* struct loader_header, for the assembler. */
#define HEADER_MAGIC        0
#define HEADER_BALANCE      4
#define HEADER_START        8
#define HEADER_SECTOR_BYTES 10
#define HEADER_DRIVE        12
#define HEADER_MEDIUM       16
#define HEADER_BIOS_CALL    20
#define HEADER_PARTS        24
#define HEADER_BYTES        72

#define PART_OFFSET         0
#define PART_LENGTH         4
#define PART_CRC32          8
#define PART_BYTES          12

/* Where the boot sector came from: which of its two copies ran. */
#define MEDIUM_DISK      0
#define MEDIUM_CD        1

#define DISK_TRIES       5   /* reads of one place before giving up */
#define DISK_SECTORS_MAX 127 /* some firmware reads no more at once */

#define COM1             0x3F8
#define COM1_DIVISOR     1    /* 115200 baud */
#define COM1_8N1         0x03 /* line control: 8 bits, no parity, 1 stop bit */
#define COM1_FREE        0x20 /* line status: takes a byte */
#define COM1_SENT        0x40 /* line status: all is sent */

#ifndef __ASSEMBLER__

#include "kernel/include/types.h"

struct image_part {
    uint32_t offset; /* bytes from the start of the medium, a multiple of 2048 */
    uint32_t bytes;
    uint32_t crc32; /* IEEE 802.3, as zlib's crc32() */
};

enum image_part_index { PART_ENTRY, PART_KERNEL, PART_ARCHIVE, PART_COMMAND_LINE, PART_COUNT };

/* Lies at MAP_STAGE2_START. The image builder fills in the parts and the balance, stage 2 the rest.
 */
struct loader_header {
    uint32_t magic;
    uint32_t balance;      /* makes the 32-bit words of stage 2 sum to 0 */
    uint16_t start;        /* stage 2's real-mode entry, in segment 0 */
    uint16_t sector_bytes; /* as the firmware reports: 512, 1024 or 2048 */
    uint32_t drive;        /* BIOS drive number */
    uint32_t medium;       /* MEDIUM_DISK or MEDIUM_CD */
    uint32_t bios_call;    /* address of the gate, see boot/entry/bios.h */
    struct image_part parts[PART_COUNT];
};

_Static_assert(offsetof(struct loader_header, sector_bytes) == HEADER_SECTOR_BYTES,
               "assembler's view");
_Static_assert(offsetof(struct loader_header, drive) == HEADER_DRIVE, "assembler's view");
_Static_assert(offsetof(struct loader_header, medium) == HEADER_MEDIUM, "assembler's view");
_Static_assert(offsetof(struct loader_header, bios_call) == HEADER_BIOS_CALL, "assembler's view");
_Static_assert(offsetof(struct loader_header, parts) == HEADER_PARTS, "assembler's view");
_Static_assert(offsetof(struct image_part, bytes) == PART_LENGTH, "assembler's view");
_Static_assert(offsetof(struct image_part, crc32) == PART_CRC32, "assembler's view");
_Static_assert(sizeof(struct image_part) == PART_BYTES, "assembler's view");
_Static_assert(sizeof(struct loader_header) == HEADER_BYTES, "assembler's view");

#endif
#endif
