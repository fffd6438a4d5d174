#ifndef KERNEL_MEMORY_HEAP_CORE_H
#define KERNEL_MEMORY_HEAP_CORE_H

/*
 * Included before all else by the files that define what heap.h promises. In a debug build
 * (HEAP_DEBUG, README.md) the names of heap.h belong to debug/layer.c, which lies between the heap
 * and its users; what these files define has the names below, and only the layer calls it.
 */
#include "kernel/memory/heap/level.h"

#if HEAP_DEBUG
#define heap_init            heap_core_init
#define kmalloc              heap_core_malloc
#define kcalloc              heap_core_calloc
#define kmalloc_aligned      heap_core_malloc_aligned
#define krealloc             heap_core_realloc
#define kfree                heap_core_free
#define ksize                heap_core_size
#define heap_cache_create    heap_core_cache_create
#define heap_cache_alloc     heap_core_cache_alloc
#define heap_cache_free      heap_core_cache_free
#define heap_cache_destroy   heap_core_cache_destroy
#define heap_read_statistics heap_core_read_statistics
#define heap_read_class      heap_core_read_class
#define heap_visit           heap_core_visit
#define heap_trim            heap_core_trim
#define heap_check           heap_core_check
#endif

#endif
