/*
 * Turns the fuzzer's bytes into a machine and a sequence of calls on its heap: right ones, whose
 * objects are stamped, and wrong ones, which must change nothing. At the end all comes back.
 */

#include "tests/fuzz/fuzz.h"
#include "tests/unit/heap_machine.h"

#define STEPS_MAX  400
#define BLOCKS_MAX 64

static struct fuzz_bytes input;

static struct block {
    void *object;
    size_t bytes;
} blocks[BLOCKS_MAX];

/* Mostly small, with a bias to the sizes of classes and pages. */
static size_t take_size(void)
{
    size_t value = (size_t)fuzz_take(&input, 2);
    switch (value % 4) {
    case 0:
        return value / 4 * 64 + 1;
    case 1:
        return (size_t)PAGE_SIZE * (value / 4 % 300);
    default:
        return value / 4 % 5000;
    }
}

static void set(struct block *block, void *object, size_t bytes)
{
    block->object = object;
    block->bytes = object == NULL ? 0 : bytes;
    if (object == NULL)
        return;
    CHECK(ksize(object) >= bytes);
    stamp_write(object, bytes, 1);
}

static void check_stamp(const struct block *block)
{
    if (block->object != NULL)
        CHECK(stamp_is_whole(block->object, block->bytes, 1));
}

static void allocate(struct block *block)
{
    size_t bytes = take_size();
    size_t alignment = (size_t)1 << fuzz_take(&input, 1) % 24;
    void *object = kmalloc_aligned(bytes, alignment);
    CHECK((uintptr_t)object % alignment == 0);
    CHECK(object == NULL || alignment <= HEAP_MAX_ALIGNMENT);
    set(block, object, bytes);
}

static void resize(struct block *block)
{
    size_t bytes = take_size();
    void *object = krealloc(block->object, bytes);
    if (object != NULL || bytes == 0)
        set(block, object, bytes);
}

static bool is_object(uintptr_t address)
{
    for (unsigned i = 0; i < BLOCKS_MAX; i++)
        if (blocks[i].object != NULL && (uintptr_t)blocks[i].object == address)
            return true;
    return false;
}

static uint64_t misuses(void)
{
    struct heap_statistics statistics = machine_statistics();
    uint64_t sum = 0;
    for (unsigned i = 0; i < HEAP_MISUSE_COUNT; i++)
        sum += statistics.misuses[i];
    return sum;
}

static void free_wrongly(uintptr_t address)
{
    uint64_t before = misuses();
    struct heap_statistics statistics = machine_statistics();
    if (address == 0 || is_object(address))
        return;
    kfree((void *)address);
    CHECK_EQUAL(misuses(), before + 1);
    CHECK_EQUAL(machine_statistics().frees, statistics.frees);
    CHECK_EQUAL(ksize((void *)address), 0);
}

static void step(void)
{
    unsigned what = (unsigned)fuzz_take(&input, 1);
    struct block *block = &blocks[fuzz_take(&input, 1) % BLOCKS_MAX];
    check_stamp(block);
    switch (what % 8) {
    case 0:
        free_wrongly((uintptr_t)block->object + fuzz_take(&input, 3));
        break;
    case 1:
        free_wrongly(MAP_HEAP_START + (uintptr_t)fuzz_take(&input, 3) * 16);
        break;
    case 2:
        resize(block);
        break;
    case 3:
        heap_trim();
        break;
    default:
        if (block->object != NULL) {
            kfree(block->object);
            set(block, NULL, 0);
        } else {
            allocate(block);
        }
    }
}

/* Tables that the window needs beyond what RAM could fill are made on the way, and stay. */
static uint32_t free_or_table_frames(void)
{
    return machine_free_frames() + paging_table_frames();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t baseline;
    input = (struct fuzz_bytes){data, size};
    machine_start(256 + (uint32_t)fuzz_take(&input, 1) * 16);
    baseline = free_or_table_frames();
    for (unsigned i = 0; i < STEPS_MAX && input.left > 0; i++)
        step();
    machine_check_is_clean();
    for (unsigned i = 0; i < BLOCKS_MAX; i++) {
        check_stamp(&blocks[i]);
        kfree(blocks[i].object);
        set(&blocks[i], NULL, 0);
    }
    heap_trim();
    machine_check_is_clean();
    CHECK_EQUAL(free_or_table_frames(), baseline);
    return 0;
}
