#ifndef BENCH_HOST_METER_H
#define BENCH_HOST_METER_H

#include "bench/host/allocator.h"

/*
 * How many instructions each call of an allocator takes. The allocator's own code counts them
 * (count_instructions.py); in programs where it does not, all counts are 0, and callgrind counts
 * from outside (measured.h).
 */
enum meter_kind { METER_ALLOC, METER_FREE, METER_REALLOC, METER_KINDS };

/* Calls of different sorts are kept apart: of a heap, by how many pages they commit or give back;
 * of a frame allocator, those for one frame and those for runs. */
enum meter_row { METER_PLAIN, METER_ONE_PAGE, METER_SPECIAL, METER_ROWS };

/* Counts above the last bucket are in the maximum and the mean, and beyond any percentile. */
#define METER_BUCKETS 4096u

struct meter_histogram {
    uint64_t calls, sum;
    uint32_t max;
    uint32_t buckets[METER_BUCKETS];
};

struct meter_worst {
    uint32_t count, argument;
    uint64_t call; /* how many calls came before it */
};

struct meter {
    bool is_measuring; /* else calls count for the worst one only: a trace's beginning */
    uint64_t calls, total;
    struct meter_histogram histograms[METER_KINDS][METER_ROWS];
    struct meter_worst worst[METER_KINDS][METER_ROWS];
};

extern struct meter meter;
extern uint32_t instruction_count, instruction_saved, instruction_repetitions;

/* Notes a call that took `count` instructions; the argument says which call it was. */
void meter_note(enum meter_kind kind, enum meter_row row, uint32_t count, uint32_t argument);

/* The lines for report.py: one for each kind and row that has calls. */
void meter_print(const char *trace);

/* The calls of an allocator, counted. */
void *meter_alloc(const struct heap_allocator *allocator, size_t bytes);
void meter_free(const struct heap_allocator *allocator, void *object);
void *meter_realloc(const struct heap_allocator *allocator, void *object, size_t bytes);
int meter_frame_alloc(const struct frame_allocator *allocator, unsigned order);
void meter_frame_free(const struct frame_allocator *allocator, int frame, unsigned order);

#endif
