#ifndef KERNEL_CPU_FAULT_H
#define KERNEL_CPU_FAULT_H

#include "kernel/cpu/trap.h"

/* What the hardware says of itself. */

/* Lets the processor report its own errors; needs CPU_MCE to be on. */
void fault_init(void);

/* Memory parity and channel errors are the end; an NMI without a reason is logged. */
void fault_nmi(const struct trap_frame *frame);

_Noreturn void fault_machine_check(void);

#endif
