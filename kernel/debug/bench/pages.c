#include "kernel/debug/bench/internal.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/include/panic.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/paging/paging.h"

/*
 * Mapping, in user space's row of the kernel's own address space. The frames are the 512 that the
 * workout keeps for this.
 *
 * Page tables stay where they were once needed. So a call that needs one can be measured once for
 * each 2 MiB of the row, and is measured a few times only.
 */
#define LARGE_PAGES     (PAGE_LARGE_SIZE / PAGE_SIZE)
#define PAGES_MEASURED  512u
#define RANGES_MEASURED 200u
#define RANGES_STEPPED  2u
#define TABLES_MEASURED 2u
#define TABLES_STEPPED  1u
#define RIGHTS          (PAGING_USER | PAGING_WRITE)
#define OTHER_RIGHTS    PAGING_USER
#define SPACE           ((uint32_t)(uintptr_t)&paging_kernel)

enum slot_kind { SLOT_EMPTY, SLOT_TABLE };

/* 2 MiB of the row in which nothing is mapped, with or without a table; 0: there are none. */
static uint32_t find_slot(enum slot_kind kind)
{
    for (uint32_t slot = MAP_USER_START; slot < MAP_USER_END; slot += PAGE_LARGE_SIZE) {
        bool has_table = paging_walk(&paging_kernel, slot).levels == 3;
        bool is_used = false;
        for (uint32_t page = 0; page < LARGE_PAGES && !is_used; page++)
            is_used = paging_query(&paging_kernel, slot + page * PAGE_SIZE).present;
        if (!is_used && has_table == (kind == SLOT_TABLE))
            return slot;
    }
    return 0;
}

static void must_be(const struct bench_call *call, uint32_t expected)
{
    if (call->result != expected)
        panic("bench: mapping returns 0x%x, not 0x%x", call->result, expected);
}

static void map(enum bench_line line, uint32_t address, uint32_t at, uint32_t pages, uint32_t flags)
{
    struct bench_call call = {
        BENCH_FUNCTION(paging_map),
        .arguments = {SPACE, address, bench_storage.block + at, pages, flags}};
    bench_measure(line, &call);
    must_be(&call, 0);
}

static void protect(enum bench_line line, uint32_t address, uint32_t pages, uint32_t flags)
{
    struct bench_call call = {.function = BENCH_FUNCTION(paging_protect),
                              .arguments = {SPACE, address, pages, flags}};
    bench_measure(line, &call);
    must_be(&call, 0);
}

static void unmap(enum bench_line line, uint32_t address, uint32_t pages)
{
    struct bench_call call = {.function = BENCH_FUNCTION(paging_unmap),
                              .arguments = {SPACE, address, pages}};
    bench_measure(line, &call);
    must_be(&call, 0);
}

/* paging_query returns a structure: where it goes is a hidden first argument. */
static void query(enum bench_line line, uint32_t address, bool present)
{
    struct paging_translation translation;
    struct bench_call call = {.function = BENCH_FUNCTION(paging_query),
                              .arguments = {(uint32_t)(uintptr_t)&translation, SPACE, address}};
    bench_measure(line, &call);
    if (translation.present != present)
        panic("bench: the page at 0x%x is not as it was left", address);
}

static void measure_single(uint32_t address, uint32_t at)
{
    frame_t frame = bench_storage.block + at;
    struct bench_call one = {.function = BENCH_FUNCTION(paging_map_page),
                             .arguments = {SPACE, address, frame, RIGHTS}};
    struct bench_call back = {.function = BENCH_FUNCTION(paging_unmap_page),
                              .arguments = {SPACE, address}};
    bench_measure(BENCH_PAGE_MAP_ONE, &one);
    must_be(&one, 0);
    query(BENCH_QUERY_SMALL, address, true);
    bench_measure(BENCH_PAGE_UNMAP_ONE, &back);
    must_be(&back, frame);
    query(BENCH_QUERY_NONE, address, false);
    map(BENCH_PAGE_MAP, address, at, 1, RIGHTS);
    protect(BENCH_PAGE_PROTECT, address, 1, OTHER_RIGHTS);
    unmap(BENCH_PAGE_UNMAP, address, 1);
}

static void measure_range(uint32_t slot)
{
    map(BENCH_PAGES_MAP_2M, slot, 0, LARGE_PAGES, RIGHTS | PAGING_SMALL);
    protect(BENCH_PAGES_PROTECT_2M, slot, LARGE_PAGES, OTHER_RIGHTS);
    unmap(BENCH_PAGES_UNMAP_2M, slot, LARGE_PAGES);
}

static void measure_large(uint32_t slot)
{
    map(BENCH_LARGE_MAP, slot, 0, LARGE_PAGES, RIGHTS);
    query(BENCH_QUERY_LARGE, slot + bench_random(LARGE_PAGES) * PAGE_SIZE, true);
    protect(BENCH_LARGE_PROTECT, slot, LARGE_PAGES, OTHER_RIGHTS);
    unmap(BENCH_LARGE_UNMAP, slot, LARGE_PAGES);
}

static void measure_view(void)
{
    struct bench_call map_call = {.function = BENCH_FUNCTION(paging_map_temporary),
                                  .arguments = {bench_storage.block, 1, PAGING_WRITE}};
    struct bench_call unmap_call = {.function = BENCH_FUNCTION(paging_unmap_temporary),
                                    .arguments = {0, 1}};
    unmap_call.arguments[0] = bench_measure(BENCH_VIEW_MAP, &map_call);
    if (map_call.result == 0)
        panic("bench: the frame 0x%x cannot be viewed", bench_storage.block);
    bench_measure(BENCH_VIEW_UNMAP, &unmap_call);
}

/* What needs a new table. */
static void measure_tables(void)
{
    uint32_t repeats = bench_way == BENCH_STEP ? TABLES_STEPPED : TABLES_MEASURED;
    for (uint32_t i = 0, slot; i < repeats && (slot = find_slot(SLOT_EMPTY)) != 0; i++) {
        map(BENCH_PAGE_MAP_TABLE, slot, 0, 1, RIGHTS);
        if (paging_unmap_page(&paging_kernel, slot) == FRAME_NONE)
            panic("bench: the page at 0x%x is gone", slot);
    }
    for (uint32_t i = 0, slot; i < repeats && (slot = find_slot(SLOT_EMPTY)) != 0; i++) {
        if (paging_map(&paging_kernel, slot, bench_storage.block, LARGE_PAGES, RIGHTS) != 0)
            return;
        protect(BENCH_LARGE_SPLIT, slot, 1, OTHER_RIGHTS);
        if (paging_unmap(&paging_kernel, slot, LARGE_PAGES) != 0)
            panic("bench: the pages at 0x%x are gone", slot);
    }
}

void bench_pages(void)
{
    if (bench_storage.block == FRAME_NONE) {
        monitor_print("bench: no 512 aligned frames in a row: nothing is mapped\n");
        return;
    }
    measure_tables();
    uint32_t slot = find_slot(SLOT_TABLE), large = find_slot(SLOT_EMPTY);
    uint32_t ranges = bench_way == BENCH_STEP ? RANGES_STEPPED : RANGES_MEASURED;
    for (uint32_t i = 0; i < PAGES_MEASURED && slot != 0; i++)
        measure_single(slot + bench_random(LARGE_PAGES) * PAGE_SIZE, bench_random(LARGE_PAGES));
    for (uint32_t i = 0; i < ranges && slot != 0; i++)
        measure_range(slot);
    for (uint32_t i = 0; i < RANGES_MEASURED; i++) {
        if (large != 0)
            measure_large(large);
        measure_view();
    }
}
