/* Multiboot 0.6.96, 3.1: memory information wanted. */
#define MAGIC 0x1BADB002
#define FLAGS 0x00000002

    .section .multiboot, "a", @progbits
    .balign 4
    .long MAGIC, FLAGS, -(MAGIC + FLAGS)

/*
 * The test's own loader hands over like any Multiboot loader.
 * IN: EBX information
 * OUT: never returns
 */
    .text
    .globl stager_start
stager_start:
    movl $stack_top, %esp
    movl %ebx, %eax
    call stager_main
    ud2

/*
 * void stager_enter(uint32_t magic, uint32_t information, uint32_t entry)
 * IN: EAX: magic, EDX: information, ECX: entry. OUT: never returns.
 */
    .globl stager_enter
stager_enter:
    movl %edx, %ebx
    jmp *%ecx

    .bss
    .balign 16
    .space 8192
stack_top:
