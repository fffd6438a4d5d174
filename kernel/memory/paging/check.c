#include "kernel/memory/paging/internal.h"
#include "kernel/memory/paging/user.h"

/*
 * Everything that page tables promise, from first principles: the tables are read from the root on,
 * as the processor reads them, and nothing is followed before it is known to be a table. What a
 * single entry cannot show (a frame mapped twice, with two cache types, writable here and
 * executable there) is collected in 16 bits for each frame:
 *
 *      15      14         13         12         11 10   9                 0
 *    +-------+----------+----------+----------+-------+-------------------+
 *    | table | readonly |executable| writable | cache | mappings, at most |
 *    +-------+----------+----------+----------+-------+-------------------+
 */
#define SEEN_COUNT      0x03FFu /* outside the direct and temporary rows; stays at its maximum */
#define SEEN_CACHE      0x0C00u /* 0: not seen yet */
#define SEEN_CACHE_UNIT 0x0400u
#define SEEN_WRITABLE   0x1000u
#define SEEN_EXECUTABLE 0x2000u /* by the kernel; a program's text has a writable direct view */
#define SEEN_READONLY   0x4000u /* in a row whose pages have fixed frames: the image's constants */
#define SEEN_TABLE      0x8000u

/* Device frames beyond the bytemap, [first, end), that consecutive pages map with one cache type.
 * So many pieces are remembered, the framebuffer's before those of the windows, and all later ones
 * are compared with them. */
struct far_piece {
    frame_t first;
    frame_t end;
    uint64_t cache;
};
#define FAR_PIECES 64u

struct checker {
    const struct paging_space *space;
    uint16_t *seen;
    uint32_t frames; /* that have a byte in the bytemap, and so 16 bits here */
    struct check *check;
    uint32_t tables; /* reached */
    struct paging_books books[POLICY_COUNT];
    struct far_piece far[FAR_PIECES];
    uint32_t far_count;
};

size_t paging_check_scratch_bytes(uint32_t frames)
{
    return frames * sizeof(uint16_t);
}

static void fault_at(struct checker *checker, uint32_t page, uint64_t entry, const char *what)
{
    uint32_t address = page_address(page);
    check_fault(checker->check, "paging: 0x%08x (%s), entry 0x%016llx: %s", (unsigned)address,
                memory_row_of(address)->name, (unsigned long long)entry, what);
}

/* Frame numbers of an entry that flipped may not fit frame_t: compared before they are cut. */
static bool is_beyond_width(uint64_t entry)
{
    return (entry & ENTRY_FRAME) >> FRAME_SHIFT >= paging_frame_limit();
}

/* Whether the frame may be read as a table; the first time it is reached only. */
static bool enter_table(struct checker *checker, uint32_t page, uint64_t entry)
{
    frame_t frame = entry_frame(entry);
    const char *what = NULL;
    if (is_beyond_width(entry) || frame >= checker->frames || frame >= PAGING_DIRECT_FRAMES)
        what = "the table lies outside the direct view";
    else if (bytemap_get(frame) != PAGING_TABLE_TAG)
        what = "names a frame that is no page table";
    else if (checker->seen[frame] & SEEN_TABLE)
        what = "the table is reached twice";
    if (what != NULL) {
        fault_at(checker, page, entry, what);
        return false;
    }
    checker->seen[frame] |= SEEN_TABLE;
    checker->tables++;
    return true;
}

/* ---- leaves ---- */

/* entry_cache_type, read backwards, where the two ways to be uncached differ. */
static uint32_t cache_flags(uint64_t entry)
{
    uint64_t type = entry & ENTRY_CACHE_TYPE;
    if (type == entry_cache_type(PAGING_UNCACHED))
        return PAGING_UNCACHED;
    return type == entry_cache_type(PAGING_WRITE_COMBINING) ? PAGING_WRITE_COMBINING : 0;
}

/* The flags that paging_map must have been given. Without no-execute nobody can tell whether
 * PAGING_EXECUTE was among them. */
static uint32_t given_flags(uint64_t entry)
{
    uint32_t flags = cache_flags(entry);
    if (entry & ENTRY_WRITE)
        flags |= PAGING_WRITE;
    if (entry & ENTRY_USER)
        flags |= PAGING_USER;
    if (platform_features.no_execute && !(entry & ENTRY_NO_EXECUTE))
        flags |= PAGING_EXECUTE;
    return flags;
}

/* The entry by itself and against its row: NULL, or what is wrong. */
static const char *leaf_fault(const struct paging_policy *policy, uint32_t page, uint64_t entry,
                              uint32_t pages)
{
    const uint32_t flags = given_flags(entry);
    const uint64_t size = pages == SLOT_PAGES ? ENTRY_LARGE : 0;
    uint64_t expected = entry_rights(flags) | size;
    if (!platform_features.no_execute)
        expected &= ~ENTRY_NO_EXECUTE;
    if (policy->backing == BACKING_NOTHING)
        return "mapped, and must never be";
    if ((entry & ~ENTRY_FRAME & ~ENTRY_HARDWARE) != expected)
        return "bits that paging never writes";
    if ((flags & PAGING_WRITE) && (flags & PAGING_EXECUTE))
        return "writable and executable";
    if ((flags & policy->required) != policy->required || (flags & ~policy->allowed) != 0)
        return "rights or a cache type that the row forbids";
    if (size != 0 && (policy->allowed & PAGING_SMALL))
        return "a large page in a row of small ones";
    if (entry_frame(entry) % pages != 0)
        return "a large page with reserved bits set";
    if (policy->offset != FRAMES_ANY && entry_frame(entry) != page - policy->offset)
        return "another frame than the row prescribes";
    return NULL;
}

static bool is_allocated_by(bytemap_tag_t tag, enum bytemap_owner owner)
{
    return bytemap_tag_state(tag) == BYTEMAP_ALLOCATED && bytemap_tag_owner(tag) == owner;
}

/* A process sees its own frames, files, and device memory that is not cached. */
static bool is_process_frame(bytemap_tag_t tag, uint64_t entry)
{
    if (bytemap_tag_state(tag) == BYTEMAP_ABSENT)
        return (entry & ENTRY_CACHE_TYPE) != 0;
    return bytemap_tag_state(tag) == BYTEMAP_CACHE || is_allocated_by(tag, BYTEMAP_USER) ||
           is_allocated_by(tag, BYTEMAP_LIBRARY);
}

/* Whether a frame in this state may lie behind a page of such a row. */
static bool is_backing(enum paging_backing backing, bytemap_tag_t tag, uint64_t entry)
{
    enum bytemap_state state = bytemap_tag_state(tag);
    switch (backing) {
    case BACKING_FIRMWARE:
        return state == BYTEMAP_ABSENT || state == BYTEMAP_RESERVED;
    case BACKING_HEAP:
        return state == BYTEMAP_HEAP;
    case BACKING_KERNEL:
    case BACKING_SHADOW:
        return is_allocated_by(tag, BYTEMAP_KERNEL);
    case BACKING_DEVICE:
        return state == BYTEMAP_ABSENT;
    case BACKING_PROCESS:
        return is_process_frame(tag, entry);
    case BACKING_MANAGED:
        return state != BYTEMAP_ABSENT;
    case BACKING_VIEW:
        return !bytemap_tag_is_free(tag);
    case BACKING_NOTHING:
        break;
    }
    return false;
}

/* This mapping of a frame against those seen before. */
static const char *alias_fault(uint16_t before, uint16_t now)
{
    const uint16_t both = before | now;
    if ((before & SEEN_CACHE) != 0 && (before & SEEN_CACHE) != (now & SEEN_CACHE))
        return "the frame is mapped with another cache type elsewhere";
    if ((both & SEEN_WRITABLE) && (both & SEEN_EXECUTABLE))
        return "the frame is writable through one mapping and executable through another";
    if ((both & SEEN_WRITABLE) && (both & SEEN_READONLY))
        return "a frame of the read-only part is writable through another mapping";
    return NULL;
}

static uint16_t cache_seen(uint64_t entry)
{
    switch (cache_flags(entry)) {
    case PAGING_UNCACHED:
        return 3 * SEEN_CACHE_UNIT;
    case PAGING_WRITE_COMBINING:
        return 2 * SEEN_CACHE_UNIT;
    default:
        return SEEN_CACHE_UNIT;
    }
}

static uint16_t rights_seen(const struct paging_policy *policy, uint64_t entry)
{
    uint32_t flags = given_flags(entry);
    uint16_t seen = cache_seen(entry);
    if (flags & PAGING_WRITE)
        seen |= SEEN_WRITABLE;
    else if (policy->offset == 0)
        seen |= SEEN_READONLY;
    if ((flags & PAGING_EXECUTE) && !(flags & PAGING_USER))
        seen |= SEEN_EXECUTABLE;
    return seen;
}

/* Counts a mapping that needs a reference. */
static const char *count_fault(struct checker *checker, enum paging_backing backing, frame_t frame)
{
    uint16_t *seen = &checker->seen[frame];
    bytemap_tag_t tag = bytemap_get(frame);
    if (backing == BACKING_MANAGED || backing == BACKING_VIEW || backing == BACKING_SHADOW)
        return NULL;
    if ((*seen & SEEN_COUNT) < SEEN_COUNT)
        ++*seen;
    if (bytemap_tag_state(tag) >= BYTEMAP_ALLOCATED &&
        (*seen & SEEN_COUNT) > pageframe_references(frame))
        return "the frame is mapped more often than it has references";
    return NULL;
}

/* Bounded by FAR_PIECES. */
static const char *far_fault(struct checker *checker, frame_t frame, uint64_t entry)
{
    const uint64_t cache = entry & ENTRY_CACHE_TYPE;
    struct far_piece *last = checker->far + checker->far_count;
    for (struct far_piece *piece = checker->far; piece < last; piece++)
        if (frame >= piece->first && frame < piece->end)
            return cache == piece->cache ? NULL
                                         : "the frame is mapped with another cache type elsewhere";
    if (checker->far_count > 0 && last[-1].end == frame && last[-1].cache == cache)
        last[-1].end++;
    else if (checker->far_count < FAR_PIECES)
        checker->far[checker->far_count++] = (struct far_piece){frame, frame + 1, cache};
    return NULL;
}

static const char *frame_fault(struct checker *checker, const struct paging_policy *policy,
                               frame_t frame, uint64_t entry)
{
    uint16_t *seen, now = rights_seen(policy, entry);
    const char *alias, *count;
    if (!is_backing(policy->backing, bytemap_get(frame), entry))
        return "a frame in a state that the row cannot have";
    if (frame >= checker->frames)
        return far_fault(checker, frame, entry);
    seen = &checker->seen[frame];
    alias = alias_fault(*seen, now);
    if ((*seen & SEEN_CACHE) == 0)
        *seen |= now & SEEN_CACHE;
    *seen |= now & ~SEEN_CACHE;
    count = count_fault(checker, policy->backing, frame);
    return alias != NULL ? alias : count;
}

/* Whether the page is in a piece that a window handed out, if it is in a window. */
static bool is_handed_out(uint32_t page)
{
    for (const struct window *window = paging_windows; window < paging_windows + WINDOW_COUNT;
         window++)
        if (page >= window->page && page - window->page < window->pages)
            return window_is_taken(window, page);
    return true;
}

/* One sentence for each leaf that is wrong in itself, else one for the first of its frames that is.
 */
static void check_leaf(struct checker *checker, uint32_t page, uint64_t entry, uint32_t pages)
{
    const struct paging_policy *policy = policy_of(page);
    struct paging_books *books = &checker->books[policy - paging_policies];
    const char *what = leaf_fault(policy, page, entry, pages);
    books->pages += pages;
    books->sum += entry & ~ENTRY_HARDWARE;
    if (is_beyond_width(entry + frame_address(pages - 1))) {
        fault_at(checker, page, entry, "a frame beyond the processor's physical width");
        return;
    }
    if (what == NULL && !is_handed_out(page))
        what = "mapped, but the page was not handed out";
    for (uint32_t i = 0; i < pages; i++) {
        const char *wrong = frame_fault(checker, policy, entry_frame(entry) + i, entry);
        if (what == NULL)
            what = wrong;
    }
    if (what != NULL)
        fault_at(checker, page, entry, what);
}

/* ---- tables ---- */

static void check_table(struct checker *checker, uint32_t page, const union paging_entry *entries)
{
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++) {
        uint64_t entry = entry_read(&entries[i]);
        if (entry_is_present(entry))
            check_leaf(checker, page + i, entry, 1);
        else if (entry != 0)
            fault_at(checker, page + i, entry, "absent, but not zero");
    }
}

static void check_slot(struct checker *checker, uint32_t page, uint64_t entry)
{
    const uint64_t user = is_private_page(page) ? ENTRY_USER : 0;
    if (!entry_is_present(entry)) {
        if (entry != 0)
            fault_at(checker, page, entry, "absent directory entry, but not zero");
        return;
    }
    if (entry_is_large(entry)) {
        check_leaf(checker, page, entry, SLOT_PAGES);
        return;
    }
    if ((entry & ~ENTRY_FRAME & ~ENTRY_ACCESSED) != entry_table(0, user))
        fault_at(checker, page, entry, "directory entry with bits that paging never writes");
    if (enter_table(checker, page, entry))
        check_table(checker, page, platform_frame_pointer(entry_frame(entry)));
}

/* One of the four top entries: nothing but present and the directory that this space has there. The
 * accessed bit is reserved in it, but QEMU sets it there. */
static void check_top(struct checker *checker, uint32_t top, uint64_t entry)
{
    const uint32_t page = top * TABLE_ENTRIES * SLOT_PAGES;
    const union paging_entry *entries;
    if ((entry & ~ENTRY_ACCESSED) != entry_directory(directory_frame(checker->space, top)))
        fault_at(checker, page, entry, "top entry does not name the space's directory");
    if (!entry_is_present(entry) || !enter_table(checker, page, entry))
        return;
    entries = platform_frame_pointer(entry_frame(entry));
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
        check_slot(checker, page + i * SLOT_PAGES, entry_read(&entries[i]));
}

/* Slots of a frame of tops that are no space's are zero. */
static void check_unused_tops(struct checker *checker, uint32_t index, frame_t frame)
{
    const union paging_entry *entries = platform_frame_pointer(frame);
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
        if (!tops_is_taken(index, i * (uint32_t)sizeof(*entries)) && entry_read(&entries[i]) != 0)
            check_fault(checker->check, "paging: entry %u of the frame of roots 0x%x is not zero",
                        (unsigned)i, (unsigned)frame);
}

/* The kernel's four top entries are the first in their frame. */
static void check_root(struct checker *checker)
{
    const uint64_t root = checker->space->root;
    const union paging_entry *entries;
    if (root % FRAME_SIZE != 0 || root >> 32 != 0)
        check_fault(checker->check, "paging: the root, 0x%llx, is misaligned or above 4 GiB",
                    (unsigned long long)root);
    if (!enter_table(checker, 0, root))
        return;
    entries = platform_frame_pointer(frame_of(root));
    for (uint32_t i = 0; i < TOP_ENTRIES; i++)
        check_top(checker, i, entry_read(&entries[i]));
    check_unused_tops(checker, 0, frame_of(root));
}

/* ---- other spaces ---- */

/* What a space's rows hold, found slot by slot. */
struct row_sums {
    uint64_t sum[2];
    uint32_t pages[2];
    uint32_t own;
};

/* Entries of a table, which has been looked at before if others share it. */
static void sum_table(const struct checker *checker, uint32_t page,
                      const union paging_entry *entries, struct row_sums *sums)
{
    const uint32_t slot = (page - PAGE_OF(MAP_USER_START)) / SLOT_PAGES;
    const uint32_t row = page >= PAGE_OF(MAP_LIBRARY_START);
    uint32_t used = 0, own = 0;
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++) {
        const uint64_t entry = entry_read(&entries[i]);
        used += entry != 0;
        own += (entry & ENTRY_OWN) != 0;
        sums->sum[row] += entry & ~ENTRY_HARDWARE;
    }
    sums->pages[row] += used;
    sums->own += own;
    if (used != checker->space->slots[slot].used || own != checker->space->slots[slot].own ||
        used == 0)
        check_fault(checker->check,
                    "paging: the table of 0x%08x has %u entries, %u of them own; the space says %u "
                    "and %u",
                    (unsigned)page_address(page), (unsigned)used, (unsigned)own,
                    (unsigned)checker->space->slots[slot].used,
                    (unsigned)checker->space->slots[slot].own);
}

/* An entry of an own row: as any other leaf, but for what only user.h does. */
static void check_user_leaf(struct checker *checker, uint32_t page, uint64_t entry,
                            bool is_writable)
{
    const uint64_t both = ENTRY_OWN | ENTRY_WRITE;
    if (entry == 0)
        return;
    if (is_writable && (entry & both) == both && !is_beyond_width(entry) &&
        pageframe_references(entry_frame(entry)) != 1)
        fault_at(checker, page, entry, "an own page that is writable and shared");
    check_leaf(checker, page, (entry & ~ENTRY_OWN) | ENTRY_PRESENT, 1);
}

/* A directory entry of an own row. Returns 1 if it names a table. */
static uint32_t check_user_slot(struct checker *checker, uint32_t page, uint64_t entry,
                                struct row_sums *sums)
{
    const uint32_t slot = (page - PAGE_OF(MAP_USER_START)) / SLOT_PAGES;
    const frame_t table = entry_frame(entry);
    const union paging_entry *entries;
    if (!entry_is_present(entry)) {
        if (entry != 0)
            fault_at(checker, page, entry, "absent directory entry, but not zero");
        if ((checker->space->slots[slot].used | checker->space->slots[slot].own) != 0)
            fault_at(checker, page, entry, "no table, and the space counts entries in it");
        return 0;
    }
    if ((entry & ~(ENTRY_FRAME | ENTRY_ACCESSED | ENTRY_WRITE)) !=
        (entry_table(0, ENTRY_USER) & ~ENTRY_WRITE))
        fault_at(checker, page, entry, "directory entry with bits that paging never writes");
    if (is_beyond_width(entry) || table >= checker->frames || table >= PAGING_DIRECT_FRAMES ||
        bytemap_tag_state(bytemap_get(table)) != BYTEMAP_PAGE_TABLE) {
        fault_at(checker, page, entry, "names a frame that is no page table");
        return 0;
    }
    if ((entry & ENTRY_WRITE) && pageframe_references(table) != 1)
        fault_at(checker, page, entry, "a table that others share can be written through");
    entries = platform_frame_pointer(table);
    if (!(checker->seen[table] & SEEN_TABLE)) {
        checker->seen[table] |= SEEN_TABLE;
        checker->tables++;
        for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
            check_user_leaf(checker, page + i, entry_read(&entries[i]), entry & ENTRY_WRITE);
    }
    if ((checker->seen[table] & SEEN_COUNT) < SEEN_COUNT)
        checker->seen[table]++;
    sum_table(checker, page, entries, sums);
    return 1;
}

static void check_user_sums(struct checker *checker, const struct row_sums *sums, uint32_t tables)
{
    const struct paging_space *space = checker->space;
    for (unsigned row = 0; row < 2; row++)
        if (space->books[row].pages != sums->pages[row] || space->books[row].sum != sums->sum[row])
            check_fault(checker->check,
                        "paging: root 0x%llx, %s: %u pages (sum 0x%llx), the books say %u (0x%llx)",
                        (unsigned long long)space->root, row == 0 ? "user space" : "library space",
                        (unsigned)sums->pages[row], (unsigned long long)sums->sum[row],
                        (unsigned)space->books[row].pages,
                        (unsigned long long)space->books[row].sum);
    if (space->own_pages != sums->own || space->tables != tables)
        check_fault(checker->check,
                    "paging: root 0x%llx: %u own pages in %u tables, it says %u in %u",
                    (unsigned long long)space->root, (unsigned)sums->own, (unsigned)tables,
                    (unsigned)space->own_pages, (unsigned)space->tables);
}

/* The first directory: the kernel's entries, and its own. */
static void check_user_directory(struct checker *checker)
{
    const union paging_entry *entries = platform_frame_pointer(checker->space->directory);
    const union paging_entry *kernel = platform_frame_pointer(paging_kernel.directory);
    struct row_sums sums = {{0, 0}, {0, 0}, 0};
    uint32_t tables = 0;
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++) {
        const uint64_t entry = entry_read(&entries[i]);
        if (is_private_page(i * SLOT_PAGES))
            tables += check_user_slot(checker, i * SLOT_PAGES, entry, &sums);
        else if (((entry ^ entry_read(&kernel[i])) & ~ENTRY_HARDWARE) != 0)
            fault_at(checker, i * SLOT_PAGES, entry, "not the kernel's directory entry");
    }
    check_user_sums(checker, &sums, tables);
}

static void check_user_space(struct checker *checker)
{
    const struct paging_space *space = checker->space;
    const frame_t root = frame_of(space->root);
    const union paging_entry *top;
    uint32_t index = 0;
    while (index < TOP_FRAMES && tops_frame(index) != root)
        index++;
    if (space->root >> 32 != 0 || space->root % TOP_SIZE != 0 || index == TOP_FRAMES ||
        !tops_is_taken(index, (uint32_t)(space->root % FRAME_SIZE))) {
        check_fault(checker->check, "paging: the root 0x%llx is in no frame of roots",
                    (unsigned long long)space->root);
        return;
    }
    top = platform_frame_pointer(root);
    top += space->root % FRAME_SIZE / sizeof(*top);
    for (uint32_t i = 0; i < TOP_ENTRIES; i++) {
        const uint64_t entry = entry_read(&top[i]);
        if ((entry & ~ENTRY_ACCESSED) != entry_directory(directory_frame(space, i)))
            fault_at(checker, i * TABLE_ENTRIES * SLOT_PAGES, entry,
                     "top entry does not name the space's directory");
    }
    if (enter_table(checker, 0, entry_directory(space->directory)))
        check_user_directory(checker);
}

/* Frames of tops beside the first, which is the kernel's. */
static void check_tops(struct checker *checker)
{
    for (uint32_t index = 1; index < TOP_FRAMES; index++) {
        const frame_t frame = tops_frame(index);
        if (frame == FRAME_NONE || !enter_table(checker, 0, frame_address(frame)))
            continue;
        check_unused_tops(checker, index, frame);
    }
}

static uint32_t unmapped; /* of the last check */

uint32_t paging_check_unmapped(void)
{
    return unmapped;
}

static bool is_program_frame(bytemap_tag_t tag)
{
    return is_allocated_by(tag, BYTEMAP_USER) || is_allocated_by(tag, BYTEMAP_LIBRARY);
}

/* References of tables are directory entries; references of programs' frames are entries. A frame
 * whose entries were too many to count is left out. */
static void check_references(struct checker *checker)
{
    for (frame_t frame = 0; frame < checker->frames; frame++) {
        const uint32_t count = checker->seen[frame] & SEEN_COUNT;
        const bytemap_tag_t tag = bytemap_get(frame);
        if (count == SEEN_COUNT)
            continue;
        if (bytemap_tag_state(tag) == BYTEMAP_PAGE_TABLE && count != 0 &&
            count != pageframe_references(frame))
            check_fault(checker->check,
                        "paging: %u directory entries name table 0x%x, which has %u references",
                        (unsigned)count, (unsigned)frame, (unsigned)pageframe_references(frame));
        if (is_program_frame(tag))
            unmapped += pageframe_references(frame) - count;
    }
}

static void check_spaces(struct checker *checker)
{
    check_tops(checker);
    for (struct paging_space *space = paging_space_first(); space != NULL;
         space = paging_space_next(space)) {
        checker->space = space;
        check_user_space(checker);
    }
    unmapped = 0;
    check_references(checker);
    checker->space = &paging_kernel;
}

/* ---- sums ---- */

static void check_books(struct checker *checker)
{
    for (uint32_t i = 0; i < POLICY_COUNT; i++) {
        const uint32_t page = paging_policies[i].page;
        const struct paging_books *kept = books_of(checker->space, &paging_policies[i]);
        const struct paging_books *found = &checker->books[i];
        const char *name = memory_row_of(page_address(page))->name;
        if (kept->pages != found->pages)
            check_fault(
                checker->check, "paging: 0x%08x (%s): %u pages are mapped, the books say %u",
                (unsigned)page_address(page), name, (unsigned)found->pages, (unsigned)kept->pages);
        else if (kept->sum != found->sum)
            check_fault(checker->check,
                        "paging: 0x%08x (%s): some entry is not what paging wrote (sum 0x%llx, "
                        "the books say 0x%llx)",
                        (unsigned)page_address(page), name, (unsigned long long)found->sum,
                        (unsigned long long)kept->sum);
    }
}

/* Tables that an operation has taken and not entered yet are in the bytemap only. */
static void check_counts(struct checker *checker)
{
    const uint32_t heap =
        checker->books[policy_of(PAGE_OF(MAP_HEAP_START)) - paging_policies].pages;
    const uint32_t frames = bytemap_count_state(BYTEMAP_PAGE_TABLE);
    if (frames - checker->tables > paging_spares ||
        checker->tables + paging_spares != paging_table_frames())
        check_fault(checker->check,
                    "paging: %u page tables are reached, the bytemap has %u, the books say %u "
                    "(%u of them spare)",
                    (unsigned)checker->tables, (unsigned)frames, (unsigned)paging_table_frames(),
                    (unsigned)paging_spares);
    if (heap != bytemap_count_state(BYTEMAP_HEAP))
        check_fault(checker->check, "paging: %u heap pages are mapped, the bytemap has %u",
                    (unsigned)heap, (unsigned)bytemap_count_state(BYTEMAP_HEAP));
}

static uint32_t count_bits(uint32_t word)
{
    uint32_t count = 0;
    for (; word != 0; word &= word - 1)
        count++;
    return count;
}

/* Taken pages are the mapped ones and one guard for each piece; while a piece is being mapped or
 * unmapped, fewer are mapped. */
static void check_window(struct checker *checker, const struct window *window)
{
    const uint32_t mapped = checker->books[policy_of(window->page) - paging_policies].pages;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < window->pages / 32; i++)
        taken += count_bits(window->taken[i]);
    if (taken != window->taken_pages || taken < mapped + window->pieces ||
        (window->moving == 0 && taken != mapped + window->pieces))
        check_fault(checker->check,
                    "paging: 0x%08x (%s): %u pages are taken and %u mapped in %u pieces, the books "
                    "say %u taken",
                    (unsigned)page_address(window->page),
                    memory_row_of(page_address(window->page))->name, (unsigned)taken,
                    (unsigned)mapped, (unsigned)window->pieces, (unsigned)window->taken_pages);
}

void paging_check(const struct paging_space *space, void *scratch, struct check *check)
{
    static struct checker checker; /* too large for an interrupt's stack */
    unsigned long interrupts = platform_interrupts_save();
    checker = (struct checker){
        .space = space, .seen = scratch, .frames = bytemap_frames(), .check = check};
    memset(scratch, 0, paging_check_scratch_bytes(checker.frames));
    check_root(&checker);
    check_books(&checker);
    check_spaces(&checker);
    check_counts(&checker);
    for (uint32_t i = 0; i < WINDOW_COUNT; i++)
        check_window(&checker, &paging_windows[i]);
    platform_interrupts_restore(interrupts);
}
