#include "kernel/memory/paging/user.h"

#include "tests/unit/paging_machine.h"

/*
 * paging_check against faults in the spaces of programs, planted one at a time: every bit of what
 * a space is made of, and each sentence.
 */
#define W       PAGING_WRITE
#define OWN     PAGING_OWN

#define USER    0x10000000u
#define LIBRARY 0x20000000u
#define SLOT    PAGE_LARGE_SIZE

/* Parent and child share a table at USER; at LIBRARY the child has a copy of its own. The third has
 * a table of its own, nobody else's. */
static struct paging_space parent, child, third;

static void map(struct paging_space *space, uint32_t address, uint32_t flags)
{
    CHECK_EQUAL(paging_user_map(space, address,
                                pageframe_alloc_promised(PAGEFRAME_DIRECT, USER_FRAME), flags),
                0);
}

static void furnish(void)
{
    static const uint32_t apart[PAGING_USER_SLOTS / 32];
    machine_boot();
    CHECK_EQUAL(pageframe_promise(4000), 0);
    CHECK_EQUAL(paging_space_create(&parent), 0);
    CHECK_EQUAL(paging_space_create(&child), 0);
    CHECK_EQUAL(paging_space_create(&third), 0);
    for (uint32_t i = 0; i < 5; i++) {
        map(&parent, USER + i * PAGE_SIZE, OWN | W);
        map(&parent, LIBRARY + i * PAGE_SIZE, i % 2 ? OWN | W : 0);
        map(&third, USER + i * PAGE_SIZE, OWN | (i % 2 ? W : PAGING_EXECUTE));
    }
    paging_user_share(&parent, &child, apart);
    CHECK_EQUAL(paging_user_take_table(&child, LIBRARY), 0);
    machine_check_is_clean();
    CHECK_EQUAL(paging_check_unmapped(), 0);
}

static union paging_entry *leaf_of(const struct paging_space *space, uint32_t address)
{
    return table_entry(directory_read(space, PAGE_OF(address)), PAGE_OF(address));
}

static union paging_entry *top_of(const struct paging_space *space)
{
    return (union paging_entry *)platform_frame_pointer(frame_of(space->root)) +
           space->root % FRAME_SIZE / sizeof(union paging_entry);
}

/* One bit at a time: found, unless it is one of `ignored`. */
static void flip_each_bit(const char *what, void *place, unsigned bits, uint64_t ignored)
{
    for (unsigned bit = 0; bit < bits; bit++) {
        unsigned char *byte = (unsigned char *)place + bit / 8;
        uint32_t faults;
        *byte ^= (unsigned char)(1u << bit % 8);
        faults = machine_check();
        *byte ^= (unsigned char)(1u << bit % 8);
        if ((faults != 0) == (ignored >> bit & 1))
            test_fail(__FILE__, __LINE__, "%s, bit %u: %u faults %s", what, bit, (unsigned)faults,
                      machine_faults);
    }
    machine_check_is_clean();
}

TEST(every_flipped_bit_of_a_spaces_tables_is_found)
{
    const uint64_t used = ENTRY_HARDWARE;
    furnish();
    flip_each_bit("own leaf", leaf_of(&third, USER), 64, used);
    flip_each_bit("writable leaf", leaf_of(&third, USER + PAGE_SIZE), 64, used);
    flip_each_bit("shared leaf", leaf_of(&parent, USER), 64, used);
    flip_each_bit("copied leaf", leaf_of(&child, LIBRARY + PAGE_SIZE), 64, used);
    flip_each_bit("object's leaf", leaf_of(&child, LIBRARY), 64, used);
    flip_each_bit("absent leaf", leaf_of(&third, USER + 9 * PAGE_SIZE), 64, 0);
    /* A table that nobody shares may be entered read-only: who wants to write takes it over. */
    flip_each_bit("own table", directory_entry(&third, PAGE_OF(USER)), 64,
                  ENTRY_ACCESSED | ENTRY_WRITE);
    flip_each_bit("shared table", directory_entry(&child, PAGE_OF(USER)), 64, ENTRY_ACCESSED);
    flip_each_bit("no table", directory_entry(&third, PAGE_OF(USER + SLOT)), 64, 0);
    flip_each_bit("kernel's table", directory_entry(&third, PAGE_OF(MACHINE_TEXT)), 64, used);
    flip_each_bit("kernel's large page", directory_entry(&third, PAGE_OF(MACHINE_SCREEN)), 64,
                  used);
}

TEST(every_flipped_bit_of_a_spaces_top_is_found)
{
    furnish();
    for (unsigned i = 0; i < TOP_ENTRIES; i++)
        flip_each_bit("top entry", top_of(&child) + i, 64, ENTRY_ACCESSED);
    flip_each_bit("unused top", top_of(&parent) + 4 * TOP_ENTRIES, 64, 0);
    flip_each_bit("root", &child.root, 64, 0);
    flip_each_bit("directory", &child.directory, 32, 0);
}

TEST(every_flipped_bit_of_a_spaces_books_is_found)
{
    furnish();
    for (unsigned row = 0; row < 2; row++) {
        flip_each_bit("pages", &child.books[row].pages, 32, 0);
        flip_each_bit("sum", &child.books[row].sum, 64, 0);
    }
    flip_each_bit("tables", &child.tables, 32, 0);
    flip_each_bit("own pages", &child.own_pages, 32, 0);
    flip_each_bit("used in a slot", &child.slots[0].used, 16, 0);
    flip_each_bit("own in a slot", &child.slots[0].own, 16, 0);
    flip_each_bit("used in a copy", &child.slots[paging_user_slot(LIBRARY)].used, 16, 0);
    flip_each_bit("used in an empty slot", &third.slots[7].used, 16, 0);
    flip_each_bit("own in an empty slot", &third.slots[7].own, 16, 0);
}

/* ---- each by its sentence ---- */

static void expect(const char *sentence)
{
    CHECK(machine_check() != 0);
    if (strstr(machine_faults, sentence) == NULL)
        test_fail(__FILE__, __LINE__, "'%s' is not among: %s", sentence, machine_faults);
}

static void plant(union paging_entry *entry, uint64_t value, const char *sentence)
{
    const uint64_t kept = entry->whole;
    entry->whole = value;
    expect(sentence);
    entry->whole = kept;
    machine_check_is_clean();
}

TEST(sentences_say_what_is_wrong_with_a_space)
{
    union paging_entry *slot, *leaf;
    furnish();
    slot = directory_entry(&third, PAGE_OF(USER));
    plant(slot, 0, "0x10000000 (user space), entry 0x0000000000000000: no table, and the space");
    plant(slot, slot->whole & ~ENTRY_PRESENT, "absent directory entry, but not zero");
    plant(slot, slot->whole & ~ENTRY_USER, "directory entry with bits that paging never writes");
    plant(slot, 0x100007, "names a frame that is no page table"); /* the kernel's text */
    plant(slot, 0xE0000007, "names a frame that is no page table");
    plant(slot, slot->whole | 1ull << 40, "names a frame that is no page table");
    plant(slot, directory_entry(&child, PAGE_OF(USER))->whole, "3 directory entries name table");
    slot = directory_entry(&child, PAGE_OF(USER));
    plant(slot, slot->whole | ENTRY_WRITE, "a table that others share can be written through");
    slot = directory_entry(&child, PAGE_OF(MAP_HEAP_START));
    plant(slot, 0, "not the kernel's directory entry");
    leaf = leaf_of(&third, USER + PAGE_SIZE);
    plant(leaf, 0, "the table of 0x10000000 has 4 entries, 4 of them own; the space says 5 and 5");
    plant(leaf, leaf->whole & ~ENTRY_OWN, "has 5 entries, 4 of them own; the space says 5 and 5");
    plant(leaf, leaf->whole & ~ENTRY_WRITE, "user space: 5 pages (sum 0x");
    plant(leaf, leaf->whole | ENTRY_GLOBAL, "bits that paging never writes");
    plant(leaf, leaf->whole | 1ull << 37, "a frame beyond the processor's physical width");
    plant(leaf, leaf_of(&third, USER + 3 * PAGE_SIZE)->whole,
          "the frame is mapped more often than it has references");
    plant(top_of(&child), top_of(&parent)->whole, "top entry does not name the space's directory");
    plant(top_of(&third) + TOP_ENTRIES, 1, "entry 16 of the frame of roots");
}

TEST(sentences_say_what_is_wrong_with_references)
{
    frame_t frame, table;
    furnish();
    frame = paging_user_find(&third, USER + PAGE_SIZE).frame;
    CHECK_EQUAL(pageframe_reference(frame), 0);
    expect("an own page that is writable and shared");
    CHECK_EQUAL(paging_check_unmapped(), 1);
    CHECK_EQUAL(pageframe_release(frame), 1);
    table = entry_frame(directory_entry(&child, PAGE_OF(USER))->whole);
    CHECK_EQUAL(pageframe_reference(table), 0);
    expect("2 directory entries name table");
    CHECK_EQUAL(pageframe_release(table), 2);
    machine_check_is_clean();
    /* A read-only page may be somebody else's, too. */
    frame = paging_user_find(&third, USER).frame;
    CHECK_EQUAL(pageframe_reference(frame), 0);
    machine_check_is_clean();
    CHECK_EQUAL(paging_check_unmapped(), 1);
}

TEST(sentences_say_what_is_wrong_with_numbers)
{
    const paddr_t root = (furnish(), child.root);
    child.root += TOP_SIZE * 64; /* in the frame, and nobody's */
    expect("is in no frame of roots");
    child.root = root;
    child.tables++;
    expect(" own pages in 2 tables, it says");
    child.tables--;
    paging_spares++;
    expect("(1 of them spare)");
    paging_spares--;
    machine_check_is_clean();
}

/* A second frame of roots, and one that has become something else. */
TEST(frames_of_roots_are_checked)
{
    static struct paging_space many[TOPS_A_FRAME];
    frame_t frame;
    furnish();
    for (uint32_t i = 0; i < ARRAY_COUNT(many); i++)
        CHECK_EQUAL(paging_space_create(&many[i]), 0);
    frame = tops_frame(1);
    CHECK(frame != FRAME_NONE && tops_frame(2) == FRAME_NONE);
    CHECK_EQUAL(frame_of(many[ARRAY_COUNT(many) - 1].root), frame);
    flip_each_bit("unused top of the second",
                  (union paging_entry *)platform_frame_pointer(frame) + TABLE_ENTRIES - 1, 64, 0);
    CHECK_EQUAL(pageframe_retag(frame, KERNEL_FRAME), 0);
    expect("names a frame that is no page table");
    CHECK_EQUAL(pageframe_retag(frame, PAGING_TABLE_TAG), 0);
    machine_check_is_clean();
}

/* Mappings are counted up to 1023; of more, the check says nothing. */
TEST(frames_that_are_mapped_very_often_are_left_out)
{
    frame_t frame;
    furnish();
    frame = machine_frame(USER_FRAME);
    for (uint32_t i = 0; i < 1100; i++) {
        CHECK_EQUAL(paging_user_map(&third, USER + SLOT + i * PAGE_SIZE, frame, 0), 0);
        CHECK_EQUAL(pageframe_reference(frame), 0);
        if (i == 1021) {
            machine_check_is_clean();
            CHECK_EQUAL(paging_check_unmapped(), 1);
        }
    }
    machine_check_is_clean();
    CHECK_EQUAL(paging_check_unmapped(), 0);
}

/* Tables lie in the direct view, whatever RAM there is beyond it. */
TEST(a_table_beyond_the_direct_view_is_found)
{
    frame_t frame;
    machine_start_with(MACHINE_FRAMES, 64);
    CHECK_EQUAL(paging_space_create(&third), 0);
    machine_check_is_clean();
    frame = machine_frame(PAGING_TABLE_TAG);
    CHECK_EQUAL(frame, PAGING_DIRECT_FRAMES);
    directory_entry(&third, PAGE_OF(USER))->whole = entry_table(frame, ENTRY_USER);
    expect("(user space), entry 0x00000000a0000007: names a frame that is no page table");
    directory_entry(&third, PAGE_OF(USER))->whole = 0;
    directory_entry(&paging_kernel, PAGE_OF(MAP_STACKS_START))->whole = entry_table(frame, 0);
    expect("(kernel stacks), entry 0x00000000a0000003: the table lies outside the direct view");
}
