#include "kernel/cpu/registers.h"
#include "kernel/start/start.h"

/* Multiboot 0.6.96, 3.1: modules page-aligned, memory information wanted. The rest comes from ELF. */
#define HEADER1_MAGIC 0x1BADB002
#define HEADER1_FLAGS 0x00000003

/* Multiboot 2.0, 3.1. */
#define HEADER2_MAGIC           0xE85250D6
#define HEADER2_I386            0
#define HEADER2_TAG_END         0
#define HEADER2_TAG_FRAMEBUFFER 5
#define HEADER2_TAG_ALIGN       6
#define HEADER2_OPTIONAL        1

    .section .multiboot, "a", @progbits
    .balign 8
    .long HEADER1_MAGIC, HEADER1_FLAGS, -(HEADER1_MAGIC + HEADER1_FLAGS)

    .balign 8
header2:
    .long HEADER2_MAGIC, HEADER2_I386, header2_end - header2
    .long -(HEADER2_MAGIC + HEADER2_I386 + (header2_end - header2))
    .short HEADER2_TAG_FRAMEBUFFER, HEADER2_OPTIONAL
    .long 20, 1920, 1080, 32
    .balign 8
    .short HEADER2_TAG_ALIGN, HEADER2_OPTIONAL
    .long 8
    .short HEADER2_TAG_END, 0
    .long 8
header2_end:

/*
 * The one entry, for our loader and for both Multiboots.
 * IN: EAX what kind of loader, EBX physical address of what it passed; 32-bit flat segments, paging
 *     and interrupts off
 * OUT: never returns
 */
    .text
    .globl start
start:
    cli
    cld
    movl $boot_stack_top, %esp
    pushl $EFLAGS_ALWAYS        /* the loader's may have NT, AC or TF set */
    popfl
    xorl %ebp, %ebp             /* a backtrace ends here */
    movl %eax, %esi
    call start_require_processor
    movl %esi, %eax             /* (magic, information) */
    movl %ebx, %edx
    call start_main

    .bss
    .balign 16
    .space BOOT_STACK_BYTES
boot_stack_top:
