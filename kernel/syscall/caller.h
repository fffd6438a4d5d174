#ifndef KERNEL_SYSCALL_CALLER_H
#define KERNEL_SYSCALL_CALLER_H

#include "kernel/process/process.h"
#include "kernel/thread/thread.h"

/* What the calls about files need of their caller. */
static inline struct file_table *caller_files(void)
{
    return thread_current()->process->files;
}

static inline struct path_context *caller_paths(void)
{
    return thread_current()->process->paths;
}

#endif
