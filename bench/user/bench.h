#ifndef BENCH_USER_BENCH_H
#define BENCH_USER_BENCH_H

#include "bench/user/system.h"

/* One line of the output. run does `operations` of it and returns what they took together. */
struct benchmark {
    const char *name;
    ticks_t (*run)(uint32_t operations);
    uint32_t operations; // 0: as many as the large region has pages
    uint32_t memory_kib; // that it needs, where operations is not 0
};

extern const struct benchmark memory_benchmarks[], process_benchmarks[];
extern const uint32_t memory_benchmark_count, process_benchmark_count;

/* What the command line and the kernel said. */
extern struct settings {
    uint32_t region_mib, repetitions;
    const char *only, *skip; // parts of names
    const char *path;        // of this program, for execve
    uint32_t fast_entry;     // AT_SYSINFO: the vDSO's way into the kernel, or 0
    bool at_once;            // each line is written at once
} settings;

/* Printing. Lines are kept and written at the end, so that a console does not disturb what is
 * measured. */
void print_text(const char *text);
void print_number(uint64_t number);
void print_tenths(uint64_t tenths); /* "12.5", and "12" for 12.0 */
void print_line_end(void);
void print_result(const char *name, uint64_t number, const char *unit); /* a whole line */
void print_flush(void);

/* Texts. */
const char *value_of(const char *argument, const char *key); /* what follows the key, or NULL */
uint32_t number_in(const char *text);
bool has_part(const char *text, const char *part);

/* What of memory things take. */
struct memory {
    uint32_t total_kib, free_kib; // both 0 if the kernel does not say
};

struct memory memory_now(void);
void print_memory_information(void); /* each line of /proc/meminfo, which is mounted first */
void measure_memory_use(void);

#endif
