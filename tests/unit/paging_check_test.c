#include "tests/unit/paging_machine.h"

/* paging_check against faults that are planted, one at a time. */

#define W  PAGING_WRITE
#define X  PAGING_EXECUTE
#define U  PAGING_USER
#define WC PAGING_WRITE_COMBINING
#define UC PAGING_UNCACHED

/* More than the check remembers (FAR_PIECES). */
#define FAR_PIECES_TESTED 70u

/* Bits that the processor sets by itself, and which therefore mean nothing. */
#define LEAF_IGNORED  0x60u
#define TABLE_IGNORED 0x20u

static uint32_t device, view;

static void map_one(uint32_t start, bytemap_tag_t tag, uint32_t flags)
{
    CHECK_EQUAL(paging_map_page(&paging_kernel, start, machine_frame(tag), flags), 0);
}

/* A machine with something in every row that can have something. */
static void furnish(struct platform_features features)
{
    frame_t run;
    machine_start(features);
    machine_map_rows();
    for (uint32_t i = 0; i < 40; i++)
        map_one(0x00550000 + i * PAGE_SIZE, HEAP_FRAME, W);
    map_one(0x10000000, USER_FRAME, U | X);
    map_one(0x1FFFF000, USER_FRAME, U | W);
    map_one(0x20000000, BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_LIBRARY), U | X);
    map_one(0xD0001000, KERNEL_FRAME, W);
    map_one(0xD8000000, KERNEL_FRAME, W);
    run = pageframe_alloc_run(512, 512, FRAME_NONE, PAGEFRAME_ANYWHERE, USER_FRAME);
    CHECK_EQUAL(paging_map(&paging_kernel, 0x11000000, run, 512, U | W), 0);
    device = (uint32_t)(uintptr_t)paging_map_device(MACHINE_DEVICE, 0x3000);
    view = (uint32_t)(uintptr_t)paging_map_temporary(machine_frame(KERNEL_FRAME), 1, W);
    machine_check_is_clean();
}

static union paging_entry *slot_of(uint32_t address)
{
    return directory_entry(&paging_kernel, PAGE_OF(address));
}

static union paging_entry *leaf_of(uint32_t address)
{
    uint64_t slot = entry_read(slot_of(address));
    return entry_is_large(slot) ? slot_of(address) : table_entry(slot, PAGE_OF(address));
}

/* One bit at a time: found, named and gone again; unless it is one of `ignored`. */
static void flip_each_bit(union paging_entry *entry, uint64_t ignored, const char *row)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t flip = (uint64_t)1 << bit;
        uint32_t faults;
        entry->whole ^= flip;
        faults = machine_check();
        if ((faults != 0) != !(ignored & flip))
            test_fail(__FILE__, __LINE__, "%s, bit %u of 0x%llx: %u faults %s", row, bit,
                      (unsigned long long)entry->whole, (unsigned)faults, machine_faults);
        if (faults != 0 && strstr(machine_faults, row) == NULL)
            test_fail(__FILE__, __LINE__, "%s is not named: %s", row, machine_faults);
        entry->whole ^= flip;
    }
}

static void flip_sample(void)
{
    const struct {
        uint32_t address;
        const char *row;
    } samples[] = {
        {0x00006000, "E820 copy"},         {0x0009F000, "low RAM"},
        {0x000B8000, "EBDA, video, BIOS"}, {0x000FF000, "EBDA, video, BIOS"},
        {0x00100000, "kernel image"},      {0x00120000, "kernel image"},
        {0x0014F000, "kernel image"},      {0x00550000, "kernel heap"},
        {0x00555000, "kernel heap"},       {0x08560000, "kernel stack"},
        {0x0856F000, "kernel stack"},      {0x08600000, "framebuffer"},
        {0x08DE8000, "framebuffer"},       {device, "MMIO"},
        {device + 0x2000, "MMIO"},         {0x10000000, "user space"},
        {0x1FFFF000, "user space"},        {0x11000000, "user space"},
        {0x20000000, "library space"},     {0x30001000, "direct view"},
        {0x30100000, "direct view"},       {0x30200000, "direct view"},
        {0x31E00000, "direct view"},       {0xD0001000, "kernel stacks"},
        {0xD8000000, "sanitizer"},         {view, "temporary"},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(samples); i++) {
        CHECK(paging_query(&paging_kernel, samples[i].address).present);
        flip_each_bit(leaf_of(samples[i].address), LEAF_IGNORED, samples[i].row);
    }
    machine_check_is_clean();
}

TEST(every_flipped_bit_of_a_leaf_is_found)
{
    furnish(ALL_FEATURES);
    flip_sample();
}

TEST(every_flipped_bit_of_a_leaf_is_found_without_features)
{
    furnish((struct platform_features){false, false, false, 32});
    flip_sample();
}

TEST(every_flipped_bit_of_an_absent_entry_is_found)
{
    static const struct {
        uint32_t address;
        const char *row;
    } samples[] = {
        {0x00000000, "IVT + BDA"},         {0x00001000, "stage 1"},
        {0x00007000, "kernel entry stub"}, {0x00150000, "kernel image"},
        {0x005FF000, "kernel heap"},       {0x08550000, "guard below stack"},
        {0x0855F000, "guard below stack"}, {0x08570000, "guard above stack"},
        {0x08580000, "framebuffer"},       {0x10001000, "user space"},
        {0x30000000, "direct view"},       {0xD0000000, "kernel stacks"},
    };
    furnish(ALL_FEATURES);
    for (unsigned i = 0; i < ARRAY_COUNT(samples); i++)
        flip_each_bit(leaf_of(samples[i].address), 0, samples[i].row);
    flip_each_bit(leaf_of(device + 0x3000), 0, "MMIO");
    flip_each_bit(leaf_of(view + 0x1000), 0, "temporary");
    flip_each_bit(slot_of(0x12000000), 0, "user space");
    flip_each_bit(slot_of(0xFFFFFFFF), 0, "top");
    machine_check_is_clean();
}

TEST(every_flipped_bit_of_a_directory_entry_is_found)
{
    static const uint32_t samples[] = {0x00000000, 0x00400000, 0x00600000, 0x08560000,
                                       0x08C00000, 0x0B000000, 0x10000000, 0x20000000,
                                       0x30000000, 0xD0000000, 0xD8000000, 0xF8000000};
    furnish(ALL_FEATURES);
    for (unsigned i = 0; i < ARRAY_COUNT(samples); i++)
        flip_each_bit(slot_of(samples[i]), TABLE_IGNORED, "paging: 0x");
    machine_check_is_clean();
}

TEST(every_flipped_bit_of_the_root_is_found)
{
    union paging_entry *root;
    furnish(ALL_FEATURES);
    root = platform_frame_pointer(frame_of(paging_kernel.root));
    for (unsigned i = 0; i < 6; i++)
        flip_each_bit(&root[i], i < TOP_ENTRIES ? TABLE_IGNORED : 0, "paging: ");
    for (unsigned bit = 0; bit < 64; bit++) {
        paging_kernel.root ^= (uint64_t)1 << bit;
        CHECK(machine_check() != 0);
        paging_kernel.root ^= (uint64_t)1 << bit;
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        paging_kernel.directory ^= 1u << bit;
        if (paging_kernel.directory < MACHINE_FRAMES)
            CHECK(machine_check() != 0);
        paging_kernel.directory ^= 1u << bit;
    }
    machine_check_is_clean();
}

/* Any other value of one byte, anywhere in any table. */
TEST(random_wrong_bytes_in_tables_are_found)
{
    furnish(ALL_FEATURES);
    for (unsigned found = 0; found < 3000;) {
        frame_t frame = test_random_range(0, MACHINE_FRAMES - 1);
        unsigned char *byte, kept;
        unsigned at = test_random_range(0, FRAME_SIZE - 1);
        uint64_t *entry, before;
        if (bytemap_get(frame) != PAGING_TABLE_TAG)
            continue;
        byte = platform_frame_pointer(frame);
        entry = (uint64_t *)(void *)byte + at / 8;
        before = *entry;
        kept = byte[at];
        byte[at] = (unsigned char)test_random();
        if (((*entry ^ before) & ~(uint64_t)LEAF_IGNORED) != 0) {
            if (machine_check() == 0)
                test_fail(__FILE__, __LINE__, "frame 0x%x: 0x%llx became 0x%llx", frame,
                          (unsigned long long)before, (unsigned long long)*entry);
            found++;
        }
        byte[at] = kept;
    }
    machine_check_is_clean();
}

/* ---- whole faults, each by its sentence ---- */

static void expect(const char *sentence)
{
    CHECK(machine_check() != 0);
    if (strstr(machine_faults, sentence) == NULL)
        test_fail(__FILE__, __LINE__, "'%s' is not among: %s", sentence, machine_faults);
}

static void plant(uint32_t address, uint64_t value, const char *sentence)
{
    union paging_entry *entry = leaf_of(address);
    uint64_t kept = entry->whole;
    entry->whole = value;
    expect(sentence);
    entry->whole = kept;
    machine_check_is_clean();
}

TEST(sentences_say_what_is_wrong)
{
    const uint64_t nx = ENTRY_NO_EXECUTE;
    furnish(ALL_FEATURES);
    plant(0x00000000, 0x103 | nx, "0x00000000 (IVT + BDA), entry 0x8000000000000103: mapped, and");
    plant(0x0855F000, 0x1000103 | nx, "(guard below stack)");
    plant(0x00120000, 0x120103, "writable and executable");
    plant(0x00100000, 0x100105, "bits that paging never writes"); /* user and global */
    plant(0x00100000, 0x100905, "bits that paging never writes");
    plant(0x00100000, 0x101101, "another frame than the row prescribes");
    plant(0x00550000, leaf_of(0x00551000)->whole, "mapped more often than it has references");
    plant(0x00551000, 0x150103 | nx, "a frame in a state that the row cannot have");
    plant(0x30130000, 0, "pages are mapped, the books say");
    plant(0x30130000, 0x130101 | nx, "some entry is not what paging wrote");
    plant(0x30100000, 0x100103 | nx, "writable through one mapping and executable through another");
    plant(0x30120000, 0x120103 | nx, "a frame of the read-only part is writable");
    plant(0x30130000, 0x13011B | nx, "rights or a cache type that the row forbids");
    plant(device, 0x1234, "absent, but not zero");
    plant(device, 0x1000000000011B | nx, "bits that paging never writes");
    plant(device, 0x100000011B | nx, "beyond the processor's physical width");
    plant(device, 0x200011B | nx, "some entry is not what paging wrote");
    plant(device, 0xE000011B | nx, "mapped with another cache type elsewhere");
    plant(0x08600000, 0xE020118B | nx, "a large page with reserved bits set");
    plant(0x11000000, 0, "0x10000000 (user space)");
}

TEST(aliases_with_two_cache_types_are_found)
{
    frame_t frame;
    void *first;
    furnish(ALL_FEATURES);
    frame = machine_frame(KERNEL_FRAME);
    first = paging_map_temporary(frame, 1, W | UC);
    expect("mapped with another cache type elsewhere");
    paging_unmap_temporary(first, 1);
    machine_check_is_clean();
    first = paging_map_temporary(frame, 1, 0);
    machine_check_is_clean();
}

TEST(states_that_do_not_fit_are_found)
{
    struct paging_translation heap, user;
    frame_t frame;
    furnish(ALL_FEATURES);
    heap = paging_query(&paging_kernel, 0x00550000);
    frame = frame_of(heap.physical);
    CHECK_EQUAL(pageframe_retag(frame, KERNEL_FRAME), 0);
    expect("a frame in a state that the row cannot have");
    expect("40 heap pages are mapped, the bytemap has 39");
    CHECK_EQUAL(pageframe_retag(frame, HEAP_FRAME), 0);
    machine_check_is_clean();
    user = paging_query(&paging_kernel, 0x10000000);
    CHECK_EQUAL(pageframe_free(frame_of(user.physical)), 0);
    expect("(user space)");
    frame = machine_frame(PAGING_TABLE_TAG);
    expect("page tables are reached, the bytemap has");
    CHECK_EQUAL(pageframe_free(frame), 0);
}

/* Every tag that a frame can have, behind a page of every kind of row. */
TEST(each_row_accepts_its_own_states_only)
{
    static const char wrong[] = "a frame in a state that the row cannot have";
    const struct {
        uint32_t address;
        uint32_t states; /* 1 << state */
        uint32_t owners; /* 1 << owner */
    } rows[] = {
        {0x00006000, 1 << BYTEMAP_ABSENT | 1 << BYTEMAP_RESERVED, 15},
        {0x000B8000, 1 << BYTEMAP_ABSENT | 1 << BYTEMAP_RESERVED, 15},
        {0x00100000, 1 << BYTEMAP_ALLOCATED, 1 << BYTEMAP_KERNEL},
        {0x00550000, 1 << BYTEMAP_HEAP, 15},
        {0x08560000, 1 << BYTEMAP_ALLOCATED, 1 << BYTEMAP_KERNEL},
        {0x0B000000, 1 << BYTEMAP_ABSENT, 1},
        {0x10000000, 1 << BYTEMAP_ALLOCATED | 1 << BYTEMAP_CACHE, 12},
        {0x20000000, 1 << BYTEMAP_ALLOCATED | 1 << BYTEMAP_CACHE, 12},
        {0x30001000, ~(1u << BYTEMAP_ABSENT), 15},
        {0xD0001000, 1 << BYTEMAP_ALLOCATED, 1 << BYTEMAP_KERNEL},
        {0xD8000000, 1 << BYTEMAP_ALLOCATED, 1 << BYTEMAP_KERNEL},
        {0xF8000000, ~(1u << BYTEMAP_FREE | 1u << BYTEMAP_ZEROED), 15},
    };
    furnish(ALL_FEATURES);
    paging_unmap_device((volatile void *)(uintptr_t)device, 0x3000);
    CHECK_EQUAL((uintptr_t)paging_map_device(0xB8000, 16), 0x0B000000);
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++)
        for (unsigned tag = 0; tag < 64; tag++) {
            frame_t frame = frame_of(paging_query(&paging_kernel, rows[i].address).physical);
            bytemap_tag_t kept = bytemap_get(frame);
            enum bytemap_state state = bytemap_tag_state((bytemap_tag_t)tag);
            enum bytemap_owner owner = bytemap_tag_owner((bytemap_tag_t)tag);
            char start[16];
            const char *line;
            bool is_wrong = false;
            if (!bytemap_tag_is_valid((bytemap_tag_t)tag))
                continue;
            bytemap_set(frame, 1, (bytemap_tag_t)tag);
            machine_check();
            bytemap_set(frame, 1, kept);
            snprintf(start, sizeof(start), "0x%08x", (unsigned)rows[i].address);
            line = strstr(machine_faults, start);
            if (line != NULL)
                is_wrong = strncmp(strstr(line, "entry") + 26, wrong, sizeof(wrong) - 1) == 0;
            /* A file's pages may belong to anyone. */
            if (is_wrong != !(rows[i].states >> state & rows[i].owners >> owner & 1) &&
                !(state == BYTEMAP_CACHE && rows[i].owners == 12))
                test_fail(__FILE__, __LINE__, "%s, tag 0x%x: %s", start, tag, machine_faults);
        }
    machine_check_is_clean();
}

TEST(a_process_may_see_device_memory_that_is_not_cached)
{
    furnish(ALL_FEATURES);
    CHECK_EQUAL(paging_map_page(&paging_kernel, 0x13000000, 0xE0000, U | W | WC), 0);
    machine_check_is_clean();
    CHECK_EQUAL(paging_protect(&paging_kernel, 0x13000000, 1, U | W), 0);
    expect("0x13000000 (user space)");
}

TEST(a_frame_mapped_more_often_than_it_has_references_is_found)
{
    frame_t frame;
    furnish(ALL_FEATURES);
    frame = machine_frame(USER_FRAME);
    CHECK_EQUAL(paging_map_page(&paging_kernel, 0x13000000, frame, U), 0);
    CHECK_EQUAL(paging_map_page(&paging_kernel, 0x23000000, frame, U), 0);
    expect("0x23000000 (library space)");
    CHECK(pageframe_reference(frame) >= 0);
    machine_check_is_clean();
    CHECK_EQUAL(paging_map_page(&paging_kernel, 0x24000000, frame, U), 0);
    expect("0x24000000 (library space)");
}

TEST(swapped_tables_are_found)
{
    union paging_entry *one, *two;
    uint64_t kept;
    furnish(ALL_FEATURES);
    one = slot_of(0x00600000);
    two = slot_of(0x00400000);
    kept = one->whole;
    one->whole = two->whole; /* one table twice, the other never */
    expect("the table is reached twice");
    expect("page tables are reached");
    one->whole = kept;
    machine_check_is_clean();
    one->whole = slot_of(0x10000000)->whole;
    expect("directory entry with bits that paging never writes");
    one->whole = kept;
    one->whole = (kept & 0xFFF) | 0x100000;
    expect("names a frame that is no page table");
    one->whole = (kept & 0xFFF) | 0xE0000000;
    expect("the table lies outside the direct view");
    one->whole = kept;
    machine_check_is_clean();
}

TEST(a_windows_books_are_checked)
{
    furnish(ALL_FEATURES);
    for (unsigned i = 0; i < WINDOW_COUNT; i++) {
        struct window *window = &paging_windows[i];
        for (unsigned word = 0; word < window->pages / 32; word += 97)
            for (unsigned bit = 0; bit < 32; bit++) {
                window->taken[word] ^= 1u << bit;
                expect("pages are taken and");
                window->taken[word] ^= 1u << bit;
            }
        window->pieces++;
        expect("pieces, the books say");
        window->pieces--;
        window->taken_pages--;
        expect("pieces, the books say");
        window->taken_pages++;
        /* While a piece is on its way, pages of it may be missing, but none too many be there. */
        window->moving = 1;
        window->pieces--;
        machine_check_is_clean();
        window->pieces += 2;
        expect("pieces, the books say");
        window->pieces--;
        window->moving = 0;
    }
    machine_check_is_clean();
    CHECK_EQUAL(paging_map_page(&paging_kernel, 0x0FF00000, frame_of(MACHINE_DEVICE), W | UC), 0);
    expect("the page was not handed out");
}

TEST(the_check_changes_nothing)
{
    static unsigned char before[64][FRAME_SIZE];
    unsigned tables = 0, again = 0;
    furnish(ALL_FEATURES);
    for (frame_t frame = 0; frame < MACHINE_FRAMES; frame++)
        if (bytemap_get(frame) == PAGING_TABLE_TAG)
            memcpy(before[tables++], platform_frame_pointer(frame), FRAME_SIZE);
    CHECK_EQUAL(tables, paging_table_frames());
    machine_check_is_clean();
    for (frame_t frame = 0; frame < MACHINE_FRAMES; frame++)
        if (bytemap_get(frame) == PAGING_TABLE_TAG)
            CHECK(memcmp(before[again++], platform_frame_pointer(frame), FRAME_SIZE) == 0);
}

/* Device memory above all RAM has no 16 bits to be remembered in: the windows against each other.
 */
TEST(two_cache_types_of_a_device_are_found)
{
    const frame_t frame = frame_of(MACHINE_DEVICE) + 2; /* the last page of `device` */
    void *piece;
    furnish(ALL_FEATURES);
    piece = paging_map_temporary(frame, 2, 0);
    CHECK_EQUAL(machine_check(), 1);
    expect("temporary");
    expect("mapped with another cache type elsewhere");
    paging_unmap_temporary(piece, 2);
    piece = paging_map_temporary(frame, 2, UC);
    machine_check_is_clean();
    paging_unmap_temporary(piece, 2);
    piece = paging_map_temporary(frame + 1, 2, 0); /* the page after it is nobody's */
    machine_check_is_clean();
    CHECK_EQUAL((uintptr_t)paging_map_temporary(frame + 1, 1, WC) != 0, 1);
    CHECK_EQUAL(machine_check(), 1);
    expect("mapped with another cache type elsewhere");
    paging_unmap_temporary(piece, 2);
    machine_check_is_clean();
}

/* So many pieces are remembered; later ones are compared with those, and not with each other. */
TEST(pieces_of_devices_that_are_remembered)
{
    volatile void *pieces[FAR_PIECES_TESTED];
    void *alias;
    furnish(ALL_FEATURES);
    for (unsigned i = 0; i < ARRAY_COUNT(pieces); i++) {
        pieces[i] = paging_map_device(MACHINE_DEVICE - (i + 1) * 0x2000, 0x1000);
        CHECK(pieces[i] != NULL);
    }
    machine_check_is_clean();
    alias = paging_map_temporary(frame_of(MACHINE_DEVICE - 0x2000), 1, 0);
    expect("mapped with another cache type elsewhere");
    paging_unmap_temporary(alias, 1);
    alias = paging_map_temporary(frame_of(MACHINE_DEVICE - ARRAY_COUNT(pieces) * 0x2000), 1, 0);
    machine_check_is_clean();
    paging_unmap_temporary(alias, 1);
}
