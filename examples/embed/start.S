#include "kernel/memory/memory.h"

    .section .multiboot, "a", @progbits /* 0.6.96, 3.1: aligned modules, memory information */
    .long 0x1BADB002, 0x00000003, -(0x1BADB002 + 0x00000003)

/* IN: EAX 0x2BADB002, EBX what the loader passes; flat segments, paging and interrupts off. */
    .text
    .globl start, boot_directories, boot_top
start:
    cld
    movl $boot_stack_end, %esp
    pushl %ebx; pushl %eax
    call boot_main              /* (magic, information): comes back with memory working */
    movl $MAP_STACK_END, %esp   /* the stack that memory_init mapped, a guard on both sides */
    call kernel_main            /* ends the emulator */
1:  hlt; jmp 1b

    .section .boot, "aw", @nobits /* free after memory_release_boot */
    .balign 4096
boot_directories: .space 4 * 4096
boot_top:         .space 16384    /* 32 bytes, then the first stack */
boot_stack_end:
