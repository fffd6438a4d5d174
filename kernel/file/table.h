#ifndef KERNEL_FILE_TABLE_H
#define KERNEL_FILE_TABLE_H

#include "kernel/file/file.h"
#include "kernel/thread/thread.h"

/*
 * Descriptors: small numbers for open files, a table for each process or for several
 * (CLONE_FILES). Looking one up is O(1); the lowest free one is found a word of a bitmap at a time.
 *
 * `slots` has `size` places (a multiple of 32), of which those with a file have their bit in
 * `open`; `on_exec` says which of these are closed by exec. Changed without preemption, so looking
 * a descriptor up and taking a handle is one step. Storage that was replaced is freed at once:
 * nobody keeps a pointer to it. The fields are kernel/file/table.c's.
 */
#define FILE_TABLE_FIRST 32u  /* places that a table has in itself */
#define FILE_TABLE_MAX   4096 /* descriptors; the default limit is 1024 */

struct file_table {
    uint32_t references;
    uint32_t limit;
    uint32_t size;
    uint32_t first_free_word; /* no word of `open` below has a clear bit */
    struct file **slots;
    uint32_t *open, *on_exec;
    struct file *small_slots[FILE_TABLE_FIRST];
    uint32_t small_open, small_on_exec;
};

/* Empty, one handle. NULL: exhausted. */
struct file_table *file_table_create(void) MUST_CHECK;
/* What fork does: the same files under the same numbers. NULL: exhausted. */
struct file_table *file_table_clone(struct file_table *table) MUST_CHECK;
struct file_table *file_table_hold(struct file_table *table);
/* The last one closes everything. May sleep. NULL is nothing. */
void file_table_drop(struct file_table *table);

/* What exec does, on a table that nobody shares (clone it first where file_table_is_shared). */
void file_table_close_on_exec(struct file_table *table);
bool file_table_is_shared(const struct file_table *table);

/* RLIMIT_NOFILE: descriptors from here up are refused with -EMFILE. Open ones stay. */
void file_table_set_limit(struct file_table *table, uint32_t limit);

/* A handle on the file of a descriptor (file_drop it), or NULL: -EBADF. */
static inline struct file *file_table_get(struct file_table *table, uint32_t descriptor)
{
    preempt_disable();
    struct file *file = descriptor < table->size ? table->slots[descriptor] : NULL;
    if (file != NULL)
        file_hold(file);
    preempt_enable();
    return file;
}

/* Room for one more descriptor, before a name is looked for or made: 0, -EMFILE, -ENOMEM. Another
 * thread can be faster with it. */
int file_table_prepare(struct file_table *table) MUST_CHECK;

/* Gives the file the lowest free descriptor from `lowest` on; takes over the caller's handle if it
 * succeeds. FD_CLOEXEC or 0. The descriptor, -EMFILE, -EINVAL (lowest beyond the limit), -ENOMEM.
 */
int file_table_add(struct file_table *table, struct file *file, uint32_t lowest,
                   uint32_t descriptor_flags) MUST_CHECK;
/* Puts the file at this descriptor, which is closed before if it is open. As above, and -EBADF. */
int file_table_put(struct file_table *table, struct file *file, uint32_t descriptor,
                   uint32_t descriptor_flags) MUST_CHECK;
/* 0 or -EBADF. */
int file_table_close(struct file_table *table, uint32_t descriptor) MUST_CHECK;

/* FD_CLOEXEC or 0, or -EBADF. */
int file_table_get_flags(struct file_table *table, uint32_t descriptor);
int file_table_set_flags(struct file_table *table, uint32_t descriptor, uint32_t flags) MUST_CHECK;

/* The first open descriptor from `from` on, or -1. */
int file_table_next(struct file_table *table, uint32_t from);

/* Files and bitmaps agree, and so many processes have it, at least. Preemption off; O(size). */
struct check;
void file_table_check(const struct file_table *table, uint32_t holders, struct check *check);

#endif
