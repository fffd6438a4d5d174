#ifndef KERNEL_FAILURE_FAILURE_H
#define KERNEL_FAILURE_FAILURE_H

#include "kernel/include/types.h"

/*
 * Failure on demand: the n-th allocation since a mark is told that there is no memory, whatever
 * there is. README.md says how it gets between callers and allocators, and what counts as one.
 */
enum failure_extent {
    FAILURE_ONCE, /* the n-th only */
    FAILURE_ON    /* the n-th and all after it */
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

/* Nothing fails from now on. */
struct failure_report failure_disarm(void);

/* The kernel's command line has a word fail=N or fail=N+ (and all after): then the machine's boot
 * is armed, from its first allocation until the prompt (boot.c). `fail N[+]|all[+] COMMAND` at the
 * prompt (command.c) takes a line for the prompt; false if it is another command's. */
bool failure_command(const char *line);

/* "N" or "N+"; false for anything else. */
bool failure_parse(const char *text, uint32_t *n, enum failure_extent *extent);

#endif
