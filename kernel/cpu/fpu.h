#ifndef KERNEL_CPU_FPU_H
#define KERNEL_CPU_FPU_H

#include "kernel/include/types.h"

/*
 * x87 and SSE registers of programs. The kernel uses none of them. A thread with a state has its
 * own in the processor whenever it runs, so nothing is left there for the next one to see. The
 * format is FXSAVE's where the processor has it, else FNSAVE's (Intel SDM 1, 10.5.1; 8.1.10).
 */
#define FPU_STATE_BYTES     512u
#define FPU_STATE_ALIGNMENT 16u
#define FPU_FNSAVE_BYTES    108u

/* Switches on what CPUID announced, and keeps a fresh state. After features are known. */
void fpu_init(void);

/* FXSAVE's format? */
bool fpu_has_fxsave(void);

/* The state that a program starts with: all exceptions masked, all registers empty. */
void fpu_reset(void *state);

/* The processor's registers into the state, where they also stay; and the other way round.
 * fpu_load takes any bytes: what the processor would refuse is cleared first. Preemption must not
 * come between a look at them and a change. */
void fpu_save(void *state);
void fpu_load(void *state);

/* Exceptions that are raised and not masked, as bits 0 to 5 of the status word (invalid, denormal,
 * division by zero, overflow, underflow, precision): of x87, and of SSE. */
uint32_t fpu_x87_raised(const void *state);
uint32_t fpu_sse_raised(const void *state);

/* On a switch of threads; either may be NULL. */
void fpu_switch(void *from, void *to);

#endif
