#include "kernel/cpu/registers.h"
#include "kernel/cpu/trap.h"

/* Vectors for which the processor pushes an error code (Intel SDM 3A, 6.3.1): 8, 10 to 14, 17, 21,
 * 29 and 30. */
#define WITH_ERROR_CODE ((1 << 8) | (0x1F << 10) | (1 << 17) | (1 << 21) | (1 << 29) | (1 << 30))

/* Offsets in struct trap_frame once its registers are saved. */
#define FRAME_EIP       56

    .text

/*
 * One stub a vector, all of them of one kind: error code (or 0 in its place), vector, common path:
 * that of interrupt lines is apart, and shorter. trap_stubs lists them for the descriptor table.
 */
    .macro stub vector
    .balign 16
trap_stub_\vector:
    .if (\vector >= TRAP_EXCEPTIONS) || ((WITH_ERROR_CODE >> (\vector & 31)) & 1) == 0
    pushl $0
    .endif
    pushl $\vector
    .if (\vector >= TRAP_EXCEPTIONS) && (\vector < TRAP_VECTORS)
    jmp interrupt_common
    .else
    jmp trap_common
    .endif
    .section .rodata
    .long trap_stub_\vector
    .text
    .endm

    .section .rodata
    .balign 4
    .globl trap_stubs
trap_stubs:
    .text                       /* TRAP_VECTORS of them, and TRAP_OTHER's */

    .irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, \
        16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, \
        32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48
    stub \vector
    .endr

/*
 * IN: the stack holds EFLAGS, CS, EIP, error code, vector; interrupts are off
 * OUT: EAX, EBX: a struct trap_frame, the argument of the call that follows
 * The two words behind the frame look like a called function's, so that a backtrace goes from the
 * handler to the interrupted instruction and on to its callers.
 */
    .macro enter_kernel
    pushal
    pushl %ds
    pushl %es
    pushl %fs
    pushl %gs
    pushl $EFLAGS_ALWAYS        /* DF as C wants it; AC off, or whoever set it would open SMAP */
    popfl
    movl $SELECTOR_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %esp, %ebx
    pushl FRAME_EIP(%ebx)
    pushl %ebp
    movl %esp, %ebp
    movl %ebx, %eax
    .endm

/*
 * IN: as for enter_kernel. OUT: everything as it was, or as the called function changed it in its
 * frame.
 */
interrupt_common:
    enter_kernel
    call trap_interrupt
    movl %ebx, %esp
    jmp trap_return

trap_common:
    enter_kernel
    call trap_dispatch
    movl %ebx, %esp

/*
 * IN: ESP: a struct trap_frame; interrupts are off. OUT: what it holds.
 * A user's segment register may hold what cannot be loaded (any more): it becomes null.
 */
    .globl trap_return
trap_return:
    popl %gs
1:  popl %fs
2:  popl %es
3:  popl %ds
4:  popal
    addl $8, %esp               /* vector, error code */
    iret

    .macro null_selector popped
5:  addl $4, %esp
    pushl $0
    jmp \popped
    .section .exceptions, "a", @progbits
    .long \popped, 5b
    .text
    .endm
    null_selector trap_return
    null_selector 1b
    null_selector 2b
    null_selector 3b

/*
 * void trap_resume(struct trap_frame *frame)
 * IN: EAX: frame; interrupts are off. OUT: never returns.
 */
    .globl trap_resume
    .type trap_resume, @function
trap_resume:
    movl %eax, %esp
    jmp trap_return

/*
 * bool cpu_try_read(const void *address, uint32_t *value)
 * IN: EAX: address, EDX: value. OUT: EAX. CLOBBERS: ECX
 * bool cpu_try_write(void *address, uint32_t value): the same.
 * A fault at an address of the exception table goes on at its partner.
 */
    .globl cpu_try_read
    .type cpu_try_read, @function
cpu_try_read:
try_read_here:
    movl (%eax), %ecx
    movl %ecx, (%edx)
    movl $1, %eax
    ret

    .globl cpu_try_write
    .type cpu_try_write, @function
cpu_try_write:
try_write_here:
    movl %edx, (%eax)
    movl $1, %eax
    ret

try_failed:
    xorl %eax, %eax
    ret

    .section .exceptions, "a", @progbits
    .long try_read_here, try_failed
    .long try_write_here, try_failed
    .text

/*
 * void cpu_switch_stack(uint32_t top, void (*run)(void))
 * IN: EAX: top, EDX: run. OUT: never returns.
 */
    .globl cpu_switch_stack
    .type cpu_switch_stack, @function
cpu_switch_stack:
    movl %eax, %esp
    xorl %ebp, %ebp             /* a backtrace ends here */
    andl $-16, %esp             /* what a call has to find (System V ABI, i386) */
    pushl $0
    pushl $0
    pushl $0
    pushl $0
    call *%edx
    ud2

/*
 * The double fault's task starts here, on its own stack, with an error code (always 0) on it.
 * IN: nothing else. OUT: never returns.
 */
    .globl double_fault_entry
double_fault_entry:
    cld
    xorl %ebp, %ebp
    call segments_double_fault
    ud2
