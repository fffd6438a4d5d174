#include "tests/model/records.h"

#include <stddef.h>

/* The files as they are. */
#define RECORD(name)                                                                               \
    __asm__(".section .rodata\n"                                                                   \
            ".global record_" #name "\n.global record_" #name "_end\n"                             \
            "record_" #name ":\n\t.incbin \"tests/data/records/" #name ".txt\"\n"                  \
            "record_" #name "_end:\n\t.byte 0\n\t.previous\n");                                    \
    extern const char record_##name[], record_##name##_end[]

RECORD(boot);
RECORD(selftest);
RECORD(bench);

const struct model_record model_records[] = {
    {"boot", record_boot, record_boot_end},
    {"selftest", record_selftest, record_selftest_end},
    {"bench", record_bench, record_bench_end},
    {NULL, NULL, NULL},
};
