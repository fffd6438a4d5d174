#include "kernel/include/types.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/system.h"
#include "kernel/sanitizer/sanitizer.h"
#include "tests/kernel/selftest.h"
#include "tests/model/model.h"
#include "tests/model/records.h"

/* The running kernel's memory core in lockstep with its model (tests/model). */

#pragma weak sanitizer_shadow_frames /* other kernels have none: NULL */

#define CALLS    4000u
#define COMPARED 400u

/* At the end all is given back, whatever was found. */
static void finish(const char *what, const char *fault, unsigned number)
{
    const char *last = fault == NULL ? model_compare(memory_check) : fault;
    const char *left = model_end();
    if (last == NULL)
        last = left;
    if (last != NULL)
        selftest_fail(__FILE__, __LINE__, "%s, call %u: %s", what, number, last);
}

KERNEL_TEST(random_calls_follow_the_model)
{
    const char *fault = NULL;
    unsigned i = 0;
    model_begin(MAP_USER_START, sanitizer_shadow_frames);
    for (; i < CALLS && fault == NULL; i++) {
        struct model_call call = model_random_call(selftest_random);
        fault = model_run(&call, NULL);
        if (fault == NULL && i % COMPARED == 0)
            fault = model_compare(memory_check);
    }
    finish("random", fault, i);
    SELFTEST_CHECK(memory_check(NULL) == 0);
}

KERNEL_TEST(recorded_calls_follow_the_model)
{
    for (const struct model_record *record = model_records; record->name != NULL; record++) {
        const char *fault = NULL, *at = record->text;
        struct model_call call;
        unsigned calls = 0;
        model_begin(MAP_USER_START, sanitizer_shadow_frames);
        while (fault == NULL && (at = model_parse(at, record->end, &call)) != NULL) {
            fault = model_run(&call, NULL);
            calls++;
        }
        if (fault == NULL && calls == 0)
            fault = "the record is empty";
        finish(record->name, fault, calls);
    }
    SELFTEST_CHECK(memory_check(NULL) == 0);
}
