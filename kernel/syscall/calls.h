#ifndef KERNEL_SYSCALL_CALLS_H
#define KERNEL_SYSCALL_CALLS_H

#include "kernel/syscall/calls_file.h"
#include "kernel/syscall/calls_memory.h"

/* ROW(number, name, arguments), by number. What is not here is ENOSYS. */
#define SYSCALLS(ROW)                                                                              \
    ROW(20, getpid, 0)                                                                             \
    SYSCALLS_FILE(ROW)                                                                             \
    SYSCALLS_MEMORY(ROW)

#endif
