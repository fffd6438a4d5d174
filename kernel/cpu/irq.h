#ifndef KERNEL_CPU_IRQ_H
#define KERNEL_CPU_IRQ_H

#include "kernel/include/types.h"

/* The 16 lines of the two 8259 interrupt controllers, on vectors IRQ_VECTOR to IRQ_VECTOR + 15. */
#define IRQ_VECTOR   0x20
#define IRQ_COUNT    16
#define IRQ_TIMER    0
#define IRQ_KEYBOARD 1
#define IRQ_COM1     4

/* Runs with interrupts off, on the stack of whoever was interrupted. */
typedef void (*irq_handler)(void);

/* Programs both controllers, every line masked. */
void irq_init(void);

/* 0, -EINVAL (no such line, or the cascade's), -EBUSY (the line has a handler). Unmasks the line.
 */
int irq_register(unsigned irq, irq_handler handler) MUST_CHECK;

/* What `cpu` shows: how often a line fired, spurious ones apart. */
uint32_t irq_count(unsigned irq);
uint32_t irq_spurious_count(void);

struct trap_frame;

/* What the interrupt whose handler runs has interrupted. */
extern const struct trap_frame *irq_interrupted;
static inline const struct trap_frame *irq_frame(void)
{
    return irq_interrupted;
}

/* For the trap code: a line fired. */
void irq_dispatch(unsigned irq, const struct trap_frame *frame);

#endif
