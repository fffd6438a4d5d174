#ifndef KERNEL_SYSCALL_CALLER_H
#define KERNEL_SYSCALL_CALLER_H

#include "kernel/file/jobs.h"

/* What the calls about files need of their caller. */
static inline struct file_table *caller_files(void)
{
    return file_jobs()->files();
}

static inline struct path_context *caller_paths(void)
{
    return file_jobs()->paths();
}

#endif
