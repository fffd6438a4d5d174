#ifndef KERNEL_MEMORY_CHECK_H
#define KERNEL_MEMORY_CHECK_H

#include "kernel/include/types.h"

/*
 * Where validators report. Each module has one function `void MODULE_check(struct check *)` that
 * walks everything it keeps from first principles and calls check_fault once for each thing that is
 * wrong, in a sentence that names it. Validators change nothing, allocate nothing, and survive any
 * single wrong byte in what they read.
 */
struct check {
    uint32_t faults;                   /* how many sentences so far */
    void (*say)(const char *sentence); /* where they go; NULL counts only */
};

void check_fault(struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
