/*
 * Random calls on memory, each compared with a model that has one element a page and no other idea:
 * the result, what each touched page holds or how its touch faults, what /proc/self/maps says. A
 * line each hundred steps has a hash of all that was seen, so that what the model leaves open (that
 * is: nothing but its own mistakes) is compared between machines.
 *
 *      memory_random [SEEDS [STEPS [FIRST SEED]]]
 *
 * What the model does not know, the steps avoid:
 * - whether two neighbours that look the same are one area of Linux depends on their history, and
 *   mremap asks for it: so ranges that it moves or lengthens lie in one piece of one mapping, or
 *   in pieces that differ;
 * - what mincore says depends on large pages and read-ahead.
 */
#include "check.h"
#include <sys/resource.h>

#define SLOT        512u /* pages under one page table: the borders are where things go wrong */
#define PAGES       (3 * SLOT)
#define WINDOW      0x24000000u
#define CONTROL     0x23000000u
#define FILE_FIRST  12u /* pages of the file at first and at most */
#define FILE_MAX    64u
#define OBJECTS     64u
#define OBJECT_MAX  700u
#define BREAK_MAX   64u
#define GENERATIONS 3

enum kind { NOTHING, ANONYMOUS, OBJECT, FILE_PRIVATE, FILE_SHARED };

struct page {
    uint8_t kind, rights, locked, read_only; /* read_only: its file is open for reading alone */
    uint8_t own;                             /* a private page that is not the file's, or zero */
    uint16_t object;
    uint32_t index;
    uint32_t value;
    uint32_t piece; /* pages of one number are one area for sure */
};

/* What processes share in truth, they share in the model. */
struct control {
    uint32_t file_pages, file[FILE_MAX];
    uint32_t child_hash;
    struct {
        uint32_t references, pages, values[OBJECT_MAX];
    } objects[OBJECTS];
};

static struct control *const control = (struct control *)CONTROL;
static struct page window[PAGES];
static struct page heap[BREAK_MAX]; /* beyond heap_start */
static uint32_t heap_start, heap_pages;
static int writable, readable; /* the file's two descriptors */
static uint32_t seed, state, hash, step, pieces;
static int generation;

/* The step that is made, for who has to look into it. */
static struct {
    const char *call;
    uint32_t words[4];
} now;

/* ------------------------------------------------------------------------------------- chance */

static uint32_t random_word(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static uint32_t below(uint32_t limit)
{
    return random_word() % limit;
}

static bool one_in(uint32_t count)
{
    return below(count) == 0;
}

static void mix(uint32_t word)
{
    hash = (hash ^ word) * 16777619u;
}

struct range {
    uint32_t from, pages;
};

static struct range choose_pages(uint32_t pages)
{
    uint32_t from = one_in(4) ? below(PAGES) : SLOT * (1 + below(2)) + below(40) - 24;
    return (struct range){from + pages > PAGES ? PAGES - pages : from, pages};
}

static struct range choose(void)
{
    return choose_pages(one_in(10) ? 1 + below(600) : 1 + below(12));
}

static int choose_rights(void)
{
    static const int rights[] = {PROT_NONE, PROT_READ, PROT_WRITE, PROT_READ | PROT_EXEC,
                                 RW,        RW,        RW};
    return rights[below(sizeof rights / sizeof rights[0])];
}

static char *address_of(uint32_t page)
{
    return (char *)(WINDOW + page * PAGE);
}

/* ------------------------------------------------------------------------------------ judging */

static void wrong(const char *what, uint32_t page, long got, long wanted)
{
    printf("WRONG: seed %u, step %u, generation %d: %s(%x, %x, %x, %x): %s %u: %ld, not %ld\n",
           (unsigned)seed, (unsigned)step, generation, now.call, (unsigned)now.words[0],
           (unsigned)now.words[1], (unsigned)now.words[2], (unsigned)now.words[3], what,
           (unsigned)page, got, wanted);
    fflush(stdout);
    _exit(1);
}

static void expect(long got, long wanted)
{
    if (got == -1)
        got = -errno;
    mix((uint32_t)got);
    if (got != wanted)
        wrong("result", 0, got, wanted);
}

static void say(const char *call, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    now.call = call;
    memcpy(now.words, (uint32_t[]){a, b, c, d}, sizeof now.words);
    mix(a * 3 + b * 5 + c * 7 + d * 11);
}

/* -------------------------------------------------------------------------------- the model */

static bool is_private(const struct page *page)
{
    return page->kind == ANONYMOUS || page->kind == FILE_PRIVATE;
}

static bool is_beyond(const struct page *page)
{
    if (page->kind == OBJECT)
        return page->index >= control->objects[page->object].pages;
    if (page->kind == FILE_PRIVATE || page->kind == FILE_SHARED)
        return !page->own && page->index >= control->file_pages;
    return false;
}

/* Where the value of a page stands that is not beyond its object. */
static uint32_t *value_of(struct page *page)
{
    if (page->kind == OBJECT)
        return &control->objects[page->object].values[page->index];
    if (page->kind == ANONYMOUS || page->own)
        return &page->value;
    return &control->file[page->index];
}

/* A private page gets what is there before it is written. */
static void take_own(struct page *page)
{
    if (!is_private(page) || page->own)
        return;
    page->value = *value_of(page);
    page->own = 1;
}

static void lose_own(struct page *page)
{
    page->own = 0;
    page->value = 0;
}

/* A fault as a number: 0 for none. */
static int fault_number(int signal, int code)
{
    return signal * 16 + code;
}

static int predict(const struct page *page, bool write)
{
    if (page->kind == NOTHING)
        return fault_number(SIGSEGV, SEGV_MAPERR);
    if (write ? !(page->rights & PROT_WRITE) : page->rights == PROT_NONE)
        return fault_number(SIGSEGV, SEGV_ACCERR);
    return is_beyond(page) ? fault_number(SIGBUS, BUS_ADRERR) : 0;
}

static void put(uint32_t at, struct page page)
{
    if (window[at].kind == OBJECT)
        control->objects[window[at].object].references--;
    if (page.kind == OBJECT)
        control->objects[page.object].references++;
    window[at] = page;
}

static void clear(struct range range)
{
    for (uint32_t i = 0; i < range.pages; i++)
        put(range.from + i, (struct page){0});
}

/* Its pages are cut out of the pieces that they belong to. */
static void cut(struct range range)
{
    uint32_t before = 0;
    for (uint32_t i = range.from; i < range.from + range.pages; i++) {
        if (i == range.from || window[i].piece != before)
            pieces++;
        before = window[i].piece;
        window[i].piece = pieces;
    }
}

static uint32_t mapped_pages(struct range range)
{
    uint32_t mapped = 0;
    for (uint32_t i = 0; i < range.pages; i++)
        mapped += window[range.from + i].kind != NOTHING;
    return mapped;
}

/* How many pages there are before the first hole. */
static uint32_t pages_to_hole(struct range range)
{
    uint32_t count = 0;
    while (count < range.pages && window[range.from + count].kind != NOTHING)
        count++;
    return count;
}

/* Brings pages in until one cannot be: what is writable and private is written. Whether all are. */
static bool populate(struct range range)
{
    for (uint32_t i = range.from; i < range.from + range.pages; i++) {
        if (predict(&window[i], false) != 0)
            return false;
        if (window[i].rights & PROT_WRITE)
            take_own(&window[i]);
    }
    return true;
}

/* ----------------------------------------------------------------------------------- touching */

static sigjmp_buf way_back;
static volatile uint32_t fault_at;
static volatile int fault;

static void on_random_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    fault = fault_number(number, info->si_code);
    fault_at = (uint32_t)(uintptr_t)info->si_addr;
    siglongjmp(way_back, 1);
}

/* A page's value stands in it three times, so that a page that is copied in part is found. */
static volatile uint32_t *word_of(uint32_t address, unsigned number)
{
    static const uint32_t offsets[3] = {0, 2048, PAGE - 4};
    return (volatile uint32_t *)(address + offsets[number]);
}

static int load(uint32_t address, uint32_t words[3])
{
    fault = 0;
    if (sigsetjmp(way_back, 0) == 0)
        for (unsigned i = 0; i < 3; i++)
            words[i] = *word_of(address, i);
    return fault;
}

static int store(uint32_t address, uint32_t value)
{
    fault = 0;
    if (sigsetjmp(way_back, 0) == 0)
        for (unsigned i = 0; i < 3; i++)
            *word_of(address, i) = value * (2 * i + 1);
    return fault;
}

static void check_fault(uint32_t number, int got, int wanted, uint32_t address)
{
    mix((uint32_t)got);
    if (got != wanted)
        wrong("fault of page", number, got, wanted);
    if (got != 0 && fault_at != address)
        wrong("address of the fault of page", number, (long)fault_at, (long)address);
}

static void read_page(struct page *page, uint32_t number, uint32_t address)
{
    uint32_t words[3] = {0};
    const int wanted = predict(page, false);
    check_fault(number, load(address, words), wanted, address);
    for (unsigned i = 0; i < 3 && wanted == 0; i++) {
        mix(words[i]);
        if (words[i] != *value_of(page) * (2 * i + 1))
            wrong("content of page", number, (long)words[i], (long)(*value_of(page) * (2 * i + 1)));
    }
}

static void write_page(struct page *page, uint32_t number, uint32_t address)
{
    const uint32_t value = random_word();
    const int wanted = predict(page, true);
    check_fault(number, store(address, value), wanted, address);
    if (wanted == 0) {
        take_own(page);
        *value_of(page) = value;
    }
}

static void touch_page(uint32_t number)
{
    if (one_in(2))
        read_page(&window[number], number, WINDOW + number * PAGE);
    else
        write_page(&window[number], number, WINDOW + number * PAGE);
}

/* Some pages of a range and beside it: all would leave nothing that is still to come in. */
static void look_around(struct range range)
{
    const uint32_t last = range.from + range.pages - 1;
    const uint32_t pages[] = {range.from, last, range.from + below(range.pages),
                              range.from == 0 ? 0 : range.from - 1,
                              last + 1 == PAGES ? last : last + 1};
    for (unsigned i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (one_in(2))
            touch_page(pages[i]);
}

static void read_every(uint32_t distance)
{
    say("reading", distance, 0, 0, 0);
    for (uint32_t i = below(distance); i < PAGES; i += distance)
        read_page(&window[i], i, WINDOW + i * PAGE);
    for (uint32_t i = 0; i < BREAK_MAX; i += distance)
        read_page(&heap[i], PAGES + i, heap_start + i * PAGE);
}

/* /proc/self/maps, page by page. */
static void check_layout(void)
{
    static char there[PAGES][5];
    const char *line = proc_text("/proc/self/maps");
    memset(there, 0, sizeof there);
    for (; *line != '\0'; line = strchr(line, '\n') + 1) {
        char *after;
        uint32_t start = strtoul(line, &after, 16), end = strtoul(after + 1, &after, 16);
        for (uint32_t at = start; at < end && at - WINDOW < PAGES * PAGE; at += PAGE)
            memcpy(there[(at - WINDOW) / PAGE], after + 1, 4);
    }
    say("/proc/self/maps", 0, 0, 0, 0);
    for (uint32_t i = 0; i < PAGES; i++) {
        const struct page *page = &window[i];
        char wanted[5] = {page->rights & PROT_READ ? 'r' : '-',
                          page->rights & PROT_WRITE ? 'w' : '-',
                          page->rights & PROT_EXEC ? 'x' : '-', is_private(page) ? 'p' : 's', 0};
        if (page->kind == NOTHING)
            wanted[0] = '\0';
        if (strcmp(there[i], wanted) != 0) {
            printf("%s is there, not %s\n", there[i], wanted);
            wrong("rights of page", i, 0, 0);
        }
    }
}

/* -------------------------------------------------------------------------------------- steps */

static int free_object(void)
{
    for (unsigned i = 0; i < OBJECTS; i++)
        if (control->objects[i].references == 0)
            return (int)i;
    return -1;
}

static void new_object(unsigned number, uint32_t pages)
{
    control->objects[number].pages = pages;
    memset(control->objects[number].values, 0, sizeof control->objects[number].values);
}

static void map_some(void)
{
    static const uint8_t kinds[] = {ANONYMOUS,    ANONYMOUS,    ANONYMOUS,  OBJECT,
                                    FILE_PRIVATE, FILE_PRIVATE, FILE_SHARED};
    const struct range range = choose();
    struct page page = {.kind = kinds[below(sizeof kinds)], .rights = (uint8_t)choose_rights()};
    const int object = free_object();
    bool keeps = one_in(4);
    int flags = 0, file = -1;
    if (page.kind == OBJECT && object < 0)
        page.kind = ANONYMOUS;
    flags |= is_private(&page) ? MAP_PRIVATE : MAP_SHARED;
    flags |= one_in(8) ? MAP_NORESERVE : 0;
    flags |= one_in(8) ? MAP_POPULATE : 0;
    page.read_only = page.kind >= FILE_PRIVATE && one_in(3);
    const bool refused = page.kind == FILE_SHARED && page.read_only && page.rights & PROT_WRITE;
    keeps = keeps && !refused; /* of two errors, which one is nobody's promise */
    flags |= keeps ? MAP_FIXED_NOREPLACE : MAP_FIXED;
    if (page.kind >= FILE_PRIVATE) {
        file = page.read_only ? readable : writable;
        page.index = below(FILE_MAX);
    } else {
        flags |= MAP_ANONYMOUS;
        page.object = (uint16_t)object;
    }
    say("mmap", range.from, range.pages, page.rights, (uint32_t)flags);
    long wanted = (long)address_of(range.from);
    if (refused)
        wanted = -EACCES;
    else if (keeps && mapped_pages(range) != 0)
        wanted = -EEXIST;
    expect((long)mmap2(address_of(range.from), range.pages * PAGE, page.rights, flags, file,
                       page.index),
           wanted);
    if (wanted > 0) {
        if (page.kind == OBJECT)
            new_object(page.object, range.pages);
        page.piece = ++pieces;
        for (uint32_t i = 0; i < range.pages; i++, page.index++)
            put(range.from + i, page);
        if (flags & MAP_POPULATE)
            (void)populate(range);
    }
    look_around(range);
}

static void unmap_some(void)
{
    const struct range range = choose();
    say("munmap", range.from, range.pages, 0, 0);
    expect(munmap(address_of(range.from), range.pages * PAGE), 0);
    clear(range);
    look_around(range);
}

/* A locked private page that becomes writable is written at once. */
static void protect_page(uint32_t at, int rights)
{
    struct page *page = &window[at];
    const bool comes_in = page->locked && is_private(page) && !(page->rights & PROT_WRITE);
    page->rights = (uint8_t)rights;
    if (comes_in)
        (void)populate((struct range){at, 1});
}

static void protect_some(void)
{
    const struct range range = choose();
    const int rights = choose_rights();
    uint32_t done = pages_to_hole(range);
    long wanted = done < range.pages ? -ENOMEM : 0;
    for (uint32_t i = 0; i < done && rights & PROT_WRITE; i++)
        if (window[range.from + i].kind == FILE_SHARED && window[range.from + i].read_only) {
            wanted = -EACCES;
            done = i;
        }
    say("mprotect", range.from, range.pages, (uint32_t)rights, 0);
    expect(mprotect(address_of(range.from), range.pages * PAGE, rights), wanted);
    cut((struct range){range.from, done});
    for (uint32_t i = 0; i < done; i++)
        protect_page(range.from + i, rights);
    look_around(range);
}

static void forget_some(void)
{
    const struct range range = choose();
    long wanted = 0;
    for (uint32_t i = range.from; i < range.from + range.pages && wanted != -EINVAL; i++) {
        if (window[i].kind == NOTHING)
            wanted = -ENOMEM; /* and goes on */
        else if (window[i].locked)
            wanted = -EINVAL;
        else if (is_private(&window[i]))
            lose_own(&window[i]);
    }
    say("madvise", range.from, range.pages, 0, 0);
    expect(madvise(address_of(range.from), range.pages * PAGE, MADV_DONTNEED), wanted);
    look_around(range);
}

static void lock_some(void)
{
    const struct range range = choose();
    const uint32_t done = pages_to_hole(range);
    const bool locks = one_in(2);
    long wanted = done < range.pages ? -ENOMEM : 0;
    say(locks ? "mlock" : "munlock", range.from, range.pages, 0, 0);
    cut((struct range){range.from, done});
    for (uint32_t i = 0; i < done; i++)
        window[range.from + i].locked = locks;
    if (locks && wanted == 0 && !populate(range))
        wanted = -ENOMEM;
    expect(locks ? mlock(address_of(range.from), range.pages * PAGE)
                 : munlock(address_of(range.from), range.pages * PAGE),
           wanted);
    look_around(range);
}

/* ------------------------------------------------------------------------------------- mremap */

enum unity { ONE_AREA, SEVERAL_AREAS, WHO_KNOWS };

static bool differ(const struct page *page, const struct page *next)
{
    return page->kind != next->kind || page->rights != next->rights;
}

static enum unity unity_of(struct range range)
{
    enum unity unity = ONE_AREA;
    for (uint32_t i = range.from + 1; i < range.from + range.pages; i++) {
        if (differ(&window[i - 1], &window[i]))
            return SEVERAL_AREAS;
        if (window[i - 1].piece != window[i].piece)
            unity = WHO_KNOWS;
    }
    return unity;
}

static long remap(uint32_t from, uint32_t pages, uint32_t new_pages, int flags, uint32_t to)
{
    say("mremap", from, pages, new_pages, to << 4 | (uint32_t)flags);
    return syscall(SYS_mremap, address_of(from), pages * PAGE, new_pages * PAGE, flags,
                   address_of(to));
}

/* The pages that follow one, `first` of them there already, are the next ones of its mapping. */
static void extend(uint32_t to, uint32_t first, uint32_t pages)
{
    for (uint32_t i = first; i < pages; i++) {
        struct page page = window[to];
        page.index += i;
        lose_own(&page);
        put(to + i, page);
    }
    if (window[to].locked && first < pages)
        (void)populate((struct range){to + first, pages - first});
}

static void resize_some(void)
{
    const struct range range = choose();
    const uint32_t wish = one_in(2) ? 1 + below(range.pages) : range.pages + 1 + below(20);
    const uint32_t pages = range.from + wish > PAGES ? PAGES - range.from : wish;
    long wanted = (long)address_of(range.from);
    if (pages > range.pages) {
        const enum unity unity = unity_of(range);
        if (unity == WHO_KNOWS)
            return;
        if (unity == SEVERAL_AREAS)
            wanted = -EFAULT;
        else if (mapped_pages((struct range){range.from + range.pages, pages - range.pages}) != 0)
            wanted = -ENOMEM;
    }
    if (window[range.from].kind == NOTHING)
        wanted = -EFAULT;
    expect(remap(range.from, range.pages, pages, 0, 0), wanted);
    if (wanted > 0 && pages <= range.pages)
        clear((struct range){range.from + pages, range.pages - pages});
    else if (wanted > 0)
        extend(range.from, range.pages, pages);
    look_around(range);
}

static bool overlap(struct range one, struct range other)
{
    return one.from < other.from + other.pages && other.from < one.from + one.pages;
}

/* Its pages are at the new place, and are or are not at the old one. */
static void move_model(struct range range, struct range to, bool leaves_old)
{
    pieces++;
    for (uint32_t i = 0; i < range.pages; i++) {
        put(to.from + i, window[range.from + i]);
        window[to.from + i].piece = pieces;
        lose_own(&window[range.from + i]);
        window[range.from + i].locked = 0;
    }
    if (leaves_old)
        cut(range);
    else
        clear(range);
    extend(to.from, range.pages, to.pages);
}

/* What is at the target goes first, and what the new length leaves of the old range: then an old
 * range that is not one area is an error. */
static void move_some(void)
{
    const struct range range = choose();
    const bool leaves_old = one_in(6);
    const uint32_t pages = leaves_old || one_in(2) ? range.pages : 1 + below(range.pages + 8);
    const struct range to = choose_pages(pages > PAGES ? PAGES : pages);
    const uint32_t moved = range.pages < to.pages ? range.pages : to.pages;
    const enum unity unity = unity_of((struct range){range.from, moved});
    const bool starts = window[range.from].kind != NOTHING, apart = !overlap(range, to);
    if (starts ? apart && unity == WHO_KNOWS : !apart)
        return;
    const long result =
        remap(range.from, range.pages, to.pages,
              MREMAP_MAYMOVE | MREMAP_FIXED | (leaves_old ? MREMAP_DONTUNMAP : 0), to.from);
    expect(result, !starts                  ? -EFAULT
                   : !apart                 ? -EINVAL
                   : unity == SEVERAL_AREAS ? -EFAULT
                                            : (long)address_of(to.from));
    if (starts && apart) {
        clear(to);
        clear((struct range){range.from + moved, range.pages - moved});
        if (unity == ONE_AREA)
            move_model((struct range){range.from, moved}, to, leaves_old);
    }
    look_around(range);
    look_around(to);
}

/* An old size of 0: a second view of shared memory. */
static void double_some(void)
{
    const struct range to = choose();
    const uint32_t from = choose().from;
    struct page page = window[from];
    if ((page.kind != OBJECT && page.kind != FILE_SHARED) || overlap(to, (struct range){from, 1}))
        return;
    expect(remap(from, 0, to.pages, MREMAP_MAYMOVE | MREMAP_FIXED, to.from),
           (long)address_of(to.from));
    page.piece = ++pieces;
    for (uint32_t i = 0; i < to.pages; i++, page.index++)
        put(to.from + i, page);
    if (page.locked)
        (void)populate(to);
    look_around(to);
}

/* --------------------------------------------------------------------------- the file, the heap */

static void read_file(void)
{
    const struct range range = choose_pages(1);
    const uint32_t index = below(control->file_pages + 1);
    struct page *page = &window[range.from];
    long wanted = PAGE;
    say("pread", range.from, index, 0, 0);
    if (index == control->file_pages)
        wanted = 0;
    else if (predict(page, true) != 0)
        wanted = -EFAULT;
    expect(pread(readable, address_of(range.from), PAGE, (off_t)index * PAGE), wanted);
    if (wanted > 0) {
        take_own(page);
        *value_of(page) = control->file[index];
    }
    look_around(range);
}

static void write_file(void)
{
    const struct range range = choose_pages(1);
    const uint32_t rest = FILE_MAX - control->file_pages;
    const uint32_t index = below(control->file_pages + (rest != 0 && one_in(4)));
    struct page *page = &window[range.from];
    const long wanted = predict(page, false) != 0 ? -EFAULT : (long)PAGE;
    const uint32_t value = wanted > 0 ? *value_of(page) : 0;
    say("pwrite", range.from, index, 0, 0);
    expect(pwrite(writable, address_of(range.from), PAGE, (off_t)index * PAGE), wanted);
    if (wanted > 0 && index == control->file_pages)
        control->file_pages++;
    if (wanted > 0)
        control->file[index] = value;
    look_around(range);
}

static void lengthen_file(void)
{
    if (control->file_pages == FILE_MAX || !one_in(4))
        return;
    control->file_pages++;
    say("ftruncate", control->file_pages, 0, 0, 0);
    expect(ftruncate(writable, (off_t)control->file_pages * PAGE), 0);
}

static void move_break(void)
{
    const uint32_t pages = below(BREAK_MAX), end = heap_start + pages * PAGE;
    say("brk", pages, 0, 0, 0);
    expect(syscall(SYS_brk, end) - (long)end, 0);
    for (uint32_t i = 0; i < BREAK_MAX; i++)
        if (i >= pages)
            heap[i] = (struct page){0};
        else if (i >= heap_pages)
            heap[i] = (struct page){.kind = ANONYMOUS, .rights = RW};
    heap_pages = pages;
    const uint32_t first = below(BREAK_MAX), second = below(BREAK_MAX);
    read_page(&heap[first], PAGES + first, heap_start + first * PAGE);
    write_page(&heap[second], PAGES + second, heap_start + second * PAGE);
}

static void touch_some(void)
{
    const struct range range = choose();
    say("touching", range.from, range.pages, 0, 0);
    for (uint32_t i = 0; i < range.pages && i < 20; i++)
        touch_page(range.from + i);
}

/* -------------------------------------------------------------------------------------- family */

static void make_steps(uint32_t count);

/* What the child's pages refer to, it refers to as well, until it ends. */
static void refer(uint32_t change)
{
    for (uint32_t i = 0; i < PAGES; i++)
        if (window[i].kind == OBJECT)
            control->objects[window[i].object].references += change;
}

static void hand_over(int end)
{
    if (write(end, "", 1) != 1)
        wrong("handing over to the other", 0, errno, 0);
}

static void take_over(int end)
{
    char byte;
    if (read(end, &byte, 1) != 1)
        wrong("the other has gone", 0, 0, 0);
}

/* Makes steps, so that the parent's pages have to be copied; looks at its own after the parent's
 * steps; and makes some more while nobody else has them any longer. */
static void live_as_child(int from_parent, int to_parent)
{
    generation++;
    state = state * 2654435761u | 1;
    for (uint32_t i = 0; i < PAGES; i++)
        window[i].locked = 0;
    read_every(1 + below(16));
    make_steps(1 + below(12));
    hand_over(to_parent);
    take_over(from_parent);
    read_every(1 + below(4));
    make_steps(1 + below(12));
    refer(-1u);
    control->child_hash = hash;
    if (one_in(3))
        raise(SIGKILL);
    _exit(7);
}

static void close_both(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static void have_child(void)
{
    int down[2], up[2], status = 0;
    if (generation == GENERATIONS || (generation > 0 && one_in(2)))
        return;
    say("fork", 0, 0, 0, 0);
    if (pipe(down) != 0 || pipe(up) != 0)
        wrong("pipes", 0, errno, 0);
    refer(1);
    const pid_t child = fork();
    if (child < 0)
        wrong("fork", 0, errno, 0);
    if (child == 0) {
        close(down[1]);
        close(up[0]);
        live_as_child(down[0], up[1]);
    }
    close(up[1]);
    take_over(up[0]);
    read_every(1 + below(4));
    make_steps(1 + below(12));
    say("fork", 0, 0, 0, 0);
    hand_over(down[1]);
    if (waitpid(child, &status, 0) != child)
        wrong("child", 0, errno, 0);
    if (status != 7 << 8 && status != SIGKILL)
        wrong("child's end", 0, status, 7 << 8);
    close(up[0]);
    close_both(down);
    mix((uint32_t)status);
    mix(control->child_hash);
    read_every(1 + below(4));
}

/* ---------------------------------------------------------------------------------- sequences */

static const struct {
    uint8_t weight;
    void (*make)(void);
} steps[] = {{20, map_some},   {12, unmap_some},  {14, protect_some}, {6, forget_some},
             {5, lock_some},   {10, resize_some}, {12, move_some},    {3, double_some},
             {6, read_file},   {6, write_file},   {2, lengthen_file}, {6, move_break},
             {20, touch_some}, {2, have_child}};

static void make_step(void)
{
    uint32_t chosen = 0, left = 0;
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++)
        left += steps[i].weight;
    left = below(left);
    while (left >= steps[chosen].weight)
        left -= steps[chosen++].weight;
    steps[chosen].make();
}

static void make_steps(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        make_step();
    if (one_in(4))
        check_layout();
}

static void begin(void)
{
    char path[] = "/tmp/randomXXXXXX";
    writable = (int)MUST(mkstemp(path));
    readable = (int)MUST(open(path, O_RDONLY));
    MUST(unlink(path));
    MUST(ftruncate(writable, FILE_FIRST * PAGE));
    memset(control, 0, sizeof *control);
    control->file_pages = FILE_FIRST;
    memset(window, 0, sizeof window);
    state = seed * 2654435761u | 1;
    hash = 2166136261u;
}

static void end(void)
{
    clear((struct range){0, PAGES});
    MUST(munmap(address_of(0), PAGES * PAGE));
    close(writable);
    close(readable);
}

static void run(uint32_t count)
{
    begin();
    for (step = 1; step <= count; step++) {
        make_step();
        if (step % 100 != 0)
            continue;
        read_every(1);
        check_layout();
        printf("seed %u, step %u: %u pages, %08x\n", (unsigned)seed, (unsigned)step,
               (unsigned)mapped_pages((struct range){0, PAGES}), (unsigned)hash);
        fflush(stdout);
        checks_done++;
    }
    end();
}

static void prepare(void)
{
    const struct sigaction action = {.sa_sigaction = on_random_fault,
                                     .sa_flags = SA_SIGINFO | SA_NODEFER};
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    MUST(sigaction(SIGSEGV, &action, NULL));
    MUST(sigaction(SIGBUS, &action, NULL));
    (void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
    MUST(mmap(control, sizeof *control, RW, SHARED | MAP_FIXED_NOREPLACE, -1, 0));
    MUST(mmap(address_of(0), PAGES * PAGE, PROT_NONE, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0));
    MUST(munmap(address_of(0), PAGES * PAGE)); /* nobody else maps there */
    heap_start = ((uint32_t)syscall(SYS_brk, 0) + PAGE - 1) / PAGE * PAGE;
    MUST(syscall(SYS_brk, heap_start));
}

int main(int count, char **words)
{
    const uint32_t seeds = count > 1 ? strtoul(words[1], NULL, 0) : 4;
    const uint32_t many = count > 2 ? strtoul(words[2], NULL, 0) : 500;
    const uint32_t first = count > 3 ? strtoul(words[3], NULL, 0) : 1;
    prepare();
    for (seed = first; seed < first + seeds; seed++)
        run(many);
    return done();
}
