/*
 * Stage 2: reads the entry stub, opens the A20 gate, enters protected mode and starts the stub.
 * Its gate to the BIOS stays, for as long as the stub runs.
 *
 * IN   as stage 1 leaves it: DL = drive, CX = bytes a sector, BX = MEDIUM_*, DS = ES = SS = 0
 * OUT  at the stub's start: protected mode, flat 32-bit segments, interrupts off, A20 open,
 *      ESP = MAP_REAL_STACK
 */
#include "boot/image.h"
#include "kernel/device/power/power.h"
#include "kernel/memory/memory.h"

#define HEADER         MAP_STAGE2_START
#define ENTRY_PART(at) MAP_STAGE2_START + HEADER_PARTS + (at)

    .section .header, "ax"
    .long   STAGE2_MAGIC
    .long   0                               // balance: the image builder's
    .word   start
    .word   0                               // sector_bytes
    .long   0                               // drive
    .long   0                               // medium
    .long   bios_call
    .fill   HEADER_BYTES - HEADER_PARTS, 1, 0

    .code16
    .text
    .globl start
start:
    movzbl  %dl, %edx
    movl    %edx, HEADER + HEADER_DRIVE
    movw    %cx, HEADER + HEADER_SECTOR_BYTES
    movzwl  %bx, %ebx
    movl    %ebx, HEADER + HEADER_MEDIUM

    call    serial_init
    call    entry_read
    call    entry_check
    call    a20_open
    jc      1f
    jmp     enter_protected
1:  movw    $text_no_a20, %si
    jmp     fail

/*
 * Reads the entry stub to MAP_ENTRY_START, sector by sector: so it is the failing one that is named.
 * Does not return where that fails.
 * CLOBBERS all but segments
 */
entry_read:
    movzwl  HEADER + HEADER_SECTOR_BYTES, %ecx
    movl    ENTRY_PART(PART_LENGTH), %eax
    movw    $text_bad_entry, %si
    cmpl    $MAP_ENTRY_END - MAP_ENTRY_START, %eax
    ja      fail
    leal    -1(%eax, %ecx), %eax            // whole sectors; the row is a multiple of 2048
    xorl    %edx, %edx
    divl    %ecx
    movw    %ax, sectors
    movl    ENTRY_PART(PART_OFFSET), %eax
    xorl    %edx, %edx
    divl    %ecx
    movl    %eax, sector
    movl    $MAP_ENTRY_START, place
1:  subw    $1, sectors
    jb      4f
    movb    $DISK_TRIES, tries
2:  xorw    %ax, %ax                        // a reset may have left others
    movw    %ax, %ds
    movw    %ax, %es
    decb    tries
    js      5f
    movw    $0x10, packet                   // made anew each time: a failing BIOS may write to it
    movw    $1, packet_count
    movl    place, %eax
    movl    %eax, packet_buffer
    movl    sector, %eax
    movl    %eax, packet_lba
    movl    $0, packet_lba + 4
    movw    $packet, %si
    movb    HEADER + HEADER_DRIVE, %dl
    movb    $0x42, %ah
    int     $0x13
    movw    $0, %bx                         // not xor: the carry is the answer
    movw    %bx, %ds
    movw    %bx, %es
    jnc     3f
    movb    %ah, status
    movb    $0, %ah                         // reset the drive
    movb    HEADER + HEADER_DRIVE, %dl
    int     $0x13
    jmp     2b
3:  movzwl  HEADER + HEADER_SECTOR_BYTES, %eax
    addl    %eax, place
    incl    sector
    jmp     1b
4:  ret
5:  movl    sector, %eax
    movw    $text_sector_number, %di
    movw    $8, %cx
    call    hexadecimal
    movzbl  status, %eax
    movw    $text_status_number, %di
    movw    $2, %cx
    call    hexadecimal
    movw    $text_unreadable, %si
    jmp     fail

/*
 * Compares the entry stub's CRC-32 with what the header says. Does not return where they differ.
 * CLOBBERS EAX, CX, EDX, SI
 */
entry_check:
    cld
    movw    $MAP_ENTRY_START, %si
    movl    $-1, %edx
    movl    ENTRY_PART(PART_LENGTH), %ecx
    jecxz   3f
1:  lodsb
    xorb    %al, %dl
    movb    $8, %ah
2:  shrl    $1, %edx
    jnc     4f
    xorl    $0xEDB88320, %edx               // IEEE 802.3, reflected
4:  decb    %ah
    jnz     2b
    decw    %cx
    jnz     1b
3:  notl    %edx
    movw    $text_bad_entry, %si
    cmpl    ENTRY_PART(PART_CRC32), %edx
    jne     fail
    ret

/*
 * Writes a number in hexadecimal.
 * IN   EAX = number, CX = digits, DI = where
 * CLOBBERS EAX, BX, CX, DX
 */
hexadecimal:
    movw    %cx, %bx
    movb    %al, %dl
    andb    $0x0F, %dl
    cmpb    $10, %dl
    jb      1f
    addb    $'A' - '0' - 10, %dl
1:  addb    $'0', %dl
    movb    %dl, -1(%bx, %di)
    shrl    $4, %eax
    loop    hexadecimal
    ret

    .globl fail
/*
 * One sentence on the screen and on COM1; then an emulator ends, and all others halt.
 * IN   SI = text, zero-terminated
 */
fail:
    pushw   %si
    movw    $text_prefix, %si
    call    print
    popw    %si
    call    print
    movw    $text_newline, %si
    call    print
    xorw    %cx, %cx                        // until all is sent, not for ever
    movw    $COM1 + 5, %dx
1:  inb     %dx, %al
    testb   $COM1_SENT, %al
    loopz   1b
    movb    $POWER_EXIT_REFUSED, %al
    outb    %al, $POWER_EXIT_PORT
    cli
1:  hlt
    jmp     1b

/*
 * IN   SI = text, zero-terminated
 * CLOBBERS AX, BX, CX, DX, SI
 */
print:
    cld
    lodsb
    testb   %al, %al
    jz      3f
    pushw   %si
    pushw   %ax
    movb    $0x0E, %ah                      // teletype
    movw    $0x0007, %bx
    int     $0x10
    movw    $0xFFFF, %cx                    // wait for the transmitter, not for ever
    movw    $COM1 + 5, %dx
1:  inb     %dx, %al
    testb   $COM1_FREE, %al
    loopz   1b
    popw    %ax
    movw    $COM1, %dx
    outb    %al, %dx
    popw    %si
    jmp     print
3:  ret

/* COM1: 115200 8N1, no interrupts. CLOBBERS AX, DX */
serial_init:
    movw    $COM1 + 1, %dx                  // interrupts off
    movb    $0, %al
    outb    %al, %dx
    movw    $COM1 + 3, %dx                  // the divisor's latch
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
    ret

    .data
packet:                                     // EDD's disk address packet
    .word   0
packet_count:
    .word   0
packet_buffer:
    .long   0
packet_lba:
    .quad   0
sector:
    .long   0
place:
    .long   0
sectors:
    .word   0
tries:
    .byte   0
status:
    .byte   0

text_prefix:
    .asciz  "32RTOS: "
text_newline:
    .asciz  "\r\n"
    .globl text_no_a20
text_no_a20:
    .asciz  "the A20 gate does not open, so memory above 1 MiB cannot be reached."
text_bad_entry:
    .asciz  "the entry stub has a bad checksum: the image is damaged."
text_unreadable:
    .ascii  "the disk cannot be read at LBA 0x"
text_sector_number:
    .ascii  "00000000 (entry stub, BIOS status 0x"
text_status_number:
    .asciz  "00)."
