#ifndef KERNEL_DEBUG_BENCH_BENCH_H
#define KERNEL_DEBUG_BENCH_BENCH_H

/*
 * What the memory tree costs on this machine, call by call: bench/machine/README.md says what is
 * measured and how exact it is. Runs all groups of lines, or the one of this name; -ENOENT if there
 * is none. Prints tables on the monitor. Memory is worked hard meanwhile and is as before
 * afterwards, but for page tables in user space's row, which stay. From the prompt only, interrupts
 * on.
 */
int bench_run(const char *group);

#endif
