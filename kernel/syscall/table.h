#ifndef KERNEL_SYSCALL_TABLE_H
#define KERNEL_SYSCALL_TABLE_H

#include "kernel/include/types.h"
#include "kernel/process/process.h"
#include "kernel/syscall/calls.h"
#include "kernel/syscall/numbers.h"

/*
 * The system calls: Linux's on i386 (arch/x86/entry/syscalls/syscall_32.tbl).
 * kernel/syscall/calls.h has one row for each: number, name, how many arguments. Table and
 * prototypes are made from it.
 *
 * A function takes its arguments as numbers, in the order of ebx, ecx, edx, esi, edi, ebp, as many
 * as it has, and is called syscall_NAME:
 *
 *      int32_t syscall_write(uint32_t descriptor, uint32_t buffer, uint32_t bytes)
 *
 * A pointer is a user's address until kernel/space copies. It returns what the program finds in
 * eax: a result, or a negative error number (-4095 to -1). It runs in the calling thread, with
 * interrupts on; thread_current()->process is its process, and process_user_frame() its
 * caller's registers.
 *
 * -RESTART_SYSCALL, which programs never see: a signal interrupted the call before it did anything.
 * It is made again if the signal has no handler, or one with SA_RESTART; else it is -EINTR.
 */

#define SYSCALL_TAKES_0 void
#define SYSCALL_TAKES_1 uint32_t
#define SYSCALL_TAKES_2 SYSCALL_TAKES_1, uint32_t
#define SYSCALL_TAKES_3 SYSCALL_TAKES_2, uint32_t
#define SYSCALL_TAKES_4 SYSCALL_TAKES_3, uint32_t
#define SYSCALL_TAKES_5 SYSCALL_TAKES_4, uint32_t
#define SYSCALL_TAKES_6 SYSCALL_TAKES_5, uint32_t

#define SYSCALL_PROTOTYPE(number, name, arguments)                                                 \
    int32_t syscall_##name(SYSCALL_TAKES_##arguments);
SYSCALLS(SYSCALL_PROTOTYPE)
#undef SYSCALL_PROTOTYPE

/* The name of a number ("write"), or NULL where there is no such call here. O(1). */
const char *syscall_name(uint32_t number);

/* From now on programs can call. */
void syscall_init(void);

#endif
