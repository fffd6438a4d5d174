/*
 * The first instructions of the entry stub.
 *
 * IN   as stage 2 leaves it: protected mode, flat segments, interrupts off, ESP = MAP_REAL_STACK
 */
#include "kernel/include/bootinfo.h"
#include "kernel/memory/memory.h"

    .section .start, "ax"
    .code32
    .globl start
start:
    cld
    movl    $bss_start, %edi
    movl    $bss_end, %ecx
    subl    %edi, %ecx
    xorl    %eax, %eax
    rep stosb
    call    entry_main
    // EAX = the kernel's entry
    movl    %eax, %ecx
    movl    $BOOTINFO_MAGIC, %eax
    movl    $MAP_BOOTINFO, %ebx
    xorl    %ebp, %ebp
    jmp     *%ecx
