/*
 * Makes calls of paging from the fuzzer's bytes, on a machine after boot and with an array of all
 * the pages there are beside it. A call that is refused must change nothing; one that succeeds must
 * have done what it was asked for and nothing else, and nothing that the memory map forbids.
 */

#include "tests/fuzz/fuzz.h"
#include "tests/unit/paging_machine.h"

#define PAGES     0x100000u
#define CALLS_MAX 24u

/* What the array says of a page: 0, or the address of its frame, flags and 1. */
static uint64_t model[PAGES];
static uint32_t model_pages;

static uint64_t describe(frame_t frame, uint32_t flags)
{
    return frame_address(frame) | (flags & ~PAGING_SMALL) << 1 | 1;
}

static void model_set(uint32_t page, uint64_t value)
{
    model_pages += (value != 0) - (model[page] != 0);
    model[page] = value;
}

/* What a stretch says of one of its pages. */
static uint64_t describe_in(uint32_t start, uint32_t page, const struct paging_translation *first)
{
    return describe(frame_of(first->physical) + page - start / PAGE_SIZE, first->flags);
}

static bool enter(void *context, uint32_t start, uint64_t end,
                  const struct paging_translation *first)
{
    (void)context;
    for (uint32_t page = start / PAGE_SIZE; page < end / PAGE_SIZE; page++)
        model_set(page, describe_in(start, page, first));
    return true;
}

static bool leave(void *context, uint32_t start, uint64_t end,
                  const struct paging_translation *first)
{
    (void)context;
    (void)first;
    for (uint32_t page = start / PAGE_SIZE; page < end / PAGE_SIZE; page++)
        model_set(page, 0);
    return true;
}

/* Counts the pages of a stretch, and compares each with the array. */
static bool compare(void *context, uint32_t start, uint64_t end,
                    const struct paging_translation *first)
{
    uint32_t *pages = context;
    for (uint32_t page = start / PAGE_SIZE; page < end / PAGE_SIZE; page++, ++*pages)
        CHECK_EQUAL(describe_in(start, page, first), model[page]);
    return true;
}

static void compare_all(void)
{
    uint32_t pages = 0;
    paging_visit(&paging_kernel, compare, &pages);
    CHECK_EQUAL(pages, model_pages);
}

/* What docs/memory-map.md forbids, whatever was asked. */
static bool is_forbidden(uint32_t page, uint32_t flags)
{
    uint64_t address = (uint64_t)page * PAGE_SIZE;
    bool is_user = address >= 0x10000000 && address < 0x30000000;
    bool is_never = address < 0x6000 || (address >= 0x7000 && address < 0x9F000) ||
                    (address >= 0x08550000 && address < 0x08560000) ||
                    (address >= 0x08570000 && address < 0x08580000) || address >= 0xFFC00000;
    return is_never || is_user != !!(flags & PAGING_USER) ||
           ((flags & PAGING_WRITE) && (flags & PAGING_EXECUTE));
}

struct call {
    unsigned operation;
    uint32_t start, pages, flags;
    frame_t frame;
};

/* Near a bound of some row, or anywhere. */
static uint32_t take_start(struct fuzz_bytes *bytes)
{
    uint32_t form = (uint32_t)fuzz_take(bytes, 1);
    const struct memory_row *row = &memory_rows[form % MEMORY_ROW_COUNT];
    if (form >= 0xF8)
        return (uint32_t)fuzz_take(bytes, 4);
    return (row->start & ~0xFFFu) + ((uint32_t)fuzz_take(bytes, 2) - 0x100) * PAGE_SIZE;
}

static struct call take_call(struct fuzz_bytes *bytes)
{
    struct call call;
    unsigned form = (unsigned)fuzz_take(bytes, 1);
    call.operation = form % 6;
    call.start = take_start(bytes);
    call.pages = (uint32_t)fuzz_take(bytes, 2);
    call.flags = (uint32_t)fuzz_take(bytes, 1) & 0x3F;
    switch (form / 6 % 4) {
    case 0:
        call.frame = call.start / PAGE_SIZE; /* identity */
        break;
    case 1:
        call.frame = (call.start - 0x30000000) / PAGE_SIZE; /* direct view */
        break;
    case 2:
        call.frame = 0xE0000 + call.start / PAGE_SIZE % 512; /* congruent */
        break;
    default:
        call.frame = (frame_t)fuzz_take(bytes, 4);
    }
    return call;
}

/* Leaves the allocator with only so many frames. */
static void starve(uint32_t frames)
{
    while (machine_free_frames() > frames)
        machine_frame(KERNEL_FRAME);
}

static int make_call(const struct call *call)
{
    switch (call->operation) {
    case 0:
        return paging_map(&paging_kernel, call->start, call->frame, call->pages, call->flags);
    case 1:
        return paging_map_page(&paging_kernel, call->start, call->frame, call->flags);
    case 2:
        return paging_unmap(&paging_kernel, call->start, call->pages);
    case 3:
        return paging_unmap_page(&paging_kernel, call->start) == FRAME_NONE ? -ENOENT : 0;
    case 4:
        return paging_protect(&paging_kernel, call->start, call->pages, call->flags);
    default:
        starve(call->pages % 8);
        return -ENOMEM;
    }
}

/* What a call that succeeded was asked for. */
static void apply(const struct call *call)
{
    uint32_t page = call->start / PAGE_SIZE;
    uint32_t end = page + (call->operation % 2 == 1 ? 1 : call->pages);
    CHECK(page < end && end <= PAGES);
    for (uint32_t i = page; i < end; i++) {
        bool is_map = call->operation < 2;
        CHECK_EQUAL(model[i] != 0, !is_map);
        if (call->operation == 2 || call->operation == 3) {
            model_set(i, 0);
            continue;
        }
        CHECK(!is_forbidden(i, call->flags));
        model_set(i, describe(is_map ? call->frame + (i - page) : frame_of(model[i]), call->flags));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bytes bytes = {data, size};
    machine_boot();
    paging_visit(&paging_kernel, enter, NULL);
    for (unsigned i = 0; i < CALLS_MAX && bytes.left > 0; i++) {
        struct call call = take_call(&bytes);
        uint32_t before = machine_free_frames() + paging_table_frames();
        int error = make_call(&call);
        CHECK(error == 0 || error == -EINVAL || error == -ERANGE || error == -EEXIST ||
              error == -ENOENT || error == -ENOMEM);
        if (error == 0)
            apply(&call);
        CHECK_EQUAL(paging_table_frames(), bytemap_count_state(BYTEMAP_PAGE_TABLE));
        if (call.operation < 5)
            CHECK_EQUAL(machine_free_frames() + paging_table_frames(), before);
        compare_all();
    }
    /* Fuzzed frames need not fit their rows, so the check may report: it must only survive. */
    machine_check();
    paging_visit(&paging_kernel, leave, NULL);
    CHECK_EQUAL(model_pages, 0);
    return 0;
}
