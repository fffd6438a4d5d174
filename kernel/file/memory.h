#ifndef KERNEL_FILE_MEMORY_H
#define KERNEL_FILE_MEMORY_H

#include "kernel/file/inode.h"
#include "kernel/memory/check.h"

/*
 * The file system in memory, over the initial archive.
 *
 * A regular file's page is, in this order: the one that the file has of its own; the frame of the
 * archive, where the content lies page-aligned in it; a new one, with what the archive has of it
 * and zeros. Once a page has a frame it keeps it, so reads, writes and mappings of all kinds see
 * the same bytes. Frames of the archive are RAM like others and are written where they lie.
 *
 * What a file may come to need is promised when it gets its size: a file is charged with the pages
 * of its whole size, less those of the archive, so a page fault in a mapping of it never fails. The
 * quota is counted in the same pages. (A sparse file is charged with its holes: LIMITS.md.)
 */
struct memory_limits {
    uint32_t pages, inodes;
};

struct memory_usage {
    struct memory_limits limits;
    uint32_t pages, inodes;
};

#define MEMORY_FILE_MAX (1ull << 43) /* bytes: pages are counted in 31 bits */
#define MEMORY_DEVICE   1u           /* st_dev */

/* The root, empty. 0 or -ENOMEM. */
int memory_files_init(const struct memory_limits *limits) MUST_CHECK;
struct inode *memory_root(void);
void memory_read_usage(struct memory_usage *usage);

/* Where a regular file's content lies. Where that begins on a page in the direct view,
 * `mappable_pages` from there on are its pages. */
struct memory_content {
    const uint8_t *content;
    uint32_t bytes;
    frame_t first; /* the frame at `content` */
    uint32_t mappable_pages;
};

/* A regular file that is empty gets this content, which outlives it. */
void memory_set_content(struct inode *inode, const struct memory_content *content);
/* The page in which the content ends can be mapped too: zeros follow it. */
void memory_map_last_page(struct inode *inode);

/* Another file system's root under this name: counts as a directory that cannot be removed. */
int memory_mount(struct inode *directory, const char *name, uint32_t length,
                 struct inode *root) MUST_CHECK;

bool memory_is_ours(const struct inode *inode);

void memory_files_check(struct check *check);

#endif
