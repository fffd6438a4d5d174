#ifndef KERNEL_SANITIZER_SANITIZER_H
#define KERNEL_SANITIZER_SANITIZER_H

#include "kernel/include/types.h"

/*
 * `make SANITIZE=1`: the compiler checks every access to memory against a shadow of it, and every
 * operation that C leaves undefined. A report goes to the log and ends in a panic, unless somebody
 * said that he expects it. README.md has the whole story.
 */
enum sanitizer_kind {
    SANITIZER_HEAP_OVERFLOW,   /* beside a live object */
    SANITIZER_HEAP_FREED,      /* in an object that was freed */
    SANITIZER_HEAP_UNUSED,     /* in a page of the heap where no object was yet */
    SANITIZER_STACK_OVERFLOW,  /* beside a variable on the stack */
    SANITIZER_STACK_SCOPE,     /* a variable whose block was left */
    SANITIZER_GLOBAL_OVERFLOW, /* beside a static variable */
    SANITIZER_DOUBLE_FREE,
    SANITIZER_UNDEFINED, /* what UBSan finds */
    SANITIZER_KINDS
};

struct sanitizer_report {
    enum sanitizer_kind kind;
    char what[160];        /* the first line of the report, without the place */
    uint32_t address;      /* the first wrong byte; of undefined behaviour 0 */
    uint32_t instruction;  /* behind the access */
    uint32_t allocated_by; /* return addresses, 0 where unknown */
    uint32_t freed_by;
};

/* From here to sanitizer_expect_end reports are logged and counted, and execution goes on. */
void sanitizer_expect_begin(void);

/* Returns how many there were, and the last of them. */
unsigned sanitizer_expect_end(struct sanitizer_report *last);

/* The frames that hold shadow now: one for 8 pages of the heap or of a thread's stack. */
uint32_t sanitizer_shadow_frames(void);

#endif
