#include "kernel/cpu/mtrr_plan.h"
#include "kernel/include/errors.h"
#include "tests/unit/test.h"

#define MIB   (1ull << 20)
#define COUNT 8u

/* What the registers make of an address: uncached wins; 0xFF where none covers it. */
static unsigned type_of(const struct mtrr_block *blocks, uint64_t address)
{
    unsigned type = 0xFF;
    for (unsigned i = 0; i < COUNT; i++)
        if (blocks[i].bytes != 0 && address >= blocks[i].base &&
            address - blocks[i].base < blocks[i].bytes && type != MTRR_UNCACHED)
            type = blocks[i].type;
    return type;
}

TEST(mtrr_block_is_the_smallest_around_a_range)
{
    static const struct {
        uint64_t start, end, base, bytes;
    } cases[] = {
        {0xFD000000, 0xFD7E9000, 0xFD000000, 8 * MIB},
        {0xE0000000, 0xE0800000, 0xE0000000, 8 * MIB},
        {0xE0000000, 0xE0800001, 0xE0000000, 16 * MIB},
        {0xE0700000, 0xE0900000, 0xE0000000, 16 * MIB},
        {0x1234, 0x1235, 0x1000, 4096},
        {0xFFFFF000, 0x100001000, 0, 8192 * MIB},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct mtrr_block block = mtrr_block_around(cases[i].start, cases[i].end);
        CHECK_EQUAL(block.base, cases[i].base);
        CHECK_EQUAL(block.bytes, cases[i].bytes);
    }
}

TEST(mtrr_registers_are_read_as_they_are_meant)
{
    static const struct {
        uint64_t base, mask;
        unsigned bits;
        struct mtrr_block block;
    } cases[] = {
        {0xE0000000, 0, 36, {0, 0, 0}},
        {0xE0000000, 0xFE0000000, 36, {0, 0, 0}},
        {0xE0000000, 0xFE0000800, 36, {0xE0000000, 512 * MIB, MTRR_UNCACHED}},
        {0xE0000000, 0x0E0000800, 36, {0xE0000000, 512 * MIB, MTRR_UNCACHED}},
        {0xE0000001, 0xFFE0000800, 32, {0xE0000000, 512 * MIB, MTRR_WRITE_COMBINING}},
        {0x00000006, 0xFFC000800, 36, {0, 64 * MIB, MTRR_WRITE_BACK}},
        {0x00001001, 0xFFFFFF800, 36, {0x1000, 4096, MTRR_WRITE_COMBINING}},
        {0xE0000000, 0xFA0000800, 36, {0, 65536 * MIB, MTRR_WRITE_BACK}},
        {0x00000006, 0x000000800, 36, {0, 65536 * MIB, MTRR_WRITE_BACK}},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct mtrr_block block = mtrr_block_read(cases[i].base, cases[i].mask, cases[i].bits);
        CHECK_EQUAL(block.base, cases[i].block.base);
        CHECK_EQUAL(block.bytes, cases[i].block.bytes);
        CHECK_EQUAL(block.type, cases[i].block.type);
    }
}

TEST(mtrr_takes_a_free_register)
{
    struct mtrr_block blocks[COUNT] = {{0, 64 * MIB, MTRR_WRITE_BACK}};
    CHECK_EQUAL(mtrr_plan(blocks, COUNT, 0xFD000000, 0xFD7E9000), 0);
    CHECK_EQUAL(blocks[1].base, 0xFD000000);
    CHECK_EQUAL(blocks[1].bytes, 8 * MIB);
    CHECK_EQUAL(blocks[1].type, MTRR_WRITE_COMBINING);
    CHECK_EQUAL(mtrr_plan(blocks, COUNT, 0xFD000000, 0xFD7E9000), -EALREADY);
    CHECK_EQUAL(blocks[2].bytes, 0);
}

/* As the firmware of emulators, and of many machines, has it. */
TEST(mtrr_cuts_an_uncached_block)
{
    struct mtrr_block blocks[COUNT] = {{0xE0000000, 512 * MIB, MTRR_UNCACHED}};
    CHECK_EQUAL(mtrr_plan(blocks, COUNT, 0xFD000000, 0xFD7E9000), 0);
    for (uint64_t at = 0xDFF00000; at < 0x100100000; at += MIB)
        CHECK_EQUAL(type_of(blocks, at), at < 0xE0000000 || at >= 0x100000000 ? 0xFF
                                         : at >= 0xFD000000 && at < 0xFD800000
                                             ? MTRR_WRITE_COMBINING
                                             : MTRR_UNCACHED);
}

TEST(mtrr_leaves_alone_what_it_cannot_change)
{
    const struct {
        int result;
        struct mtrr_block blocks[COUNT];
    } cases[] = {
        {-EBUSY, {{0, 8192 * MIB, MTRR_WRITE_BACK}}},
        {-EBUSY, {{0xFD000000, 4 * MIB, MTRR_UNCACHED}}},
        {-EBUSY, {{0xE0000000, 512 * MIB, MTRR_UNCACHED}, {0xFC000000, 64 * MIB, MTRR_UNCACHED}}},
        {-ENOSPC, {{0xE0000000, 512 * MIB, MTRR_UNCACHED}, {0, MIB, 6}, {MIB, MIB, 6}}},
        {-ENOSPC,
         {{0, 4096, 6},
          {4096, 4096, 6},
          {8192, 4096, 6},
          {12288, 4096, 6},
          {16384, 4096, 6},
          {20480, 4096, 6},
          {24576, 4096, 6},
          {28672, 4096, 6}}},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct mtrr_block blocks[COUNT];
        memcpy(blocks, cases[i].blocks, sizeof(blocks));
        CHECK_EQUAL(mtrr_plan(blocks, COUNT, 0xFD000000, 0xFD7E9000), cases[i].result);
        CHECK(memcmp(blocks, cases[i].blocks, sizeof(blocks)) == 0);
    }
}

/* Any uncached block, any range in it: either all is as it should be, or nothing has changed. */
TEST(mtrr_random_cuts_change_nothing_else)
{
    for (unsigned round = 0; round < 2000; round++) {
        uint64_t bytes = MIB << test_random_range(0, 8);
        uint64_t base = test_random_range(1, 15) * bytes;
        uint64_t start = base + test_random_range(0, (uint32_t)(bytes / 4096) - 1) * 4096ull;
        uint64_t end =
            start + 4096ull * test_random_range(1, (uint32_t)((base + bytes - start) / 4096));
        struct mtrr_block blocks[COUNT] = {{base, bytes, MTRR_UNCACHED}};
        struct mtrr_block wanted = mtrr_block_around(start, end);
        int result = mtrr_plan(blocks, COUNT, start, end);
        CHECK(result == 0 || result == -ENOSPC);
        CHECK(result == 0 || blocks[0].bytes == bytes);
        for (unsigned probe = 0; probe < 64; probe++) {
            uint64_t at = base + test_random() % bytes;
            bool is_ours = result == 0 && at >= wanted.base && at - wanted.base < wanted.bytes;
            CHECK_EQUAL(type_of(blocks, at), is_ours ? MTRR_WRITE_COMBINING : MTRR_UNCACHED);
        }
    }
}
