#ifndef KERNEL_SYSCALL_NUMBERS_H
#define KERNEL_SYSCALL_NUMBERS_H

/* All numbers of calls are below: for C and for assembly. */
#define SYSCALL_NUMBERS 512

#endif
