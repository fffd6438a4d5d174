#ifndef KERNEL_FAILURE_FAILURE_H
#define KERNEL_FAILURE_FAILURE_H

#include "kernel/include/types.h"

/*
 * Failure on demand: the n-th allocation since a mark is told that there is no memory, whatever
 * there is. README.md says how it gets between callers and allocators, and what counts as one.
 */
enum failure_extent {
    FAILURE_ONCE, /* the n-th only */
    FAILURE_ON,   /* the n-th and all after it */
    FAILURE_EVERY /* the n-th, the 2n-th, ... */
};

/* What happened since the mark. */
struct failure_report {
    uint32_t allocations; /* that were asked for, failed ones included */
    uint32_t failed;
    const char *function; /* of the first that failed; NULL: none did */
    uintptr_t caller;     /* the address that it would have returned to */
};

/* Sets the mark. n = 0: nothing fails, allocations are counted. */
void failure_arm(uint32_t n, enum failure_extent extent);

/* What happened so far. */
struct failure_report failure_read(void);

/* Nothing fails from now on. */
struct failure_report failure_disarm(void);

/* A call that was not made from inside another one, for who records them (record.c): NULL, nobody
 * does. */
struct failure_call {
    const char *function;
    uintptr_t result;
    uint32_t arguments[4];
};
extern void (*failure_recorder)(const struct failure_call *call);
extern volatile uint32_t failure_depth; /* of calls that are being made */

/* Records calls from now on, up to what there is room for: until the text is read. */
void failure_record_begin(void);
/* The text so far, as tests/model/model.h has it, and its length; recording ends. */
const char *failure_record_end(size_t *length);

/* The kernel's command line has a word fail=N, fail=N+ (and all after) or fail=N* (every n-th):
 * then the machine's boot is armed, from its first allocation until the prompt (boot.c). `fail
 * N[+|*]|all[+] COMMAND` at the prompt (command.c) takes a line for the prompt; false if it is
 * another command's. */
bool failure_command(const char *line);

/* "N", "N+" or "N*"; false for anything else. */
bool failure_parse(const char *text, uint32_t *n, enum failure_extent *extent);

#endif
