#ifndef KERNEL_INCLUDE_PANIC_H
#define KERNEL_INCLUDE_PANIC_H

#include "kernel/include/types.h"

/*
 * The end: says what happened, where (symbol, registers, backtrace), and in what state the memory
 * involved is; then halts, or ends the emulator with POWER_EXIT_PANIC. May be called anywhere, also
 * when much is broken: a fault inside the report is reported and the report goes on behind it.
 */
struct trap_frame;

_Noreturn void panic(const char *format, ...) PRINTF_LIKE(1, 2);

/* The end of a boot for a reason that lies in the machine, and not in the kernel: it has too little
 * memory, or none where it must be. "cannot start: " and the sentence are the log's last line; then
 * halts, or ends the emulator with POWER_EXIT_REFUSED. Before the first prompt. */
_Noreturn void refuse(const char *format, ...) PRINTF_LIKE(1, 2);

/* For an exception that nobody handles. `address` is what CR2 held on entry. */
_Noreturn void panic_trap(const struct trap_frame *frame, uint32_t address);

/* For the double fault's task: `frame` is what the faulting task's state segment holds. */
_Noreturn void panic_double_fault(const struct trap_frame *frame, uint32_t address);

#endif
