#ifndef KERNEL_DEBUG_BENCH_LENGTHS_H
#define KERNEL_DEBUG_BENCH_LENGTHS_H

/* How long the known sequences of call.S are. */
#define BENCH_NOPS    1000
#define BENCH_ROUNDS  1000
#define BENCH_REPEATS 100

#endif
