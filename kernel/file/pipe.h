#ifndef KERNEL_FILE_PIPE_H
#define KERNEL_FILE_PIPE_H

#include "kernel/file/file.h"

/*
 * Pipes and FIFOs. 64 KiB between writers and readers, in pages that are taken when they are
 * needed. A write of at most PIPE_BUF bytes arrives whole or not at all; reading an empty pipe
 * without writers is the end, writing without readers is -EPIPE and SIGPIPE.
 */
#define PIPE_PAGES  16u
#define PIPE_DEVICE 3u /* st_dev */

/* Both ends; flags O_NONBLOCK. 0, -ENFILE. */
int pipe_create(uint32_t flags, struct file **reader, struct file **writer) MUST_CHECK;

bool pipe_is_pipe(const struct file *file);

/* Live pipes and the pages that they have now, for the check. */
uint32_t pipe_count(void);

#endif
