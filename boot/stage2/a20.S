/*
 * The A20 gate: while it is closed, bit 20 of every address is 0 and the second mebibyte is the
 * first once more. Machines differ in how it opens; each way is tried and then verified.
 */
#include "kernel/memory/memory.h"

#define KEYBOARD_DATA    0x60
#define KEYBOARD_COMMAND 0x64
#define SYSTEM_CONTROL   0x92
#define A20_READ_OPENS   0xEE               // some old machines
#define DELAY_PORT       0x80

#define A20_ROUNDS       16                 // of all methods: some gates open slowly or at the second try
#define A20_PATIENCE     1024               // tests after a slow method
#define KEYBOARD_POLLS   0x8000

    .code16
    .text
    .globl a20_open, a20_is_open
/*
 * OUT  carry clear: the gate is open; carry set: no method opened it
 * CLOBBERS all but segments
 */
a20_open:
    movw    $A20_ROUNDS, rounds
1:  movw    $1, %cx                         // open already?
    call    a20_is_open
    jnc     9f

    movw    $0x2401, %ax                    // the BIOS's own way
    int     $0x15
    xorw    %ax, %ax
    movw    %ax, %ds
    movw    %ax, %es
    movw    $1, %cx
    call    a20_is_open
    jnc     9f

    call    a20_by_keyboard
    movw    $A20_PATIENCE, %cx
    call    a20_is_open
    jnc     9f

    inb     $SYSTEM_CONTROL, %al            // bit 1 opens; bit 0 would reset the machine
    testb   $2, %al
    jnz     2f
    orb     $2, %al
    andb    $~1, %al
    outb    %al, $SYSTEM_CONTROL
2:  movw    $A20_PATIENCE, %cx
    call    a20_is_open
    jnc     9f

    inb     $A20_READ_OPENS, %al
    movw    $1, %cx
    call    a20_is_open
    jnc     9f

    decw    rounds
    jnz     1b
    stc
    ret
9:  clc
    ret

/*
 * Writes a word that changes with each test and looks whether it shows 1 MiB higher too.
 * IN   CX = number of tests, 1 or more
 * OUT  carry clear: open
 * CLOBBERS AX, CX
 */
a20_is_open:
    pushw   %fs
    movw    $0xFFFF, %ax
    movw    %ax, %fs
1:  incw    probe
    movw    probe, %ax
    outb    %al, $DELAY_PORT
    cmpw    %ax, %fs:probe + 0x10           // 0xFFFF0 + 0x10 = 1 MiB
    clc
    jne     2f
    loop    1b
    stc
2:  popw    %fs
    ret

/* Output port bit 1 of the keyboard controller. CLOBBERS AX, CX */
a20_by_keyboard:
    call    keyboard_wait
    movb    $0xD1, %al                      // write the output port
    outb    %al, $KEYBOARD_COMMAND
    call    keyboard_wait
    movb    $0xDF, %al                      // A20 open, no reset
    outb    %al, $KEYBOARD_DATA
    call    keyboard_wait
    movb    $0xFF, %al                      // a null command: some controllers act only then
    outb    %al, $KEYBOARD_COMMAND
    call    keyboard_wait
    ret

/* Waits until the controller takes a byte, and drops what it has for us; not for ever. */
keyboard_wait:
    movw    $KEYBOARD_POLLS, %cx
1:  outb    %al, $DELAY_PORT
    inb     $KEYBOARD_COMMAND, %al
    cmpb    $0xFF, %al                      // no controller there
    je      3f
    testb   $1, %al
    jz      2f
    inb     $KEYBOARD_DATA, %al
    jmp     4f
2:  testb   $2, %al
    jz      3f
4:  loop    1b
3:  ret

    .data
rounds:
    .word   0
    .balign 4
probe:
    .word   0
