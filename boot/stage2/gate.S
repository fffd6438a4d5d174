/*
 * The way into protected mode, and the gate through which 32-bit code calls the BIOS.
 *
 * The stack is the same on both sides (below MAP_REAL_STACK, segment base 0), so ESP goes through
 * unchanged. 32-bit code runs with interrupts off and never loads an IDT of its own; the real-mode
 * table is in force all the time.
 */
#include "boot/image.h"
#include "kernel/memory/memory.h"

#define CODE32 0x08
#define DATA32 0x10
#define CODE16 0x18
#define DATA16 0x20

#define CR0_PE 1
#define EFLAGS_CF 0x0001
#define EFLAGS_IF 0x0200

/* struct bios_registers, boot/entry/bios.h */
#define R_EAX    0
#define R_EBX    4
#define R_ECX    8
#define R_EDX    12
#define R_ESI    16
#define R_EDI    20
#define R_EBP    24
#define R_EFLAGS 28
#define R_DS     32
#define R_ES     34
#define R_BYTES  36

/* CLOBBERS EAX */
.macro data32_segments
    movl    $DATA32, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    movl    %eax, %fs
    movl    %eax, %gs
.endm

    .text
    .code16
    .globl enter_protected
/* Does not return: starts the entry stub with ESP = MAP_REAL_STACK. */
enter_protected:
    cli
    lidt    real_idt
    lgdt    gdt_pointer
    movl    %cr0, %eax
    orl     $CR0_PE, %eax
    movl    %eax, %cr0
    ljmpl   $CODE32, $1f
    .code32
1:  data32_segments
    movl    $MAP_REAL_STACK, %esp
    movl    $MAP_ENTRY_START, %eax
    jmp     *%eax

/*
 * void bios_call(uint32_t interrupt, struct bios_registers *registers), C's calling convention.
 * Loads the registers (of EFLAGS the carry alone counts), calls the interrupt in real mode with
 * interrupts on, and stores what it left. Some BIOSes close the A20 gate on their way: it is looked
 * at after each call and opened again. Does not return where that fails.
 */
    .globl bios_call
bios_call:
    pushal
    movb    36(%esp), %al
    movb    %al, interrupt_number
    movl    40(%esp), %esi
    movl    $frame, %edi
    movl    $R_BYTES / 4, %ecx
    cld
    rep movsl
    movl    %esp, stack
    lidt    real_idt
    ljmp    $CODE16, $1f
    .code16
1:  movw    $DATA16, %ax                    // 64 KiB limits, as real mode expects them
    movw    %ax, %ds
    movw    %ax, %es
    movw    %ax, %ss
    movw    %ax, %fs
    movw    %ax, %gs
    movl    %cr0, %eax
    andl    $~CR0_PE, %eax
    movl    %eax, %cr0
    ljmp    $0, $2f
2:  xorw    %ax, %ax
    movw    %ax, %ss
    movw    %ax, %fs
    movw    %ax, %gs
    movw    %ax, %ds
    movl    frame + R_EFLAGS, %eax
    andl    $EFLAGS_CF, %eax
    orl     $EFLAGS_IF, %eax
    pushl   %eax
    movl    frame + R_EBX, %ebx
    movl    frame + R_ECX, %ecx
    movl    frame + R_EDX, %edx
    movl    frame + R_ESI, %esi
    movl    frame + R_EDI, %edi
    movl    frame + R_EBP, %ebp
    movw    frame + R_ES, %es
    movl    frame + R_EAX, %eax
    movw    frame + R_DS, %ds
    popfl
    .byte   0xCD                            // int
interrupt_number:
    .byte   0
    pushfl
    cli
    movl    %eax, %cs:frame + R_EAX         // only CS is known to be 0 here
    movl    %ebx, %cs:frame + R_EBX
    movl    %ecx, %cs:frame + R_ECX
    movl    %edx, %cs:frame + R_EDX
    movl    %esi, %cs:frame + R_ESI
    movl    %edi, %cs:frame + R_EDI
    movl    %ebp, %cs:frame + R_EBP
    movw    %ds, %cs:frame + R_DS
    movw    %es, %cs:frame + R_ES
    popl    %cs:frame + R_EFLAGS
    xorw    %ax, %ax
    movw    %ax, %ds
    movw    %ax, %es
    movw    $1, %cx
    call    a20_is_open
    jnc     3f
    sti                                     // as the BIOS expects it
    call    a20_open
    movw    $text_no_a20, %si
    jc      fail
    cli
3:  lgdt    gdt_pointer                     // a BIOS that went to protected mode loaded its own
    movl    %cr0, %eax
    orl     $CR0_PE, %eax
    movl    %eax, %cr0
    ljmpl   $CODE32, $4f
    .code32
4:  data32_segments
    movl    stack, %esp
    movl    $frame, %esi
    movl    40(%esp), %edi
    movl    $R_BYTES / 4, %ecx
    cld
    rep movsl
    popal
    ret

    .data
    .balign 8
gdt:
    .quad   0
    .quad   0x00CF9B000000FFFF              // CODE32: 4 GiB, executable, readable
    .quad   0x00CF93000000FFFF              // DATA32: 4 GiB, writable
    .quad   0x00009B000000FFFF              // CODE16: 64 KiB
    .quad   0x000093000000FFFF              // DATA16: 64 KiB
gdt_end:
    .balign 4
    .word   0
gdt_pointer:
    .word   gdt_end - gdt - 1
    .long   gdt
    .balign 4
    .word   0
real_idt:
    .word   0x3FF
    .long   0
stack:
    .long   0
frame:
    .fill   R_BYTES, 1, 0
