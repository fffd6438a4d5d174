#include "kernel/memory/pageframe/internal.h"
#include "tests/unit/pageframe_model.h"
#include "tests/unit/test.h"

#define KERNEL BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL)

/* Machines of odd sizes, with holes where machines have them. Those above 2.5 GiB have RAM only
 * around the borders of zones, so that filling them does not take long. */
static const struct machine {
    uint32_t frames;
    frame_t reach;
    unsigned count;
    struct model_region regions[6];
} machines[] = {
    {1, 1, 1, {{0, 1}}},
    {256, 256, 1, {{0, 256}}},
    {300, FRAME_NONE, 2, {{1, 0x9F}, {0x100, 300}}},
    {1023, 1 << 20, 1, {{0, 1023}}},
    {2048, 1 << 20, 2, {{0, 0x9F}, {0x100, 2047}}},
    {4103, 1 << 20, 2, {{0, 0x9F}, {0x100, 4103}}},
    {5000, 4500, 4, {{0, 0x9F}, {0x100, 0x700}, {0x701, 0xF00}, {0xF40, 5000}}},
    {16384, 1 << 20, 2, {{0, 0x9F}, {0x100, 16384}}},
    {65536, 1 << 20, 3, {{0, 0x9F}, {0x100, 0xF00}, {0x1000, 65500}}},
    {0xA0000 + 3001, 1 << 20, 3, {{0, 0x9F}, {0x100, 3000}, {0xA0000 - 5000, 0xA0000 + 3001}}},
    {(1 << 20) + 5003,
     (1 << 20) + 4000,
     4,
     {{0x100, 0x400}, {0x9F000, 0xA0800}, {0xFF000, 0xFF803}, {1 << 20, (1 << 20) + 5003}}},
    {(1 << 21) + 7, FRAME_NONE, 3, {{0x1000, 0x1400}, {1 << 20, 0x101000}, {0x1FF003, 0x200007}}},
};

TEST(pageframe_random_calls_agree_with_the_model)
{
    for (unsigned i = 0; i < ARRAY_COUNT(machines); i++) {
        const struct machine *machine = &machines[i];
        unsigned steps = machine->frames > 100000 ? 1500 : 6000;
        unsigned every = machine->frames > 100000 ? 500 : machine->frames > 5000 ? 60 : 8;
        model_init(machine->frames, machine->reach, machine->regions, machine->count);
        model_compare();
        for (unsigned step = 0; step < steps; step++) {
            model_step(test_random);
            if (step % every == 0)
                model_compare();
        }
        model_compare();
    }
}
