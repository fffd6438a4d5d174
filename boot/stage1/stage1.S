/*
 * The boot sector. The firmware reads it to MAP_STAGE1_LOAD, from a disk or as the CD's boot file
 * (El Torito without emulation). It moves itself out of the way, reads stage 2 and jumps to it.
 *
 * IN   DL = BIOS drive number; nothing else is assumed, neither segments nor stack nor CS:IP's form
 * OUT  at stage 2's start: DL = drive, CX = bytes a sector, BX = MEDIUM_*, DS = ES = SS = 0,
 *      SP = MAP_REAL_STACK, direction clear, interrupts on
 *
 * Failure is one letter, on the screen and on COM1, and the machine's end:
 *      S  the sector size is none that can be used
 *      R  stage 2 could not be read
 *      M  what was read is not stage 2, or is damaged
 */
#include "boot/image.h"
#include "kernel/device/power/power.h"
#include "kernel/memory/memory.h"

    .code16
    .text
    .globl start
start:
    jmp     begin
    nop
    .org    STAGE1_BPB_END                  // left free: firmware may write here
begin:
    cli
    cld
    xorw    %ax, %ax
    movw    %ax, %ds
    movw    %ax, %es
    movw    %ax, %ss
    movw    $MAP_REAL_STACK, %sp
    movw    $MAP_STAGE1_LOAD, %si
    movw    $start, %di
    movw    $STAGE1_BYTES / 2, %cx
    rep movsw
    ljmp    $0, $moved
moved:
    sti
    movb    %dl, drive

    // Bytes a sector, by EDD; what this copy of the sector expects where the call is missing.
    // The answer is written where stage 2 will be.
    movw    $MAP_STAGE2_START, %si
    movw    $0x1E, (%si)
    movw    $0, 0x18(%si)
    movb    $0x48, %ah
    int     $0x13
    movw    $0, %ax                         // not xor: the carry is the answer
    movw    %ax, %ds
    movw    %ax, %es
    movw    sector_bytes, %cx
    jc      1f
    movw    MAP_STAGE2_START + 0x18, %ax
    testw   %ax, %ax
    jz      1f
    movw    %ax, %cx
1:  movb    $'S', %al                       // 512, 1024 or 2048
    cmpw    $512, %cx
    je      2f
    cmpw    $1024, %cx
    je      2f
    cmpw    $2048, %cx
    jne     fail
2:  movw    %cx, sector_bytes

read:
    xorw    %ax, %ax                        // a reset may have left others
    movw    %ax, %ds
    movw    %ax, %es
    movb    $'R', %al
    decb    tries
    js      fail
    // The packet is made anew each time: a failing BIOS may write to it.
    movzwl  sector_bytes, %ecx
    movl    stage2_offset, %eax
    xorl    %edx, %edx
    divl    %ecx
    movl    %eax, packet_lba
    movl    %edx, packet_lba + 4            // 0: the offset is a multiple of 2048
    movw    $STAGE2_BYTES, %ax
    xorw    %dx, %dx
    divw    %cx
    movw    %ax, packet_count
    movw    $0x10, packet
    movl    $MAP_STAGE2_START, packet_buffer
    movw    $packet, %si
    movb    drive, %dl
    movb    $0x42, %ah
    int     $0x13
    movw    $0, %ax
    movw    %ax, %ds
    movw    %ax, %es
    jnc     check
    movb    drive, %dl                      // AH = 0: reset the drive, then once more
    int     $0x13
    jmp     read

check:
    cld
    movw    $MAP_STAGE2_START, %si          // its words sum to 0
    movw    $STAGE2_BYTES / 4, %cx
    xorl    %ebx, %ebx
1:  lodsl
    addl    %eax, %ebx
    loop    1b
    movb    $'M', %al
    testl   %ebx, %ebx
    jnz     fail
    cmpl    $STAGE2_MAGIC, MAP_STAGE2_START + HEADER_MAGIC
    jne     fail

    movb    drive, %dl
    movw    sector_bytes, %cx
    movw    medium, %bx
    jmpw    *(MAP_STAGE2_START + HEADER_START)

/*
 * One letter on the screen and on COM1; then an emulator ends, and all others halt.
 * IN   AL = letter
 */
fail:
    pushw   %ax
    movb    $0x0E, %ah
    movw    $0x0007, %bx
    int     $0x10
    movw    $COM1 + 3, %dx                  // line control: the divisor's latch
    movb    $0x80, %al
    outb    %al, %dx
    movw    $COM1, %dx
    movb    $COM1_DIVISOR, %al
    outb    %al, %dx
    incw    %dx
    movb    $0, %al
    outb    %al, %dx
    movw    $COM1 + 3, %dx
    movb    $COM1_8N1, %al
    outb    %al, %dx
    movw    $COM1, %dx
    popw    %ax
    outb    %al, %dx
    movw    $COM1 + 5, %dx                  // until it is sent, not for ever
    xorw    %cx, %cx
1:  inb     %dx, %al
    testb   $COM1_SENT, %al
    loopz   1b
    movb    $POWER_EXIT_REFUSED, %al
    outb    %al, $POWER_EXIT_PORT
    cli
1:  hlt
    jmp     1b

tries:
    .byte   DISK_TRIES
drive:
    .byte   0
    .balign 4
packet:                                     // EDD's disk address packet
    .word   0
packet_count:
    .word   0
packet_buffer:
    .long   0
packet_lba:
    .quad   0

    .org    STAGE1_FIELDS                   // written by the image builder
stage2_offset:
    .long   0                               // bytes from the start of the medium
sector_bytes:
    .word   512                             // where the firmware does not say; 2048 in the CD's copy
medium:
    .word   MEDIUM_DISK
    .org    STAGE1_CODE_END
    .fill   STAGE1_BYTES - STAGE1_CODE_END - 2, 1, 0
    .word   0xAA55
