#ifndef KERNEL_DEBUG_BENCH_INTERNAL_H
#define KERNEL_DEBUG_BENCH_INTERNAL_H

#include "kernel/include/types.h"

/*
 * What the files of the measuring code share.
 *
 * Every measured call goes through bench_call, one at a time, in one of two ways:
 *
 * - BENCH_COUNT: between two readings of the time-stamp counter, with interrupts off, so that no
 *   interrupt falls into it. In an emulator that lets the counter advance by one an instruction,
 *   the difference is the number of instructions. What an empty function takes is subtracted, so
 *   that a figure is the instructions from the first of the function to its `ret`, both included.
 *
 * - BENCH_STEP: with the trap flag set and interrupts on, as callers have it. The processor traps
 *   after every instruction, and the trap counts those of them that run with interrupts off, in one
 *   stretch: `off`. The code that runs is the kernel's own, not an instrumented one. Interrupts
 *   that come meanwhile clear the flag themselves and are not counted. All traps together are the
 *   instructions of the call: where the other way counts instructions, too, both go into the same
 *   figures.
 */
enum bench_way { BENCH_COUNT, BENCH_STEP };
extern enum bench_way bench_way;

/* LINE(identifier, name): what is measured, in the order of the tables. */
#define BENCH_LINES(LINE)                                                                          \
    LINE(FRAME_ALLOC, "frame-alloc")                                                               \
    LINE(FRAME_FREE, "frame-free")                                                                 \
    LINE(FRAME_ALLOC_DIRECT, "frame-alloc-direct")                                                 \
    LINE(FRAME_ALLOC_16M, "frame-alloc-16m")                                                       \
    LINE(FRAME_ALLOC_ZEROED, "frame-alloc-zeroed")                                                 \
    LINE(FRAME_ALLOC_CLEARED, "frame-alloc-cleared")                                               \
    LINE(FRAME_ZERO_ONE, "frame-zero-one")                                                         \
    LINE(FRAME_REFERENCE, "frame-reference")                                                       \
    LINE(FRAME_RELEASE, "frame-release")                                                           \
    LINE(FRAME_LOCK, "frame-lock")                                                                 \
    LINE(FRAME_UNLOCK, "frame-unlock")                                                             \
    LINE(FRAME_STATISTICS, "frame-statistics")                                                     \
    LINE(RUN_ALLOC_2, "run-alloc-2")                                                               \
    LINE(RUN_ALLOC_8, "run-alloc-8")                                                               \
    LINE(RUN_ALLOC_64, "run-alloc-64")                                                             \
    LINE(RUN_ALLOC_512, "run-alloc-512")                                                           \
    LINE(RUN_FREE_2, "run-free-2")                                                                 \
    LINE(RUN_FREE_8, "run-free-8")                                                                 \
    LINE(RUN_FREE_64, "run-free-64")                                                               \
    LINE(RUN_FREE_512, "run-free-512")                                                             \
    LINE(RUN_NONE, "run-none")                                                                     \
    LINE(KMALLOC_16, "kmalloc-16")                                                                 \
    LINE(KMALLOC_64, "kmalloc-64")                                                                 \
    LINE(KMALLOC_256, "kmalloc-256")                                                               \
    LINE(KMALLOC_2048, "kmalloc-2048")                                                             \
    LINE(KMALLOC_64K, "kmalloc-64k")                                                               \
    LINE(KMALLOC_COMMIT, "kmalloc-commit")                                                         \
    LINE(KMALLOC_COMMIT_EACH, "kmalloc-commit-each")                                               \
    LINE(KMALLOC_64K_COMMIT_EACH, "kmalloc-64k-commit-each")                                       \
    LINE(KFREE_16, "kfree-16")                                                                     \
    LINE(KFREE_64, "kfree-64")                                                                     \
    LINE(KFREE_256, "kfree-256")                                                                   \
    LINE(KFREE_2048, "kfree-2048")                                                                 \
    LINE(KFREE_64K, "kfree-64k")                                                                   \
    LINE(KFREE_GIVE_BACK, "kfree-give-back")                                                       \
    LINE(KFREE_GIVE_BACK_EACH, "kfree-give-back-each")                                             \
    LINE(KFREE_64K_GIVE_BACK_EACH, "kfree-64k-give-back-each")                                     \
    LINE(HEAP_STATISTICS, "heap-statistics")                                                       \
    LINE(PAGE_MAP_ONE, "page-map-one")                                                             \
    LINE(PAGE_UNMAP_ONE, "page-unmap-one")                                                         \
    LINE(PAGE_MAP, "page-map")                                                                     \
    LINE(PAGE_PROTECT, "page-protect")                                                             \
    LINE(PAGE_UNMAP, "page-unmap")                                                                 \
    LINE(PAGE_MAP_TABLE, "page-map-table")                                                         \
    LINE(PAGES_MAP_2M, "pages-map-2m")                                                             \
    LINE(PAGES_PROTECT_2M, "pages-protect-2m")                                                     \
    LINE(PAGES_UNMAP_2M, "pages-unmap-2m")                                                         \
    LINE(LARGE_MAP, "large-map")                                                                   \
    LINE(LARGE_PROTECT, "large-protect")                                                           \
    LINE(LARGE_UNMAP, "large-unmap")                                                               \
    LINE(LARGE_SPLIT, "large-split")                                                               \
    LINE(QUERY_SMALL, "query-small")                                                               \
    LINE(QUERY_LARGE, "query-large")                                                               \
    LINE(QUERY_NONE, "query-none")                                                                 \
    LINE(VIEW_MAP, "view-map")                                                                     \
    LINE(VIEW_UNMAP, "view-unmap")                                                                 \
    LINE(INTERRUPT_TIMER, "interrupt-timer")                                                       \
    LINE(INTERRUPT_TIMER_DUE, "interrupt-timer-due")                                               \
    LINE(INTERRUPT_SERIAL, "interrupt-serial-16")                                                  \
    LINE(WAIT_ADD, "wait-add-64")                                                                  \
    LINE(WAIT_WAKE_ALL, "wait-wake-all-65")                                                        \
    LINE(LOG_LINE, "log-line")                                                                     \
    LINE(MEMORY_CHECK, "memory-check")

enum bench_line {
#define BENCH_LINE_INDEX(identifier, name) BENCH_##identifier,
    BENCH_LINES(BENCH_LINE_INDEX)
#undef BENCH_LINE_INDEX
        BENCH_LINE_COUNT
};

/* ---- count.c ---- */

#define BENCH_ARGUMENTS_MAX 6

/* A call and what became of it. call.S knows the order. */
struct bench_call {
    uint32_t function;
    uint32_t arguments[BENCH_ARGUMENTS_MAX];
    uint32_t result;
    uint64_t cost; /* ticks, or instructions when stepping */
    uint32_t off;  /* stepping: the longest stretch of instructions with interrupts off */
};

/* The address of a function, for struct bench_call. */
#define BENCH_FUNCTION(name) ((uint32_t)(uintptr_t)(name))

/* Learns what measuring itself costs, and whether it is exact. False after a sentence: this machine
 * cannot measure. */
bool bench_calibrate(void);
/* Whether a tick of the counter is an instruction, and whether the trap flag works. */
bool bench_is_exact(void);
bool bench_can_step(void);

/* Makes the call, in the current way. The result is in `result` and returned. */
uint32_t bench_make(struct bench_call *call);

/* Between these two, calls are made in BENCH_STEP's way. */
void bench_step_begin(void);
void bench_step_end(void);

/* Reads the time-stamp counter. */
static inline uint64_t bench_ticks(void)
{
    uint64_t ticks;
    __asm__ volatile("rdtsc" : "=A"(ticks) : : "memory");
    return ticks;
}

/* ---- call.S ---- */

void bench_call_counted(struct bench_call *call);
void bench_call_stepped(struct bench_call *call);
void bench_nothing(void);
void bench_nops(void);       /* BENCH_NOPS of them and a `ret` */
void bench_masked(void);     /* the same between CLI and POPF */
void bench_strings(void);    /* a REP of BENCH_REPEATS rounds, and five instructions more */
void bench_loop(void);       /* `mov`, BENCH_ROUNDS rounds of two instructions, and a `ret` */
void bench_step_entry(void); /* the debug exception's handler while stepping */
extern uint32_t bench_steps; /* traps since it was set to 0 */
extern uint32_t bench_off;   /* the stretch with interrupts off that goes on */
extern uint32_t bench_off_longest;

/* ---- results.c ---- */

void bench_results_clear(void);
/* Enters a call that was made. */
void bench_record(enum bench_line line, const struct bench_call *call);
/* A table of the lines that have a call, each named STATE/LINE. */
void bench_results_print(const char *state);
/* The longest stretch of all that was printed. */
void bench_longest_print(void);

/* bench_make and bench_record for the usual case. */
uint32_t bench_measure(enum bench_line line, struct bench_call *call);

/* ---- workout.c ---- */

#define BENCH_SCRATCH 16384u

/* Some of the machine's memory, in the hands of the measuring code. */
struct bench_storage {
    uint32_t *scratch; /* BENCH_SCRATCH words, for who needs a list for a while */
    frame_t block;     /* 512 frames, aligned to as many, for 2 MiB pages; FRAME_NONE: none */
};
extern struct bench_storage bench_storage;

/* False after a sentence: there is not enough memory to work with. */
bool bench_workout_begin(void);
/* Allocates and frees runs and objects at random until `percent` of what was free at the beginning
 * is in use. */
void bench_workout(unsigned percent);
/* Gives everything back. */
void bench_workout_end(void);

/* Exchanges up to `count` single frames that the workout holds: some random ones are freed, then as
 * many allocated. */
void bench_workout_exchange(uint32_t count);

uint32_t bench_random(uint32_t limit); /* 0 <= it < limit */
void bench_shuffle(uint32_t *words, uint32_t count);
uint32_t bench_free_frames(void);

/* ---- the groups ---- */

void bench_frames(void);
void bench_runs(void);
void bench_heap(void);
void bench_pages(void);
void bench_interrupts(void);
void bench_others(void);

#endif
