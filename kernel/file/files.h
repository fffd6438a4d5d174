#ifndef KERNEL_FILE_FILES_H
#define KERNEL_FILE_FILES_H

#include "kernel/include/types.h"

/*
 * The tree of files, started: the root and what the archive puts there, /dev, /proc, /tmp. The
 * archive's pages stay where they are and are given to mappings without a copy. A malformed archive
 * costs a line in the log and what stands behind the fault. After the heap and the first thread.
 * 0, or -ENOMEM: not even an empty root.
 */
int files_init(paddr_t archive, uint32_t archive_bytes) MUST_CHECK;

/* The same on the real machine, with the console and with what /proc tells of the machine. Once, in
 * the thread that boot turns into. 0, -ENOMEM. */
int files_start(paddr_t archive, uint32_t archive_bytes) MUST_CHECK;

/* For exec's AT_RANDOM and getrandom(2): bytes that cannot be guessed where the processor has
 * RDRAND; LIMITS.md says what they are where it has not. From threads. */
void random_fill(void *buffer, size_t bytes);
bool random_is_strong(void);

struct check;
/* Names, counts, pages and quotas agree with each other, from first principles. A file that
 * somebody is writing may be charged with more than its size says. From threads; O(files). */
void files_check(struct check *check);

#endif
