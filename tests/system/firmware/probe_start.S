/*
 * A kernel for the loader's tests: says on COM1 what the loader passed.
 *
 * IN   as any kernel of ours: EAX = BOOTINFO_MAGIC, EBX = MAP_BOOTINFO
 */
#include "kernel/memory/memory.h"

    .text
    .globl start
start:
    movl    %cr0, %ecx
    pushfl
    popl    %edx
    movl    $stack_top, %esp
    pushl   %edx
    pushl   %ecx
    pushl   %ebx
    pushl   %eax
    call    probe_main
1:  hlt
    jmp     1b

    // Longer than some of the loader's reads, so that a misplaced piece shows.
    .section .rodata
    .globl pattern
pattern:
    .set    index, 0
    .rept   PATTERN_WORDS
    .long   index * 0x9E3779B1
    .set    index, index + 1
    .endr

    .bss
    .balign 16
    .skip   4096
stack_top:

    .section .note.GNU-stack, "", @progbits
