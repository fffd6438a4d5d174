#include "kernel/cpu/registers.h"
#include "kernel/process/user.h"
#include "kernel/syscall/numbers.h"

/* Offsets in struct trap_frame, and in struct thread. */
#define FRAME_EAX   44
#define FRAME_ERROR 52
#define THREAD_WORK 4

    .text

/*
 * INT 0x80 leads here through a gate that leaves interrupts as they are.
 * IN: EAX: the number; EBX, ECX, EDX, ESI, EDI, EBP: the arguments; the stack: EFLAGS, CS, EIP below
 *     the user's SS and ESP
 * OUT: EAX: the result; nothing else changes
 * The frame is a struct trap_frame: vector USER_CALL_VECTOR, the number in place of an error code. FS
 * and GS stay the user's: the kernel does not use them.
 */
    .globl syscall_entry
    .type syscall_entry, @function
syscall_entry:
    pushl %eax
    pushl $USER_CALL_VECTOR
    pushal
    pushl %ds
    pushl %es
    pushl %fs
    pushl %gs
    pushl $(EFLAGS_ALWAYS | (1 << 9))   /* DF as C wants it, AC off (SMAP), interrupts on */
    popfl
    pushl %ebp                          /* the fourth argument and on */
    pushl %edi
    pushl %esi
    pushl %ss
    popl %ds
    pushl %ss
    popl %es
    xorl %ebp, %ebp                     /* a backtrace ends here */
    cmpl $SYSCALL_NUMBERS, %eax
    jae 2f
    xchgl %eax, %ebx                    /* the first three are wanted in EAX, EDX, ECX */
    xchgl %ecx, %edx
    call *syscall_functions(,%ebx,4)
1:  addl $12, %esp
    movl %eax, FRAME_EAX(%esp)
    cli
    movl thread_now, %edx
    cmpl $0, THREAD_WORK(%edx)
    je trap_return
    movl %esp, %eax
    subl $12, %esp                      /* what a call has to find */
    call user_before
    addl $12, %esp
    jmp trap_return
2:  call syscall_unknown
    jmp 1b
