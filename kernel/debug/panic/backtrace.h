#ifndef KERNEL_DEBUG_PANIC_BACKTRACE_H
#define KERNEL_DEBUG_PANIC_BACKTRACE_H

#include "kernel/include/types.h"

#define BACKTRACE_FRAMES_MAX 24u

/* Logs the instruction and the chain of callers that starts at frame pointer `ebp`. Bounded, and
 * reads nothing that is not there. */
void backtrace_log(uint32_t eip, uint32_t ebp);

#endif
