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

static const struct model_region plain[] = {{0, 0x9F}, {0x100, 9000}};

static void plain_machine(void)
{
    model_init(9000, FRAME_NONE, plain, ARRAY_COUNT(plain));
}

/* Every frame of a machine is given out once, none twice, and all come back. */
TEST(pageframe_fill_until_empty_and_back)
{
    for (unsigned i = 0; i < ARRAY_COUNT(machines); i++) {
        const struct machine *machine = &machines[i];
        model_init(machine->frames, machine->reach, machine->regions, machine->count);
        uint32_t ram = model_free_frames(), given = 0;
        frame_t *frames = calloc(ram + 1, sizeof(*frames));
        while ((frames[given] = pageframe_alloc(PAGEFRAME_ANYWHERE, KERNEL)) != FRAME_NONE)
            given++;
        CHECK_EQUAL(given, ram);
        CHECK_EQUAL(bytemap_count(BYTEMAP_FREE), 0);
        for (uint32_t left = given; left > 0; left--) {
            uint32_t at = test_random_range(0, left - 1);
            CHECK_EQUAL(pageframe_free(frames[at]), 0);
            frames[at] = frames[left - 1];
        }
        CHECK_EQUAL(bytemap_count(BYTEMAP_FREE), ram);
        struct check check = {0, NULL};
        pageframe_check(&check);
        CHECK_EQUAL(check.faults, 0);
        free(frames);
    }
}

/* Each length at each alignment, on an empty machine and between other runs. */
TEST(pageframe_runs_of_all_lengths_and_alignments)
{
    static const struct model_region large[] = {{0, 0x9F}, {0x100, 150000}};
    for (unsigned round = 0; round < 2; round++) {
        model_init(150000, FRAME_NONE, large, ARRAY_COUNT(large));
        for (unsigned i = 0; round == 1 && i < 300; i++)
            model_alloc_run(1 + test_random() % 40, 1, FRAME_NONE, PAGEFRAME_ANYWHERE, KERNEL);
        for (uint32_t frames = 1; frames <= 65536; frames += 1 + frames / 7)
            for (uint32_t alignment = 1; alignment <= 1024; alignment *= 4) {
                frame_t first =
                    model_alloc_run(frames, alignment, FRAME_NONE, PAGEFRAME_ANYWHERE, KERNEL);
                CHECK(first != FRAME_NONE);
                model_free_run(first, frames / 2);
                model_free_run(first + frames / 2, frames - frames / 2);
            }
        model_compare();
    }
}

TEST(pageframe_runs_obey_limits)
{
    static const uint32_t lengths[] = {1, 2, 5, 32, 33, 700, 1024, 1025, 3000};
    plain_machine();
    for (unsigned i = 0; i < ARRAY_COUNT(lengths); i++)
        for (unsigned step = 0; step < 60; step++)
            model_alloc_run(lengths[i], 1u << test_random() % 11, test_random() % 9200,
                            test_random() % PAGEFRAME_WHERE_COUNT, KERNEL);
    model_compare();
    CHECK_EQUAL(pageframe_alloc_run(1, 1, 0, PAGEFRAME_ANYWHERE, KERNEL), FRAME_NONE);
}

/* The smallest block lies above the limit, and the lowest one in the second area of its zone. */
TEST(pageframe_run_below_a_limit_beyond_8_gib)
{
    static const struct model_region high[] = {{1 << 21, (1 << 21) + 64}};
    model_init((1 << 21) + 64, FRAME_NONE, high, ARRAY_COUNT(high));
    model_take((1 << 21) + 32, 20, KERNEL);
    CHECK_EQUAL(model_alloc_run(4, 1, (1 << 21) + 8, PAGEFRAME_ANYWHERE, KERNEL), 1 << 21);
    CHECK_EQUAL(model_alloc_run(8, 1, (1 << 21) + 8, PAGEFRAME_ANYWHERE, KERNEL), FRAME_NONE);
    model_compare();
}

/* A run is given back that was not given out as one: it crosses a border of zones. */
TEST(pageframe_free_run_across_zones)
{
    plain_machine();
    model_take(0x1000 - 100, 200, KERNEL);
    model_take(0x100, 0x2100 - 0x1000 - 0x100, KERNEL);
    model_compare();
    model_free_run(0x1000 - 100, 200);
    model_free_run(0x100, 0x2100 - 0x1000 - 0x100);
    model_compare();
}

TEST(pageframe_calls_that_make_no_sense_are_refused)
{
    plain_machine();
    frame_t frame = model_alloc(PAGEFRAME_ANYWHERE, KERNEL);
    model_alloc(PAGEFRAME_WHERE_COUNT, KERNEL);
    model_alloc(PAGEFRAME_MUST << 1, KERNEL);
    model_alloc(PAGEFRAME_ANYWHERE, BYTEMAP_FREE);
    model_alloc(PAGEFRAME_ANYWHERE, BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_NONE));
    model_alloc(PAGEFRAME_ANYWHERE, KERNEL | BYTEMAP_LOCKED_BIT);
    model_alloc(PAGEFRAME_ANYWHERE, KERNEL | BYTEMAP_SHARED_BIT);
    model_alloc_zeroed(PAGEFRAME_WHERE_COUNT, KERNEL);
    model_alloc_run(0, 1, FRAME_NONE, PAGEFRAME_ANYWHERE, KERNEL);
    model_alloc_run(65537, 1, FRAME_NONE, PAGEFRAME_ANYWHERE, KERNEL);
    model_alloc_run(1, 0, FRAME_NONE, PAGEFRAME_ANYWHERE, KERNEL);
    model_alloc_run(1, 3, FRAME_NONE, PAGEFRAME_ANYWHERE, KERNEL);
    model_alloc_run(1, 2048, FRAME_NONE, PAGEFRAME_ANYWHERE, KERNEL);
    static const frame_t wrong[] = {0xA0, 9000, FRAME_NONE, 8000}; /* hole, beyond, none, free */
    for (unsigned i = 0; i < ARRAY_COUNT(wrong); i++) {
        model_free(wrong[i]);
        model_release(wrong[i]);
        model_reference(wrong[i]);
        model_lock(wrong[i]);
        model_unlock(wrong[i]);
        model_retag(wrong[i], KERNEL);
        model_free_run(wrong[i], 3);
    }
    model_free_run(frame, 0);
    model_free_run(frame, UINT32_MAX);
    model_take(0x90, 0x20, KERNEL);
    model_take(frame, 1, KERNEL);
    model_take(8000, 1, BYTEMAP_ZEROED);
    model_reserve(0x90, 0x20);
    model_reserve(frame, 1);
    model_unreserve(frame, 1);
    model_retire(frame);
    model_retire(0xA0);
    model_reserve(8000, 2);
    model_retire(8002);
    model_free(8000);
    model_free(8002);
    model_unreserve(8000, 3);
    model_retag(frame, BYTEMAP_FREE);
    model_retag(frame, BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_USER));
    model_compare();
}

TEST(pageframe_references_and_locks_are_counted_to_their_ends)
{
    plain_machine();
    frame_t frame = model_alloc(PAGEFRAME_ANYWHERE, KERNEL);
    for (unsigned i = 0; i < PAGEFRAME_REFERENCES_MAX + 1; i++)
        model_reference(frame);
    for (unsigned i = 0; i < PAGEFRAME_LOCKS_MAX + 2; i++)
        model_lock(frame);
    model_free(frame);
    model_free_run(frame, 1);
    model_compare();
    for (unsigned i = 0; i < PAGEFRAME_REFERENCES_MAX; i++)
        model_release(frame); /* the last one finds it locked */
    model_compare();
    for (unsigned i = 0; i < PAGEFRAME_LOCKS_MAX + 2; i++)
        model_unlock(frame);
    model_release(frame);
    CHECK_EQUAL(bytemap_get(frame), BYTEMAP_FREE);
    model_release(frame);
    model_compare();
}

TEST(pageframe_reserve_is_for_those_who_must)
{
    plain_machine();
    model_set_watermarks(UINT32_MAX, UINT32_MAX);
    model_set_watermarks(100, 300);
    while (model_alloc(PAGEFRAME_ANYWHERE, KERNEL) != FRAME_NONE)
        if (model_free_frames() % 64 < 2)
            model_compare();
    CHECK_EQUAL(model_free_frames(), 100);
    CHECK_EQUAL(pageframe_pressure(), PAGEFRAME_SCARCE);
    CHECK_EQUAL(model_alloc_run(1, 1, FRAME_NONE, PAGEFRAME_ANYWHERE, KERNEL), FRAME_NONE);
    CHECK(!pageframe_zero_one());
    while (model_alloc(PAGEFRAME_ANYWHERE | PAGEFRAME_MUST, KERNEL) != FRAME_NONE)
        continue;
    CHECK_EQUAL(model_free_frames(), 0);
    model_compare();
    for (frame_t frame = 0x100; frame < 0x100 + 250; frame++)
        model_free(frame);
    model_alloc(PAGEFRAME_ANYWHERE, KERNEL);
    CHECK_EQUAL(pageframe_pressure(),
                PAGEFRAME_SCARCE + 0 * model_free_frames() - (model_free_frames() > 100));
    model_compare();
}

TEST(pageframe_zeroes_ahead_and_keeps_it_zero)
{
    plain_machine();
    for (unsigned i = 0; i < PAGEFRAME_ZEROED_MAX + 3; i++)
        model_zero_one();
    CHECK_EQUAL(bytemap_count(BYTEMAP_ZEROED), PAGEFRAME_ZEROED_MAX);
    model_compare();
    for (unsigned i = 0; i < 10; i++)
        model_alloc_zeroed(PAGEFRAME_ANYWHERE, KERNEL);
    CHECK_EQUAL(bytemap_count(BYTEMAP_ZEROED), PAGEFRAME_ZEROED_MAX - 10);
    model_alloc_zeroed(PAGEFRAME_BELOW_1M, KERNEL);
    model_reserve(1000, 1); /* puts them all back */
    CHECK_EQUAL(bytemap_count(BYTEMAP_ZEROED), 0);
    model_zero_one();
    while (model_alloc(PAGEFRAME_ANYWHERE, KERNEL) != FRAME_NONE)
        continue; /* the last one is the zeroed frame */
    CHECK_EQUAL(model_free_frames(), 0);
    model_compare();
}

/* Fill until the first failure, with runs of 2^o frames, o with probability 2^-(o+1), three
 * allocations to a free: hardly anything may be left. */
TEST(pageframe_large_blocks_survive)
{
    static struct {
        frame_t first;
        uint32_t frames;
    } live[65536];
    static const struct model_region all[] = {{0, 65536}};
    model_init(65536, FRAME_NONE, all, 1);
    for (uint32_t count = 0;; count++) {
        uint32_t random = test_random();
        uint32_t frames = 1u << (random < 1u << 22 ? 9 : __builtin_clz(random));
        live[count].frames = frames;
        live[count].first =
            pageframe_alloc_run(frames, frames, FRAME_NONE, PAGEFRAME_ANYWHERE, KERNEL);
        if (live[count].first == FRAME_NONE)
            break;
        if (test_random() % 3 == 0) {
            uint32_t victim = test_random_range(0, count);
            CHECK_EQUAL(pageframe_free_run(live[victim].first, live[victim].frames), 0);
            live[victim] = live[count--];
        }
    }
    CHECK(bytemap_count(BYTEMAP_FREE) < 65536 / 50);
}

/* A piece of what pageframe keeps, for the faults that are planted in it. */
struct piece {
    const char *name;
    void *start;
    size_t bytes;
};

#define PIECE(object)                                                                              \
    {                                                                                              \
#object, &(object), sizeof(object)                                                         \
    }
#define ARRAY_PIECE(p, count)                                                                      \
    {                                                                                              \
#p, p, (count) * sizeof(*(p))                                                              \
    }

static bool is_found(unsigned char *byte, unsigned char change)
{
    struct check check = {0, NULL};
    *byte ^= change;
    bytemap_check(&check);
    pageframe_check(&check);
    *byte ^= change;
    return check.faults != 0;
}

/* A few bytes of each piece, or all, one at a time: each is found, and none stops the check. */
static void plant(const struct piece *piece, unsigned tries)
{
    for (unsigned i = 0; i < tries; i++) {
        size_t at = piece->bytes <= tries ? i % piece->bytes : test_random() % piece->bytes;
        unsigned char change = (unsigned char)(1 + test_random() % 255);
        if (!is_found((unsigned char *)piece->start + at, change))
            test_fail(__FILE__, __LINE__, "%s: byte %zu changed by 0x%02x was not found",
                      piece->name, at, change);
    }
}

TEST(pageframe_check_finds_every_planted_byte)
{
    static const struct model_region regions[] = {{0, 0x9F}, {0x100, 5000}, {5100, 7000}};
    model_init(7000, 6900, regions, ARRAY_COUNT(regions));
    for (unsigned i = 0; i < 4000; i++)
        model_step(test_random);
    model_set_watermarks(0, 0);
    while (model_alloc(PAGEFRAME_ANYWHERE, KERNEL) != FRAME_NONE)
        continue;
    for (frame_t frame = 4200; frame < 4300; frame++)
        model_free(frame);
    for (unsigned i = 0; i < 5; i++)
        model_zero_one();
    model_alloc(PAGEFRAME_ANYWHERE, KERNEL); /* which opens a word */
    for (frame_t frame = 4400; frame < 6800; frame += 40)
        model_free(frame);
    for (frame_t frame = 64; frame < 2000; frame += 3)
        model_free(frame);
    model_alloc(PAGEFRAME_BELOW_1M, KERNEL);
    const struct piece pieces[] = {
        ARRAY_PIECE(bytemap.bytes, 7000),
        PIECE(bytemap.count),
        PIECE(bytemap.budget),
        PIECE(bytemap.freed),
        ARRAY_PIECE(pageframe.references, 7000),
        ARRAY_PIECE(pageframe.busy, pageframe_words(7000)),
        ARRAY_PIECE(pageframe.states, pageframe_words(7000)),
        ARRAY_PIECE(pageframe.groups, pageframe_group_count(7000)),
        ARRAY_PIECE(pageframe.rows, pageframe_row_count(7000)),
        PIECE(bytemap.bytes),
        PIECE(bytemap.frames),
        PIECE(bytemap.seal),
        PIECE(pageframe.turn),
        PIECE(pageframe.other_turn),
        PIECE(pageframe.zeroing),
        PIECE(pageframe.areas[2].word),
        /* All of it, counters and pointers too; where pointers are longer, some bytes are unused.
         */
        {"pageframe", &pageframe, sizeof(void *) == 4 ? sizeof(pageframe) : sizeof(pageframe.open)},
    };
    CHECK(pageframe.open[0].mask != 0 && pageframe.zeroing.ready != 0);
    model_compare();
    for (unsigned i = 0; i < ARRAY_COUNT(pieces); i++)
        plant(&pieces[i], pieces[i].start == &pageframe ? 1500 : 60);
    model_compare();
}
