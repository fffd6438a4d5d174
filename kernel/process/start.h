#ifndef KERNEL_PROCESS_START_H
#define KERNEL_PROCESS_START_H

#include "kernel/include/types.h"

/*
 * The first program of the machine, on the console, as process 1. When it ends, the machine does
 * what `end` says: it is powered off with the program's exit status (which whoever runs an emulator
 * finds at POWER_STATUS_PORT), or the monitor goes on alone.
 */
enum process_start_end { PROCESS_START_POWERS_OFF, PROCESS_START_LEAVES_MONITOR };

/* `line` is a program and its arguments, as words with blanks between them; quotes (' and ") hold
 * words together. Makes a thread that starts the program and waits for its end. 0, or -ENOMEM. */
int process_start(const char *line, enum process_start_end end) MUST_CHECK;

/* The same, of words and at least one, from the running kernel thread, which waits: the status as
 * wait has it, or why it did not start. */
int32_t process_run(unsigned count, char *const *words) MUST_CHECK;

/* The first of these that is there, or NULL: what a machine runs that was told nothing. */
const char *process_start_default(void);

#endif
