#include "bench/user/bench.h"

/*
 * What memory calls and page faults take. Only the part between two readings of the clock counts;
 * what is prepared and cleared away does not.
 */

/*
 * Proof of the clock: 1000 where it counts instructions. In one piece, so that between the readings
 * is the same but for the nops.
 */
static ticks_t thousand_nops(uint32_t operations)
{
    uint32_t start, middle, end;
    (void)operations;
    __asm__ volatile("rdtsc\n\tmovl %%eax, %0\n\t.rept 1000\n\tnop\n\t.endr\n\t"
                     "rdtsc\n\tmovl %%eax, %1\n\t.rept 2000\n\tnop\n\t.endr\n\t"
                     "rdtsc"
                     : "=&r"(start), "=&r"(middle), "=&a"(end)
                     :
                     : "edx");
    uint32_t first = middle - start, second = end - middle;
    return second > first ? second - first : 0;
}

/* What one "rep stosl" of a page costs in this emulator. */
static ticks_t repeated_stores(uint32_t operations)
{
    static uint8_t page[PAGE] __attribute__((aligned(4096)));
    write_pages(word(page), 1);
    ticks_t start = now();
    for (uint32_t i = 0; i < operations; i++) {
        uint32_t to = word(page), words = PAGE / 4;
        __asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(0) : "memory");
    }
    return now() - start;
}

static ticks_t null_call(uint32_t operations)
{
    ticks_t start = now();
    while (operations-- > 0)
        call0(SYS_getppid);
    return now() - start;
}

static ticks_t null_call_fast(uint32_t operations)
{
    if (settings.fast_entry == 0)
        return -ENOSYS;
    ticks_t start = now();
    while (operations-- > 0) {
        uint32_t result = SYS_getppid;
        __asm__ volatile("call *%1" : "+a"(result) : "m"(settings.fast_entry) : "memory", "cc");
    }
    return now() - start;
}

static ticks_t write_faults(uint32_t pages)
{
    uint32_t area = map_small_pages(pages * PAGE);
    REQUIRE(area);
    ticks_t start = now();
    write_pages(area, pages);
    ticks_t took = now() - start;
    unmap(area, pages * PAGE);
    return took;
}

static ticks_t read_faults(uint32_t pages)
{
    uint32_t area = map_small_pages(pages * PAGE);
    REQUIRE(area);
    ticks_t start = now();
    read_pages(area, pages);
    ticks_t took = now() - start;
    unmap(area, pages * PAGE);
    return took;
}

static ticks_t write_faults_huge(uint32_t pages)
{
    uint32_t area = map_anonymous(pages * PAGE, MAP_PRIVATE);
    REQUIRE(area);
    call3(SYS_madvise, area, pages * PAGE, MADV_HUGEPAGE);
    ticks_t start = now();
    write_pages(area, pages);
    ticks_t took = now() - start;
    unmap(area, pages * PAGE);
    return took;
}

static ticks_t unmap_touched(uint32_t pages)
{
    uint32_t area = map_small_pages(pages * PAGE);
    REQUIRE(area);
    write_pages(area, pages);
    ticks_t start = now();
    unmap(area, pages * PAGE);
    return now() - start;
}

static ticks_t give_pages_up(uint32_t pages)
{
    uint32_t area = map_small_pages(pages * PAGE);
    REQUIRE(area);
    write_pages(area, pages);
    ticks_t start = now();
    uint32_t result = call3(SYS_madvise, area, pages * PAGE, MADV_DONTNEED);
    ticks_t took = now() - start;
    unmap(area, pages * PAGE);
    REQUIRE(result);
    return took;
}

static ticks_t populate(uint32_t pages)
{
    ticks_t start = now();
    uint32_t area = map_anonymous(pages * PAGE, MAP_PRIVATE | MAP_POPULATE);
    ticks_t took = now() - start;
    REQUIRE(area);
    unmap(area, pages * PAGE);
    return took;
}

#define SPARSE_SHIFT 22

/* One page in each 4 MiB: every fault needs a page table, too. */
static ticks_t sparse_faults(uint32_t pages)
{
    uint32_t bytes = pages << SPARSE_SHIFT;
    uint32_t area = map_anonymous(bytes, MAP_PRIVATE | MAP_NORESERVE);
    REQUIRE(area);
    call3(SYS_madvise, area, bytes, MADV_NOHUGEPAGE);
    ticks_t start = now();
    for (uint32_t i = 0; i < pages; i++)
        write_byte(area + (i << SPARSE_SHIFT));
    ticks_t took = now() - start;
    unmap(area, bytes);
    return took;
}

/* The child writes each page that its parent wrote: every one is copied. It tells what it took by a
 * pipe. */
static ticks_t copies_in_child(uint32_t pages)
{
    uint32_t ends[2], area = map_small_pages(pages * PAGE);
    ticks_t took = -EIO;
    REQUIRE(area);
    REQUIRE(call1(SYS_pipe, word(ends)));
    write_pages(area, pages);
    uint32_t child = call0(SYS_fork);
    REQUIRE(child);
    if (child == 0) {
        took = now();
        write_pages(area, pages);
        took = now() - took;
        call3(SYS_write, ends[1], word(&took), sizeof took);
        exit_with(0);
    }
    if (call3(SYS_read, ends[0], word(&took), sizeof took) != sizeof took)
        took = -EIO;
    has_ended_well(child);
    call1(SYS_close, ends[0]);
    call1(SYS_close, ends[1]);
    unmap(area, pages * PAGE);
    return took;
}

/* The parent writes them again when the child has gone: it is the last owner. */
static ticks_t last_owner(uint32_t pages)
{
    uint32_t area = map_small_pages(pages * PAGE);
    REQUIRE(area);
    write_pages(area, pages);
    uint32_t child = call0(SYS_fork);
    REQUIRE(child);
    if (child == 0)
        exit_with(0);
    has_ended_well(child);
    ticks_t start = now();
    write_pages(area, pages);
    ticks_t took = now() - start;
    unmap(area, pages * PAGE);
    return took;
}

enum touching { UNTOUCHED, TOUCHED };

static inline ticks_t map_and_unmap(uint32_t operations, uint32_t pages, enum touching touching)
{
    ticks_t start = now();
    while (operations-- > 0) {
        uint32_t area = map_anonymous(pages * PAGE, MAP_PRIVATE);
        REQUIRE(area);
        if (touching == TOUCHED)
            write_pages(area, pages);
        unmap(area, pages * PAGE);
    }
    return now() - start;
}

static ticks_t map_one(uint32_t operations)
{
    return map_and_unmap(operations, 1, UNTOUCHED);
}

static ticks_t map_and_touch_one(uint32_t operations)
{
    return map_and_unmap(operations, 1, TOUCHED);
}

static ticks_t map_and_touch_256(uint32_t operations)
{
    return map_and_unmap(operations, 256, TOUCHED);
}

static ticks_t map_file_page(uint32_t operations)
{
    uint32_t file = call3(SYS_open, word(settings.path), 0, 0);
    REQUIRE(file);
    ticks_t start = now();
    while (operations-- > 0) {
        uint32_t area = call6(SYS_mmap2, 0, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
        if (is_error(area)) {
            call1(SYS_close, file);
            return (int32_t)area;
        }
        read_pages(area, 1);
        unmap(area, PAGE);
    }
    ticks_t took = now() - start;
    call1(SYS_close, file);
    return took;
}

static ticks_t flip_protection(uint32_t operations)
{
    uint32_t area = map_small_pages(PAGE);
    REQUIRE(area);
    write_pages(area, 1);
    REQUIRE(call3(SYS_mprotect, area, PAGE, PROT_READ));
    REQUIRE(call3(SYS_mprotect, area, PAGE, READ_WRITE));
    ticks_t start = now();
    for (uint32_t i = 0; i < operations; i++)
        call3(SYS_mprotect, area, PAGE, i % 2 == 1 ? READ_WRITE : PROT_READ);
    ticks_t took = now() - start;
    unmap(area, PAGE);
    return took;
}

/* Doubling a touched region, as realloc does. The inaccessible page right above it makes it move.
 */
static ticks_t move_and_double(uint32_t operations)
{
    ticks_t took = 0;
    while (operations-- > 0) {
        uint32_t area = map_small_pages(257 * PAGE);
        REQUIRE(area);
        REQUIRE(call3(SYS_mprotect, area + 256 * PAGE, PAGE, 0));
        write_pages(area, 256);
        ticks_t start = now();
        uint32_t moved = call6(SYS_mremap, area, 256 * PAGE, 512 * PAGE, MREMAP_MAYMOVE, 0, 0);
        took += now() - start;
        unmap(area, 257 * PAGE);
        REQUIRE(moved);
        if (moved == area || *(volatile uint8_t *)(moved + 255 * PAGE) != 1)
            return -EINVAL;
        unmap(moved, 512 * PAGE);
    }
    return took;
}

#define MANY_PAGES 2000

/* A region of a thousand areas: every second page has other rights. 0, or an error number. */
static uint32_t map_many_areas(void)
{
    uint32_t region = map_anonymous(MANY_PAGES * PAGE, MAP_PRIVATE);
    if (is_error(region))
        return region;
    for (uint32_t page = 0; page < MANY_PAGES; page += 2) {
        uint32_t result = call3(SYS_mprotect, region + page * PAGE, PAGE, PROT_READ);
        if (is_error(result)) {
            unmap(region, MANY_PAGES * PAGE);
            return result;
        }
    }
    return region;
}

static ticks_t map_among_many(uint32_t operations)
{
    uint32_t region = map_many_areas();
    REQUIRE(region);
    ticks_t took = map_and_unmap(operations, 1, UNTOUCHED);
    unmap(region, MANY_PAGES * PAGE);
    return took;
}

static ticks_t fault_among_many(uint32_t operations)
{
    uint32_t region = map_many_areas();
    REQUIRE(region);
    ticks_t start = now();
    for (uint32_t i = 0; i < operations; i++)
        write_byte(region + (2 * i + 1) * PAGE);
    ticks_t took = now() - start;
    unmap(region, MANY_PAGES * PAGE);
    return took;
}

static inline ticks_t grow_and_shrink(uint32_t operations, uint32_t pages, enum touching touching)
{
    uint32_t start_of_heap = (call1(SYS_brk, 0) + PAGE - 1) & ~(PAGE - 1);
    uint32_t end = start_of_heap + pages * PAGE;
    if (call1(SYS_brk, start_of_heap) != start_of_heap)
        return -ENOMEM;
    ticks_t start = now();
    for (uint32_t i = 0; i < operations; i++) {
        if (call1(SYS_brk, end) != end)
            return -ENOMEM;
        if (touching == TOUCHED)
            write_pages(start_of_heap, pages);
        call1(SYS_brk, start_of_heap);
    }
    return now() - start;
}

static ticks_t break_by_one(uint32_t operations)
{
    return grow_and_shrink(operations, 1, UNTOUCHED);
}

static ticks_t break_and_touch_64(uint32_t operations)
{
    return grow_and_shrink(operations, 64, TOUCHED);
}

const struct benchmark memory_benchmarks[] = {
    {"tsc_1000nop", thousand_nops, 1, 0},
    {"cal_rep_stosl_4k", repeated_stores, 100, 0},
    {"syscall_null", null_call, 2000, 0},
    {"syscall_null_vdso", null_call_fast, 2000, 0},
    {"fault_anon_write", write_faults, 0, 0},
    {"fault_anon_read", read_faults, 0, 0},
    {"fault_anon_write_thp_per_4k", write_faults_huge, 0, 0},
    {"fault_sparse_4m", sparse_faults, 64, 768},
    {"populate_per_page", populate, 0, 0},
    {"munmap_per_touched_page", unmap_touched, 0, 0},
    {"dontneed_per_page", give_pages_up, 0, 0},
    {"cow_fault_child_copy", copies_in_child, 4096, 33 << 10},
    {"cow_fault_parent_reuse", last_owner, 4096, 17 << 10},
    {"mmap_munmap_1p", map_one, 1000, 0},
    {"mmap_touch_munmap_1p", map_and_touch_one, 1000, 0},
    {"mmap_touch_munmap_256p", map_and_touch_256, 20, 1 << 10},
    {"mmap_file_touch_munmap_1p", map_file_page, 500, 0},
    {"mprotect_flip_1p", flip_protection, 1000, 0},
    {"mremap_move_256p_to_512p", move_and_double, 20, 3 << 10},
    {"mmap_munmap_1p_1000areas", map_among_many, 1000, 1 << 10},
    {"fault_anon_write_1000areas", fault_among_many, 1000, 5 << 10},
    {"brk_grow_shrink_1p", break_by_one, 1000, 0},
    {"brk_touch_shrink_64p", break_and_touch_64, 50, 512},
};
const uint32_t memory_benchmark_count = sizeof memory_benchmarks / sizeof memory_benchmarks[0];
