#include "kernel/debug/bench/lengths.h"

/* Offsets in struct bench_call. */
#define CALL_FUNCTION   0
#define CALL_ARGUMENTS  4
#define CALL_RESULT     28
#define CALL_COST       32

#define EFLAGS_TF       0x100
#define EFLAGS_IF_BIT   9

/* On the stack of an exception without an error code, after one word was pushed. */
#define PUSHED_EFLAGS   12

    .text

/*
 * The words of arguments behind the first three at the top of a stack that is aligned as callees
 * expect it. More than a function takes does no harm.
 * IN: EAX: struct bench_call. OUT: EBX: the same. CLOBBERS: EAX
 */
    .macro enter_call
    pushl %ebp
    movl %esp, %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl %eax, %ebx
    subl $16, %esp
    andl $-16, %esp
    .irp at, 0, 4, 8
    movl CALL_ARGUMENTS + 12 + \at(%ebx), %eax
    movl %eax, \at(%esp)
    .endr
    .endm

    /* The first three are in registers. */
    .macro load_arguments
    movl CALL_ARGUMENTS(%ebx), %eax
    movl CALL_ARGUMENTS + 4(%ebx), %edx
    movl CALL_ARGUMENTS + 8(%ebx), %ecx
    .endm

    .macro leave_call
    leal -12(%ebp), %esp
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret
    .endm

/*
 * void bench_call_counted(struct bench_call *call)
 * IN: EAX: call. OUT: call->result, call->cost: ticks around the call.
 * Between the two readings are the same eight instructions for every function, besides its own.
 */
    .globl bench_call_counted
    .type bench_call_counted, @function
bench_call_counted:
    enter_call
    rdtsc
    movl %eax, %esi
    movl %edx, %edi
    load_arguments
    call *CALL_FUNCTION(%ebx)
    movl %eax, CALL_RESULT(%ebx)
    rdtsc
    subl %esi, %eax
    sbbl %edi, %edx
    movl %eax, CALL_COST(%ebx)
    movl %edx, CALL_COST + 4(%ebx)
    leave_call

/*
 * void bench_call_stepped(struct bench_call *call)
 * IN: EAX: call; bench_step_entry handles debug exceptions. OUT: call->result.
 * The first trap comes after the instruction behind the POPF that sets the flag (Intel SDM 3B,
 * 17.3.1.4).
 */
    .globl bench_call_stepped
    .type bench_call_stepped, @function
bench_call_stepped:
    enter_call
    pushfl
    orl $EFLAGS_TF, (%esp)
    popfl
    load_arguments
    call *CALL_FUNCTION(%ebx)
    pushfl
    andl $~EFLAGS_TF, (%esp)
    popfl
    movl %eax, CALL_RESULT(%ebx)
    leave_call

/*
 * The debug exception while stepping: counts. An instruction before which the interrupt flag is
 * clear belongs to a stretch with interrupts off.
 * IN: an exception's stack. OUT, CLOBBERS: nothing but the counters
 */
    .globl bench_step_entry
    .type bench_step_entry, @function
bench_step_entry:
    pushl %eax
    incl bench_steps
    btl $EFLAGS_IF_BIT, PUSHED_EFLAGS(%esp)
    jc 1f
    movl bench_off, %eax
    incl %eax
    movl %eax, bench_off
    cmpl bench_off_longest, %eax
    jbe 2f
    movl %eax, bench_off_longest
    jmp 2f
1:  movl $0, bench_off
2:  popl %eax
    iret

    .globl bench_nothing
    .type bench_nothing, @function
bench_nothing:
    ret

    .globl bench_nops
    .type bench_nops, @function
bench_nops:
    .rept BENCH_NOPS
    nop
    .endr
    ret

/* BENCH_NOPS and the POPF run with interrupts off. */
    .globl bench_masked
    .type bench_masked, @function
bench_masked:
    pushfl
    cli
    .rept BENCH_NOPS
    nop
    .endr
    popfl
    ret

    .globl bench_strings
    .type bench_strings, @function
bench_strings:
    pushl %esi
    movl $bench_strings, %esi   /* something that can be read */
    movl $BENCH_REPEATS, %ecx
    rep lodsb
    popl %esi
    ret

    .globl bench_loop
    .type bench_loop, @function
bench_loop:
    movl $BENCH_ROUNDS, %ecx
1:  decl %ecx
    jnz 1b
    ret

    .bss
    .balign 4
    .globl bench_steps, bench_off, bench_off_longest
bench_steps:
    .long 0
bench_off:
    .long 0
bench_off_longest:
    .long 0
