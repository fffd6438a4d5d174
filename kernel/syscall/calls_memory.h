#ifndef KERNEL_SYSCALL_CALLS_MEMORY_H
#define KERNEL_SYSCALL_CALLS_MEMORY_H

/* The rows of the calls about memory, for kernel/syscall/calls.h. */
#define SYSCALLS_MEMORY(ROW)                                                                       \
    ROW(45, brk, 1)                                                                                \
    ROW(90, mmap, 1)                                                                               \
    ROW(91, munmap, 2)                                                                             \
    ROW(125, mprotect, 3)                                                                          \
    ROW(144, msync, 3)                                                                             \
    ROW(150, mlock, 2)                                                                             \
    ROW(151, munlock, 2)                                                                           \
    ROW(152, mlockall, 1)                                                                          \
    ROW(153, munlockall, 0)                                                                        \
    ROW(163, mremap, 5)                                                                            \
    ROW(192, mmap2, 6)                                                                             \
    ROW(218, mincore, 3)                                                                           \
    ROW(219, madvise, 3)                                                                           \
    ROW(376, mlock2, 3)

#endif
