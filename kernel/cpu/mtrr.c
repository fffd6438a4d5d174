#include "kernel/cpu/mtrr.h"

#include "kernel/cpu/cache.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/mtrr_plan.h"
#include "kernel/cpu/registers.h"
#include "kernel/include/errors.h"

#define CAPABILITY_COUNT     0xFFu
#define CAPABILITY_COMBINING (1u << 10)
#define DEFAULT_ON           (1u << 11)

/* How many registers can be used here; 0: none. */
static unsigned register_count(void)
{
    if (!cpu_has(CPU_MTRR))
        return 0;
    uint32_t capability = (uint32_t)read_msr(MSR_MTRR_CAPABILITY);
    unsigned count = capability & CAPABILITY_COUNT;
    if (!(capability & CAPABILITY_COMBINING) || !(read_msr(MSR_MTRR_DEFAULT) & DEFAULT_ON))
        return 0;
    return count < MTRR_BLOCKS_MAX ? count : MTRR_BLOCKS_MAX;
}

static struct mtrr_block read_block(unsigned index)
{
    return mtrr_block_read(read_msr(MSR_MTRR_BASE_0 + 2 * index),
                           read_msr(MSR_MTRR_MASK_0 + 2 * index), cpu_description()->physical_bits);
}

static void write_block(unsigned index, const struct mtrr_block *block)
{
    uint64_t mask = ((1ull << cpu_description()->physical_bits) - 1) & ~(block->bytes - 1);
    bool is_used = block->bytes != 0;
    write_msr(MSR_MTRR_BASE_0 + 2 * index, is_used ? block->base | block->type : 0);
    write_msr(MSR_MTRR_MASK_0 + 2 * index, is_used ? mask | MTRR_MASK_VALID : 0);
}

static bool is_same(const struct mtrr_block *a, const struct mtrr_block *b)
{
    return a->base == b->base && a->bytes == b->bytes && a->type == b->type;
}

/* The manual's order (Intel SDM 3A, 11.11.7.2, 11.11.8): with the caches off and empty, the
 * registers are switched off, written and switched on again. */
static void write_changed(const struct mtrr_block *before, const struct mtrr_block *after,
                          unsigned count)
{
    struct cache_state saved = cache_stop();
    uint64_t defaults = read_msr(MSR_MTRR_DEFAULT);
    write_msr(MSR_MTRR_DEFAULT, defaults & ~(uint64_t)DEFAULT_ON);
    for (unsigned i = 0; i < count; i++)
        if (!is_same(&before[i], &after[i]))
            write_block(i, &after[i]);
    write_msr(MSR_MTRR_DEFAULT, defaults);
    cache_resume(saved);
}

int mtrr_set_write_combining(paddr_t start, paddr_t end)
{
    struct mtrr_block before[MTRR_BLOCKS_MAX], after[MTRR_BLOCKS_MAX];
    unsigned count = register_count();
    if (count == 0)
        return -ENODEV;
    for (unsigned i = 0; i < count; i++)
        before[i] = after[i] = read_block(i);
    int result = mtrr_plan(after, count, start, end);
    if (result == -EALREADY)
        return 0;
    if (result == 0)
        write_changed(before, after, count);
    return result;
}

/* Uncached wins over write-combining (Intel SDM 3A, 11.11.4.1). */
bool mtrr_is_write_combining(paddr_t address)
{
    bool is_combining = false;
    unsigned count = register_count();
    for (unsigned i = 0; i < count; i++) {
        struct mtrr_block block = read_block(i);
        if (block.bytes == 0 || address < block.base || address - block.base >= block.bytes)
            continue;
        if (block.type != MTRR_WRITE_COMBINING)
            return false;
        is_combining = true;
    }
    return is_combining;
}
