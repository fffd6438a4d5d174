/*
 * Turns the fuzzer's bytes into a machine and a sequence of calls on its frames, each of which is
 * compared with the model of the unit tests.
 */

#include "tests/fuzz/fuzz.h"
#include "tests/unit/pageframe_model.h"
#include "tests/unit/test.h"

#define STEPS_MAX 300

static struct fuzz_bytes input;

static uint32_t next(void)
{
    return (uint32_t)fuzz_take(&input, 3);
}

/* Up to 32 MiB, with one hole, on either side of the border at 16 MiB. */
static void make_machine(void)
{
    uint32_t frames = 1 + next() % 8192;
    frame_t hole = next() % frames, hole_end = hole + next() % 64;
    const struct model_region regions[] = {{0, hole},
                                           {hole_end < frames ? hole_end : frames, frames}};
    frame_t reach = next() % 2 == 0 ? FRAME_NONE : next() % (frames + 1);
    model_init(frames, reach, regions, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = (struct fuzz_bytes){data, size};
    make_machine();
    for (unsigned step = 0; step < STEPS_MAX && input.left > 0; step++)
        model_step(next);
    model_compare();
    return 0;
}
