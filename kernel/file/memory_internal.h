#ifndef KERNEL_FILE_MEMORY_INTERNAL_H
#define KERNEL_FILE_MEMORY_INTERNAL_H

#include "kernel/file/internal.h"
#include "kernel/file/memory.h"
#include "kernel/file/names.h"
#include "kernel/file/pages.h"
#include "kernel/space/backing.h"

/* Kinds of inodes of the file system in memory; all of them stand in one list, for the check. */
struct memory_inode {
    struct inode inode;
    struct memory_inode *next, *previous;
    uint32_t counted_links; /* the check's */
};

struct memory_directory {
    struct memory_inode base;
    struct names names;
};

struct memory_link {
    struct memory_inode base;
    char target[];
};

/* Invariant: charged == pages of the size - archive_pages, where the size has more pages; else 0;
 * for a file whose content lies askew in the archive, as long as nobody opened it for writing, the
 * number of its own pages. */
struct memory_file {
    struct memory_inode base;
    struct backing backing;
    struct mutex lock;      /* size, charge, and what is written; not taken by page faults */
    struct pages pages;     /* changed without preemption */
    const uint8_t *content; /* in the archive, or NULL */
    uint32_t content_bytes; /* that still count */
    frame_t archive_first;  /* of the pages that lie aligned in the archive */
    uint32_t archive_pages;
    uint32_t charged;
    bool is_charged_by_size;
    char *name; /* NULL, or where it was when it was first mapped: for /proc/<pid>/maps */
};

extern struct memory_usage memory_usage;

struct memory_file *memory_file_of(struct inode *inode);
extern const struct inode_operations memory_file_inode_operations;

/* All of a file's pages and charges go. */
void memory_file_empty(struct memory_file *file);
void memory_file_prepare(struct memory_file *file);
void memory_file_check(const struct memory_file *file, struct check *check);

/* Puts a new inode on the list, and counts it; -ENOSPC: as many as there may be. */
int memory_enlist(struct memory_inode *inode) MUST_CHECK;
void memory_forget(struct inode *inode);

#endif
