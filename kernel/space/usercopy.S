/*
 * The instructions that touch user memory, and where they go on when they fault. With SMAP they
 * open it (EFLAGS.AC) and close it again; a fault in between keeps AC in the saved flags.
 */
    .text

    .macro open_user
    cmpl $0, usercopy_has_smap
    je 9f
    .byte 0x0F, 0x01, 0xCB      /* stac */
9:
    .endm

    .macro close_user
    cmpl $0, usercopy_has_smap
    je 8f
    .byte 0x0F, 0x01, 0xCA      /* clac */
8:
    .endm

    .macro recovers from, to
    .section .exceptions, "a", @progbits
    .long \from, \to
    .text
    .endm

/*
 * size_t usercopy_move(void *to, const void *from, size_t bytes)
 * IN: EAX: to, EDX: from, ECX: bytes; one side may be user memory. OUT: EAX: the bytes that were not
 * moved. CLOBBERS: ECX, EDX
 */
    .globl usercopy_move
    .type usercopy_move, @function
usercopy_move:
    pushl %edi
    pushl %esi
    movl %eax, %edi
    movl %edx, %esi
    movl %ecx, %edx
    open_user
    shrl $2, %ecx
    andl $3, %edx
move_words:
    rep movsl
    movl %edx, %ecx
move_bytes:
    rep movsb
move_end:
    close_user
    movl %ecx, %eax
    popl %esi
    popl %edi
    ret
move_words_failed:              /* ECX words and EDX bytes are left; some of them can be moved */
    leal (%edx, %ecx, 4), %ecx
    jmp move_bytes
    recovers move_words, move_words_failed
    recovers move_bytes, move_end

/*
 * size_t usercopy_clear(void *to, size_t bytes)
 * IN: EAX: to, EDX: bytes. OUT: EAX: the bytes that were not cleared. CLOBBERS: ECX, EDX
 */
    .globl usercopy_clear
    .type usercopy_clear, @function
usercopy_clear:
    pushl %edi
    movl %eax, %edi
    open_user
    xorl %eax, %eax
    movl %edx, %ecx
    shrl $2, %ecx
    andl $3, %edx
clear_words:
    rep stosl
    movl %edx, %ecx
clear_bytes:
    rep stosb
clear_end:
    close_user
    movl %ecx, %eax
    popl %edi
    ret
clear_words_failed:
    leal (%edx, %ecx, 4), %ecx
    jmp clear_bytes
    recovers clear_words, clear_words_failed
    recovers clear_bytes, clear_end

/*
 * int32_t usercopy_string(char *to, const char *from, size_t size)
 * IN: EAX: to, EDX: from, ECX: size, not 0. OUT: EAX: the length; `size` if there was no zero among so
 * many; -1 after a fault. CLOBBERS: EDX
 */
    .globl usercopy_string
    .type usercopy_string, @function
usercopy_string:
    pushl %edi
    pushl %esi
    movl %eax, %edi
    movl %edx, %esi
    open_user
    xorl %edx, %edx
1:
string_byte:
    movb (%esi, %edx), %al
    movb %al, (%edi, %edx)
    testb %al, %al
    jz string_end
    incl %edx
    cmpl %ecx, %edx
    jne 1b
string_end:
    close_user
    movl %edx, %eax
    popl %esi
    popl %edi
    ret
string_failed:
    movl $-1, %edx
    jmp string_end
    recovers string_byte, string_failed

/*
 * int usercopy_exchange(uint32_t *address, uint32_t expected, uint32_t value, uint32_t *old)
 * IN: EAX: address, EDX: expected, ECX: value; the stack: old. OUT: EAX: 0 or -1 after a fault.
 * CLOBBERS: ECX
 */
    .globl usercopy_exchange
    .type usercopy_exchange, @function
usercopy_exchange:
    pushl %ebx
    movl %eax, %ebx
    movl %edx, %eax
    open_user
exchange_word:
    lock cmpxchgl %ecx, (%ebx)
    close_user
    movl 8(%esp), %ecx
    movl %eax, (%ecx)
    xorl %eax, %eax
    popl %ebx
    ret
exchange_failed:
    close_user
    movl $-1, %eax
    popl %ebx
    ret
    recovers exchange_word, exchange_failed
