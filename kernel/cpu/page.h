#ifndef KERNEL_CPU_PAGE_H
#define KERNEL_CPU_PAGE_H

/*
 * Whole pages, 4096 bytes, page-aligned. With SSE (CPUID 1 EDX.25, and CR4.OSFXSR on when
 * cpu_page_init looks) in about 310 and 570 instructions, else by string instructions. What of the
 * SSE registers they use is saved and put back, whatever CR0.TS says, with interrupts off
 * meanwhile. From anywhere.
 */
void cpu_page_init(void);
void cpu_page_clear(void *page);
void cpu_page_copy(void *to, const void *from);

#endif
