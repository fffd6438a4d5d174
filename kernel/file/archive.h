#ifndef KERNEL_FILE_ARCHIVE_H
#define KERNEL_FILE_ARCHIVE_H

#include "kernel/include/types.h"

/*
 * Reads a cpio archive in the "newc" format, or "newc" with checksums, entry by entry, where it
 * lies. Pure: no allocation, nothing is written, no byte outside of the archive is read.
 *
 *      "070701" | 13 fields of 8 hexadecimal digits | name, zero, up to 4 | data, up to 4 | ...
 *
 * Zeros between entries are skipped. The entry "TRAILER!!!" ends the archive. A malformed one ends
 * where the fault is: what came before stands, and `problem` says what is wrong at which byte.
 */
struct archive_entry {
    const char *name;     /* inside the archive, zero-terminated */
    uint32_t name_length; /* without the zero, and without leading "/" and "./" */
    uint32_t inode, mode, uid, gid, links, modified_seconds;
    uint32_t device;      /* of the file system it was on, for hard links: major << 8 | minor */
    uint32_t special;     /* of a device file */
    uint32_t data, bytes; /* offset of the content, and how long it is */
    uint32_t offset;      /* of the entry's header */
};

struct archive_reader {
    const uint8_t *archive;
    uint32_t bytes;
    uint32_t position;   /* of the next entry */
    const char *problem; /* NULL, or the sentence that ended it at `position` */
};

static inline struct archive_reader archive_open(const void *archive, uint32_t bytes)
{
    return (struct archive_reader){archive, bytes, 0, NULL};
}

/* The next entry; false at the end and at a problem. O(bytes of the entry). */
bool archive_next(struct archive_reader *reader, struct archive_entry *entry) MUST_CHECK;

#endif
