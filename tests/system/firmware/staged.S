/*
 * Firmware as the emulators do not have it. A boot disk that takes a piece of low RAM for itself,
 * hooks interrupts 13h and 15h as its configuration says, closes the A20 gate, at the start or while
 * it reads, and starts the second disk's boot sector.
 *
 * The whole file is read to the top of low RAM and runs there, at offset 0 of its segment. The
 * test writes the configuration (words, in the order of the labels) and the E820 table.
 */
    .code16
    .text

#define COM1            0x3F8
#define BDA_KIBIBYTES   0x413
#define VECTOR_13       (0x13 * 4)
#define VECTOR_15       (0x15 * 4)
#define SMAP            0x534D4150

#define FILE_SECTORS    16
#define FILE_KIBIBYTES  8
#define CONFIGURATION   0x800
#define TABLE           0x900
#define ENTRY_BYTES     32                  // 24 as given, then words: bytes to return, bytes to write

#define CHAIN_DRIVE     0x81
#define CONTINUE_BASE   0x80000000          // EBX: not a small number, not consecutive
#define CONTINUE_STEP   0x00010203

    .globl start
start:
    cli
    xorw    %ax, %ax
    movw    %ax, %ds
    movw    %ax, %ss
    movw    $0x7C00, %sp
    sti
    cld
    int     $0x12
    subw    $FILE_KIBIBYTES, %ax
    movw    %ax, BDA_KIBIBYTES
    shlw    $6, %ax
    movw    %ax, 0x7C00 + packet_segment
    movw    %ax, %es
    movw    $0x7C00 + packet, %si
    movb    $0x42, %ah
    int     $0x13
    jc      hang
    pushw   %es
    pushw   $resident
    lretw
hang:
    hlt
    jmp     hang

packet:
    .byte   0x10, 0
    .word   FILE_SECTORS
    .word   0
packet_segment:
    .word   0
    .quad   0

    .org    510
    .word   0xAA55

resident:
    xorw    %ax, %ax
    movw    %ax, %es                        // ES = 0: vectors, BIOS data
    movw    %cs, %ax
    movw    %ax, %ds
    movw    interrupt_12, %ax
    testw   %ax, %ax
    jz      1f
    movw    %ax, %es:BDA_KIBIBYTES
1:  cli
    movl    %es:VECTOR_13, %eax
    movl    %eax, old_13
    movl    %es:VECTOR_15, %eax
    movl    %eax, old_15
    movw    $hook_13, %es:VECTOR_13
    movw    %cs, %es:VECTOR_13 + 2
    movw    $hook_15, %es:VECTOR_15
    movw    %cs, %es:VECTOR_15 + 2
    sti

    movw    $CHAIN_DRIVE, %dx               // its boot sector, by the old handler
    movb    $0x42, %ah
    movw    $chain_packet, %si
    pushfw
    lcall   *old_13
    movw    $text_no_disk, %si
    jc      stop
    cmpw    $0, a20_close
    je      3f
    call    close_a20
3:  movw    $text_go, %si
    call    say
    movw    $CHAIN_DRIVE, %dx
    cmpw    $0, far_start
    jne     2f
    ljmp    $0, $0x7C00
2:  ljmp    $0x7C0, $0

stop:
    call    say
    jmp     hang

/*
 * Closes the gate by port 92h, makes sure of it, and takes the ports away that could open it.
 * IN   DS = CS
 * CLOBBERS EAX, BX, ECX, DX, ES, FS
 */
close_a20:
    xorw    %ax, %ax
    movw    %ax, %es
    inb     $0x92, %al
    andb    $~3, %al
    outb    %al, $0x92
    movw    $0xFFFF, %ax
    movw    %ax, %fs
    movw    %es:0x500, %ax
    notw    %ax
    movw    %ax, %es:0x500
    cmpw    %ax, %fs:0x510
    movw    $text_not_closed, %si
    jne     stop
    movw    $0x60, %bx                      // the keyboard controller's
    testw   $1, a20_hide
    jz      1f
    call    hide_ports
1:  movw    $0x80, %bx                      // port 92h's
    testw   $2, a20_hide
    jz      2f
    call    hide_ports
2:  ret

/*
 * Moves the I/O window of an unused virtio device over 32 ports: the window lies above them.
 * IN   BX = first port
 */
hide_ports:
    movl    $0x80000000, %ecx               // bus 0, device 0, register 0
1:  movl    %ecx, %eax
    movw    $0xCF8, %dx
    outl    %eax, %dx
    movw    $0xCFC, %dx
    inl     %dx, %eax
    cmpl    $0x10051AF4, %eax               // virtio entropy
    jne     2f
    leal    0x10(%ecx), %eax                // its window
    movw    $0xCF8, %dx
    outl    %eax, %dx
    movw    $0xCFC, %dx
    inl     %dx, %eax
    cmpl    $0x1000, %eax                   // moved already: it serves the other ports
    jb      2f
    movzwl  %bx, %eax
    outl    %eax, %dx
    ret
2:  addl    $0x800, %ecx
    cmpl    $0x80010000, %ecx
    jb      1b
    movw    $text_no_device, %si
    jmp     stop

/* Disk: refuse, fail or pass on. */
hook_13:
    cmpb    $0x48, %ah
    je      1f
    cmpb    $0x42, %ah
    je      2f
    cmpb    $0, %ah
    je      5f
    ljmp    *%cs:old_13
1:  cmpw    $1, %cs:disk_parameters
    je      refuse
    jb      3f
    movw    %cs:disk_parameters, %ax
    movw    %ax, 0x18(%si)                  // bytes a sector
    movb    $0, %ah
    jmp     carry_clear
3:  ljmp    *%cs:old_13
2:  pushal
    cmpw    $127, 2(%si)                    // at most 127 sectors, not across 64 KiB
    ja      3f
    movzwl  6(%si), %eax
    shll    $4, %eax
    movzwl  4(%si), %ecx
    addl    %ecx, %eax
    movzwl  %ax, %eax
    movzwl  2(%si), %ecx
    shll    $9, %ecx
    addl    %ecx, %eax
    cmpl    $0x10000, %eax
    ja      3f
    movl    8(%si), %eax                    // each new 64 KiB fail anew
    shrl    $7, %eax
    cmpl    %cs:disk_place, %eax
    je      6f
    movl    %eax, %cs:disk_place
    movw    %cs:disk_failures, %ax
    movw    %ax, %cs:failures_left
6:  popal
    cmpw    $0, %cs:failures_left
    jne     4f
    pushw   %ax
    movw    %cs:disk_too_long, %ax
    decw    %ax                             // 0, for no bound, is the highest now
    cmpw    2(%si), %ax
    popw    %ax
    jb      4f
    pushfw
    lcall   *%cs:old_13
    call    close_a20_while_reading
    lretw   $2                              // with the flags as they are
3:  popal
    pushw   %si
    movw    $text_limits, %si
    call    say
    popw    %si
    jmp     refuse
4:  movw    $0, 2(%si)                      // a packet that is used again would read nothing
    movl    $0, 8(%si)
    movb    $0x04, %ah
    jmp     carry_set
5:  cmpw    $0, %cs:failures_left           // a reset is what helps
    je      7f
    decw    %cs:failures_left
    pushfw
    lcall   *%cs:old_13
    movw    %cs, %cx                        // and costs the caller his segments
    movw    %cx, %ds
    movw    %cx, %es
    lretw   $2                              // with the flags as they are
7:  ljmp    *%cs:old_13

/*
 * Closes the gate after the a20_close_reads-th read; after each later one too, if the ports stay.
 * CLOBBERS nothing
 */
close_a20_while_reading:
    pushfw
    pushal
    pushw   %ds
    pushw   %es
    pushw   %fs
    movw    %cs, %ax
    movw    %ax, %ds
    cmpw    $0, a20_close_reads
    je      2f
    cmpw    $1, a20_close_reads
    je      1f
    decw    a20_close_reads
    jmp     2f
1:  call    close_a20
    cmpw    $0, a20_hide
    je      2f
    movw    $0, a20_close_reads
2:  popw    %fs
    popw    %es
    popw    %ds
    popal
    popfw
    ret

/* Memory and A20: answer, refuse or pass on. */
hook_15:
    cmpl    $0xE820, %eax
    je      e820
    cmpw    $0xE801, %ax
    je      e801
    cmpb    $0x88, %ah
    je      memory_88
    cmpw    $0x2401, %ax
    je      gate
pass_15:
    ljmp    *%cs:old_15

gate:
    pushw   %si
    movw    $text_gate, %si
    call    say
    popw    %si
    cmpw    $1, %cs:a20_bios
    jb      pass_15
    je      refuse
    movb    $0, %ah                         // a lie
    jmp     carry_clear

e801:
    cmpw    $1, %cs:e801_mode
    jb      pass_15
    jne     refuse
    movw    %cs:e801_ax, %ax
    movw    %cs:e801_bx, %bx
    movw    %cs:e801_cx, %cx
    movw    %cs:e801_dx, %dx
    jmp     carry_clear

memory_88:
    cmpw    $1, %cs:memory_88_mode
    jb      pass_15
    jne     refuse
    movw    %cs:memory_88_ax, %ax
    jmp     carry_clear

e820:
    cld
    cmpw    $1, %cs:e820_mode
    jb      pass_15
    jne     refuse
    cmpl    $SMAP, %edx
    jne     refuse
    cmpl    $20, %ecx
    jb      refuse
    pushl   %esi
    pushl   %edi
    pushl   %edx
    pushw   %ds
    movw    %cs, %ax
    movw    %ax, %ds
    movl    %ebx, %eax                      // EAX = which entry
    testl   %eax, %eax
    jz      1f
    subl    $CONTINUE_BASE, %eax
    xorl    %edx, %edx
    movl    $CONTINUE_STEP, %ebx
    divl    %ebx
    testl   %edx, %edx
    jnz     e820_carry                      // not what the call before gave
    cmpw    e820_count, %ax
    jae     e820_carry
1:  movl    %eax, %ebx
    shll    $5, %eax                        // ENTRY_BYTES
    leal    TABLE(%eax), %esi
    movzwl  24(%esi), %edx                  // how many bytes
    cmpl    %edx, %ecx
    jae     2f
    movl    %ecx, %edx
2:  movw    26(%esi), %cx
    rep movsb
    movl    %edx, %ecx                      // which may be more than was written
    movl    $SMAP, %eax
    cmpw    $2, e820_fault
    jne     3f
    cmpw    e820_fault_at, %bx
    jne     3f
    movl    $0x12345678, %eax               // the signature is lost
3:  incl    %ebx
    cmpw    e820_count, %bx
    jb      5f
    cmpw    $1, e820_fault                  // 1: goes on, and ends with the carry
    je      5f
    xorl    %ebx, %ebx
    cmpw    $3, e820_fault                  // 3: begins again
    jne     6f
5:  imull   $CONTINUE_STEP, %ebx, %ebx
    addl    $CONTINUE_BASE, %ebx
6:  popw    %ds
    popl    %edx
    popl    %edi
    popl    %esi
    jmp     carry_clear
e820_carry:
    popw    %ds
    popl    %edx
    popl    %edi
    popl    %esi
    movl    $0x8600, %eax                   // no signature with it
    jmp     carry_set

refuse:
    movb    $0x86, %ah
carry_set:
    pushw   %bp
    movw    %sp, %bp
    orw     $1, 6(%bp)
    popw    %bp
    iretw
carry_clear:
    pushw   %bp
    movw    %sp, %bp
    andw    $~1, 6(%bp)
    popw    %bp
    iretw

/*
 * Says a text on COM1.
 * IN   SI = text in this segment, zero-terminated
 */
say:
    pushal
1:  movb    %cs:(%si), %al
    testb   %al, %al
    jz      3f
    movb    %al, %bl
    movw    $COM1 + 5, %dx
    movw    $0xFFFF, %cx
2:  inb     %dx, %al
    testb   $0x20, %al
    loopz   2b
    movb    %bl, %al
    movw    $COM1, %dx
    outb    %al, %dx
    incw    %si
    jmp     1b
3:  popal
    ret

    .balign 4
old_13:
    .long   0
disk_place:
    .long   0xFFFFFFFF
old_15:
    .long   0
chain_packet:
    .byte   0x10, 0
    .word   1
    .word   0x7C00, 0
    .quad   0
failures_left:
    .word   0
text_go:
    .asciz  "staged: go\r\n"
text_no_disk:
    .asciz  "staged: the second disk cannot be read\r\n"
text_not_closed:
    .asciz  "staged: the A20 gate is not closed\r\n"
text_no_device:
    .asciz  "staged: no device to hide the ports with\r\n"
text_gate:
    .asciz  "staged: int 15h, 2401h\r\n"
text_limits:
    .asciz  "staged: a read too long, or across 64 KiB\r\n"

    .org    CONFIGURATION
e820_mode:                                  // each mode: 0 pass on, 1 answer, 2 refuse
    .word   0
e820_count:
    .word   0
e820_fault:                                 // 1 ends by carry, 2 signature lost, 3 endless
    .word   0
e820_fault_at:
    .word   0
e801_mode:
    .word   0
e801_ax:
    .word   0
e801_bx:
    .word   0
e801_cx:
    .word   0
e801_dx:
    .word   0
memory_88_mode:
    .word   0
memory_88_ax:
    .word   0
a20_close:
    .word   0
a20_bios:                                   // int 15h, 2401h: 0 pass on, 1 refuse, 2 lie
    .word   0
a20_hide:                                   // bit 0: ports 60h to 7Fh, bit 1: ports 80h to 9Fh
    .word   0
interrupt_12:                               // KiB; 0: leave
    .word   0
disk_parameters:                            // int 13h, 48h: 0 pass on, 1 refuse, else bytes a sector
    .word   0
disk_failures:                              // so many resets before any 64 KiB can be read
    .word   0
far_start:                                  // start at 07C0:0000 instead of 0000:7C00
    .word   0
a20_close_reads:                            // from which read on the gate is closed; 0: none
    .word   0
disk_too_long:                              // reads of so many sectors fail, and longer ones; 0: none
    .word   0

    .org    FILE_SECTORS * 512
