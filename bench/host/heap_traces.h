#ifndef BENCH_HOST_HEAP_TRACES_H
#define BENCH_HOST_HEAP_TRACES_H

#include "bench/host/allocator.h"

/*
 * The heap traces. The program is built twice: METER counts instructions in each call, without it
 * the calls are made directly and the trace is timed. Each prints lines for report.py.
 */
struct heap_trace {
    const char *name;
    void (*run)(void);
    size_t pool_bytes;
    unsigned flags;
};

extern const struct heap_allocator *heap_allocator;
extern const struct heap_trace heap_traces[];

#endif
