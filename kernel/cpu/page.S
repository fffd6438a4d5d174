#define CR0_TS_BIT    8
#define CR4_OSFXSR_BIT (1 << 9)
#define CPUID_SSE_BIT  (1 << 25)

    .section .bss
uses_sse:
    .skip 4

    .text

/*
 * void cpu_page_init(void)
 * IN, OUT: nothing. CLOBBERS: EAX, ECX, EDX
 * CPUID 1 EDX.25 says that there is SSE, CR4.OSFXSR that its registers may be used.
 */
    .globl cpu_page_init
    .type cpu_page_init, @function
cpu_page_init:
    pushl %ebx
    movl $1, %eax
    xorl %ecx, %ecx
    cpuid
    xorl %eax, %eax
    testl $CPUID_SSE_BIT, %edx
    jz 1f
    movl %cr4, %eax
    andl $CR4_OSFXSR_BIT, %eax
1:  movl %eax, uses_sse
    popl %ebx
    ret

/* The registers are the running program's, or somebody's whom CR0.TS remembers. EDX: CR0 as it was;
 * the flags are on the stack, below what the caller then saves. */
    .macro begin_sse
    pushfl
    cli
    movl %cr0, %edx
    testb $CR0_TS_BIT, %dl
    jz 9f
    clts
9:
    .endm

    .macro end_sse
    testb $CR0_TS_BIT, %dl
    jz 8f
    movl %edx, %cr0
8:  popfl
    .endm

/*
 * void cpu_page_clear(void *page)
 * IN: EAX: page. OUT: nothing. CLOBBERS: EAX, ECX, EDX
 */
    .globl cpu_page_clear
    .type cpu_page_clear, @function
cpu_page_clear:
    cmpl $0, uses_sse
    je clear_by_words
    begin_sse
    subl $16, %esp
    movups %xmm0, (%esp)
    xorps %xmm0, %xmm0
    leal 4096(%eax), %ecx
2:  .irp at, 0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, \
        256, 272, 288, 304, 320, 336, 352, 368, 384, 400, 416, 432, 448, 464, 480, 496
    movaps %xmm0, \at(%eax)
    .endr
    addl $512, %eax
    cmpl %ecx, %eax
    jne 2b
    movups (%esp), %xmm0
    addl $16, %esp
    end_sse
    ret
clear_by_words:
    pushl %edi
    movl %eax, %edi
    xorl %eax, %eax
    movl $1024, %ecx
    rep stosl
    popl %edi
    ret

/*
 * void cpu_page_copy(void *to, const void *from)
 * IN: EAX: to, EDX: from. OUT: nothing. CLOBBERS: EAX, ECX, EDX
 */
    .globl cpu_page_copy
    .type cpu_page_copy, @function
cpu_page_copy:
    movl %edx, %ecx
    cmpl $0, uses_sse
    je copy_by_words
    begin_sse
    pushl %esi
    subl $64, %esp
    movups %xmm0, (%esp)
    movups %xmm1, 16(%esp)
    movups %xmm2, 32(%esp)
    movups %xmm3, 48(%esp)
    leal 4096(%eax), %esi
3:  .irp at, 0, 64, 128, 192
    movaps \at(%ecx), %xmm0
    movaps \at+16(%ecx), %xmm1
    movaps \at+32(%ecx), %xmm2
    movaps \at+48(%ecx), %xmm3
    movaps %xmm0, \at(%eax)
    movaps %xmm1, \at+16(%eax)
    movaps %xmm2, \at+32(%eax)
    movaps %xmm3, \at+48(%eax)
    .endr
    addl $256, %eax
    addl $256, %ecx
    cmpl %esi, %eax
    jne 3b
    movups (%esp), %xmm0
    movups 16(%esp), %xmm1
    movups 32(%esp), %xmm2
    movups 48(%esp), %xmm3
    addl $64, %esp
    popl %esi
    end_sse
    ret
copy_by_words:
    pushl %edi
    pushl %esi
    movl %eax, %edi
    movl %ecx, %esi
    movl $1024, %ecx
    rep movsl
    popl %esi
    popl %edi
    ret
