#ifndef BENCH_HOST_MEASURED_H
#define BENCH_HOST_MEASURED_H

#include "bench/host/allocator.h"

/* The calls that count: inside of these, a callgrind is told to collect. */
void *measured_alloc(const struct heap_allocator *allocator, size_t bytes);
void measured_free(const struct heap_allocator *allocator, void *object);
void *measured_realloc(const struct heap_allocator *allocator, void *object, size_t bytes);

#endif
