#ifndef KERNEL_PROCESS_EXEC_H
#define KERNEL_PROCESS_EXEC_H

#include "kernel/process/arguments.h"
#include "kernel/process/process.h"

/*
 * execve: the running process goes on with another program. The new address space is made as a
 * whole before the old one goes, so a failure leaves everything as it was. 0; or the errors of
 * execve(2): -ENOEXEC for what is no program that can run here (the log says why), -EACCES,
 * -ENOENT, -E2BIG, -ENOMEM, -ELOOP (scripts that run scripts, too deep), ... The arguments may be
 * changed.
 */
int process_exec(const char *path, struct arguments *arguments) MUST_CHECK;

/* The same for a process that was made by process_create_first, which then starts. */
int process_exec_first(struct process *process, const char *path,
                       struct arguments *arguments) MUST_CHECK;

#endif
