#include "tests/unit/space_machine.h"

/*
 * Random calls in lockstep with a model that has one element a page and no other idea: every return
 * value, every byte that is read, the pages that are resident, locked and charged, the number of
 * areas.
 */
#define PAGES      ((SPACE_END - SPACE_START) / PAGE)
#define ROW        ((uint32_t)((MAP_USER_END - MAP_USER_START) / PAGE))
#define GUARD      (SPACE_GUARD / PAGE)
#define SPACES     4u
#define FILE_PAGES 60u
#define OBJECTS    400u
#define OBJECT_MAX 700u
#define RECENT     16u

enum kind { NOTHING, PRIVATE, SHM, FILE_PRIVATE, FILE_SHARED };

struct page {
    uint8_t kind, rights, locked, charged, present, own, value, stack;
    uint16_t object;
    uint32_t index;
};

struct program {
    struct space *space; /* NULL: none */
    struct page *pages;
    uint32_t brk_start, brk; /* bytes */
    uint32_t floor;          /* of the stack: a page, or ROW where there is none */
    uint32_t spare;          /* charged for the stack's growth */
    uint32_t recent[RECENT];
};

static struct program programs[SPACES];
static struct test_file file;
static uint8_t file_values[FILE_PAGES];
static uint8_t objects[OBJECTS][OBJECT_MAX];
static uint32_t object_pages[OBJECTS]; /* as many as it was made with: mremap lengthens the area,
                                          not the object */
static uint32_t object_count;

static uint32_t address_of(uint32_t page)
{
    return SPACE_START + page * PAGE;
}

/* ---- the model: what a page is ---- */

static bool is_private(const struct page *page)
{
    return page->kind == PRIVATE || page->kind == FILE_PRIVATE;
}

static uint32_t mapped_in(const struct program *program, uint32_t from, uint32_t count)
{
    uint32_t mapped = 0;
    for (uint32_t i = from; i < from + count; i++)
        mapped += program->pages[i].kind != NOTHING;
    return mapped;
}

static bool continues(const struct page *page, const struct page *next)
{
    if (page->kind != next->kind || page->rights != next->rights || page->locked != next->locked ||
        page->charged != next->charged || page->stack != next->stack)
        return false;
    return page->kind == PRIVATE ||
           (page->object == next->object && page->index + 1 == next->index);
}

static uint32_t count_areas(const struct program *program)
{
    uint32_t areas = 0;
    for (uint32_t i = 0; i < PAGES; i++)
        if (program->pages[i].kind != NOTHING)
            areas += i == 0 || !continues(&program->pages[i - 1], &program->pages[i]);
    return areas;
}

static uint32_t count_charge(const struct program *program)
{
    uint32_t charge = program->spare;
    for (uint32_t slot = 0; slot < PAGES / 512; slot++)
        charge += mapped_in(program, slot * 512, 512) != 0;
    for (uint32_t i = 0; i < PAGES; i++)
        charge += program->pages[i].kind != NOTHING && program->pages[i].charged;
    return charge;
}

/* The value that a reader finds; the page is present. */
static uint8_t value_of(const struct page *page)
{
    if (page->kind == SHM)
        return objects[page->object][page->index];
    if (page->kind == FILE_SHARED || (page->kind == FILE_PRIVATE && !page->own))
        return file_values[page->index];
    return page->value;
}

/* Whether the page gets there. */
static bool model_bring_in(struct page *page, bool write)
{
    if ((page->kind == FILE_PRIVATE || page->kind == FILE_SHARED) && page->index >= FILE_PAGES)
        return page->present; /* its own copy may be there */
    if (page->kind == SHM && page->index >= object_pages[page->object])
        return false;
    if (page->kind == PRIVATE && !page->own) {
        page->own = write || (!page->present && page->charged);
        page->value = 0;
    }
    if (page->kind == FILE_PRIVATE && write && !page->own) {
        page->value = file_values[page->index];
        page->own = 1;
    }
    page->present = 1;
    return true;
}

/* 0, -ENOMEM or -EFAULT. */
static int model_populate(struct program *program, uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        struct page *page = &program->pages[i];
        if (page->kind == NOTHING)
            return -ENOMEM;
        if (page->rights == 0 || !model_bring_in(page, page->rights & PROT_WRITE))
            return -EFAULT;
    }
    return 0;
}

static void model_unmap(struct program *program, uint32_t from, uint32_t count)
{
    memset(&program->pages[from], 0, count * sizeof(struct page));
}

static uint32_t stack_top_clear(const struct program *program)
{
    return program->floor == ROW ? ROW : program->floor - GUARD;
}

/* The highest free place in [low, high); PAGES: none. */
static uint32_t highest(const struct program *program, uint32_t count, uint32_t low, uint32_t high)
{
    uint32_t run = 0;
    for (uint32_t i = high; i-- > low;) {
        run = program->pages[i].kind == NOTHING ? run + 1 : 0;
        if (run == count)
            return i;
    }
    return PAGES;
}

/* Free, and not below the stack by less than the guard. */
static bool is_free(const struct program *program, uint32_t from, uint32_t count)
{
    uint32_t next = from + count;
    if (from > PAGES || count > PAGES - from || mapped_in(program, from, count) != 0)
        return false;
    while (next < PAGES && next < from + count + GUARD && program->pages[next].kind == NOTHING)
        next++;
    return next >= PAGES || !program->pages[next].stack || next - (from + count) >= GUARD;
}

static uint32_t model_place(const struct program *program, uint32_t hint, uint32_t count,
                            bool is_library)
{
    uint32_t found;
    if (hint != PAGES && is_free(program, hint, count))
        return hint;
    found = is_library ? highest(program, count, ROW, PAGES)
                       : highest(program, count, 0, stack_top_clear(program));
    if (found != PAGES)
        return found;
    return is_library ? highest(program, count, 0, stack_top_clear(program))
                      : highest(program, count, ROW, PAGES);
}

/* ---- the calls ---- */

static void remember(struct program *program, uint32_t page)
{
    program->recent[test_random_range(0, RECENT - 1)] = page;
}

/* A page near something that happened, or in one of two small arenas. */
static uint32_t random_page(const struct program *program)
{
    uint32_t page;
    switch (test_random_range(0, 5)) {
    case 0:
        return test_random_range(0, 1500);
    case 1:
        return ROW + test_random_range(0, 900);
    default:
        page = program->recent[test_random_range(0, RECENT - 1)] + test_random_range(0, 40);
        page -= test_random_range(0, 20);
        return page < PAGES ? page : 0;
    }
}

static uint32_t random_count(void)
{
    static const uint32_t most[] = {1, 3, 12, 12, 60, 600};
    return test_random_range(1, most[test_random_range(0, ARRAY_COUNT(most) - 1)]);
}

static uint32_t clip(uint32_t page, uint32_t count)
{
    return count < PAGES - page ? count : PAGES - page;
}

static void object_begin(uint32_t pages)
{
    object_pages[object_count] = pages;
    memset(objects[object_count++], 0, OBJECT_MAX);
}

static const uint32_t rights_of[] = {PROT_NONE, PROT_READ, RW, RW, RW, RW, PROT_READ | PROT_EXEC};

static void step_map(struct program *program)
{
    static const enum kind kinds[] = {PRIVATE, PRIVATE, PRIVATE, SHM, FILE_PRIVATE, FILE_SHARED};
    const enum kind kind = kinds[test_random_range(0, ARRAY_COUNT(kinds) - 1)];
    const uint32_t rights = rights_of[test_random_range(0, ARRAY_COUNT(rights_of) - 1)];
    const uint32_t index = kind >= FILE_PRIVATE ? test_random_range(0, FILE_PAGES - 1) : 0;
    const uint32_t how = test_random_range(0, 5), page = random_page(program);
    const bool populate = test_random_range(0, 7) == 0;
    uint32_t count = random_count(), at;
    struct space_mapping mapping = {
        .protection = rights,
        .flags = (is_private(&(struct page){.kind = (uint8_t)kind}) ? MAP_PRIVATE : MAP_SHARED) |
                 (kind <= SHM ? MAP_ANONYMOUS : 0) | (populate ? MAP_POPULATE : 0),
        .maximum = AREA_RIGHTS,
        .backing = kind >= FILE_PRIVATE ? &file.backing : NULL,
        .index = index};
    int32_t expected, result;
    if (kind == SHM && object_count == OBJECTS)
        return;
    at = PAGES;
    if (how >= 1) {
        count = clip(page, count);
        mapping.address = address_of(page);
        at = page;
    }
    if (how == 1)
        mapping.flags |= MAP_FIXED;
    if (how == 2)
        mapping.flags |= MAP_FIXED_NOREPLACE;
    mapping.length = count * PAGE - test_random_range(0, PAGE - 1);
    if (how == 2 && mapped_in(program, page, count) != 0) {
        expected = -EEXIST;
    } else {
        if (how != 1 && how != 2)
            at = model_place(program, at, count,
                             kind >= SHM && (kind != FILE_PRIVATE || (rights & PROT_EXEC)));
        expected = at == PAGES ? -ENOMEM : (int32_t)address_of(at);
    }
    result = space_map(program->space, &mapping);
    CHECK_EQUAL((uint32_t)result, (uint32_t)expected);
    if (result < 0)
        return;
    model_unmap(program, at, count);
    for (uint32_t i = 0; i < count; i++)
        program->pages[at + i] = (struct page){
            .kind = (uint8_t)kind,
            .rights = (uint8_t)rights,
            .charged = (kind == PRIVATE || kind == FILE_PRIVATE) && (rights & PROT_WRITE),
            .object = (uint16_t)(kind == SHM ? object_count : 0),
            .index = kind == PRIVATE ? 0 : index + i};
    if (kind == SHM)
        object_begin(count);
    if (populate)
        (void)model_populate(program, at, count);
    remember(program, at);
}

static void step_unmap(struct program *program)
{
    const uint32_t page = random_page(program), count = clip(page, random_count());
    CHECK_EQUAL(space_unmap(program->space, address_of(page),
                            count * PAGE - test_random_range(0, PAGE - 1)),
                0);
    model_unmap(program, page, count);
}

static void step_protect(struct program *program)
{
    const uint32_t page = random_page(program), count = clip(page, random_count());
    const uint32_t rights = rights_of[test_random_range(0, ARRAY_COUNT(rights_of) - 1)];
    int expected = 0,
        result = space_protect(program->space, address_of(page), count * PAGE, rights);
    bool is_cut_short = false;
    for (uint32_t i = page; i < page + count; i++) {
        struct page *at = &program->pages[i];
        const bool becomes_writable = !(at->rights & PROT_WRITE) && (rights & PROT_WRITE);
        if (at->kind == NOTHING) {
            expected = -ENOMEM;
            break;
        }
        at->rights = (uint8_t)rights;
        if (is_private(at) && (rights & PROT_WRITE))
            at->charged = 1;
        if (at->locked && becomes_writable && !model_bring_in(at, true))
            is_cut_short = true;
    }
    CHECK_EQUAL((uint32_t)result, (uint32_t)expected);
    if (is_cut_short) {
        /* What has come in behind that page is the areas' affair: start anew. */
        CHECK_EQUAL(space_unmap(program->space, address_of(page), count * PAGE), 0);
        model_unmap(program, page, count);
    }
}

static void step_forget(struct program *program)
{
    const uint32_t page = random_page(program), count = clip(page, random_count());
    int expected = 0;
    for (uint32_t i = page; i < page + count; i++) {
        struct page *at = &program->pages[i];
        if (at->kind == NOTHING) {
            expected = -ENOMEM;
        } else if (at->locked) {
            expected = -EINVAL;
            break;
        } else {
            at->present = at->own = 0;
        }
    }
    CHECK_EQUAL(
        (uint32_t)space_advise(program->space, address_of(page), count * PAGE, MADV_DONTNEED),
        (uint32_t)expected);
}

static void step_lock(struct program *program)
{
    const uint32_t page = random_page(program), count = clip(page, random_count() % 16 + 1);
    const bool lock = test_random_range(0, 2) != 0;
    int expected = 0, result;
    result = lock ? space_lock(program->space, address_of(page), count * PAGE, 0)
                  : space_unlock(program->space, address_of(page), count * PAGE);
    for (uint32_t i = page; i < page + count && expected == 0; i++) {
        if (program->pages[i].kind == NOTHING)
            expected = -ENOMEM;
        else
            program->pages[i].locked = lock;
    }
    if (lock && expected == 0)
        expected = model_populate(program, page, count);
    CHECK_EQUAL((uint32_t)result, (uint32_t)(expected == -EFAULT ? -ENOMEM : expected));
}

static void step_brk(struct program *program)
{
    const uint32_t end = program->brk_start + test_random_range(0, 300 * PAGE);
    const uint32_t old = (program->brk + PAGE - 1) / PAGE, new = (end + PAGE - 1) / PAGE;
    const uint32_t first = SPACE_START / PAGE;
    uint32_t expected = end;
    if (new > old && !is_free(program, old - first, new - old + 1))
        expected = program->brk;
    CHECK_EQUAL(space_brk(program->space, end), expected);
    if (expected != end)
        return;
    program->brk = end;
    if (new < old)
        model_unmap(program, new - first, old - new);
    for (uint32_t i = old; i < new; i++)
        program->pages[i - first] = (struct page){.kind = PRIVATE, .rights = RW, .charged = 1};
    remember(program, new - first);
}

/* Copies pages to where nothing is. */
static void model_move(struct program *program, uint32_t from, uint32_t to, uint32_t old,
                       uint32_t new)
{
    const struct page first = program->pages[from];
    for (uint32_t i = 0; i < new; i++) {
        struct page page = first;
        page.stack = 0;
        page.present = page.own = 0;
        page.index = first.kind == PRIVATE ? 0 : first.index + i;
        if (i < old) {
            page = program->pages[from + i];
            page.stack = 0;
        }
        program->pages[to + i] = page;
    }
    memset(&program->pages[from], 0, old * sizeof(struct page));
    if (first.locked)
        (void)model_populate(program, to, new);
}

static void model_grow(struct program *program, uint32_t end, uint32_t more)
{
    for (uint32_t i = end; i < end + more; i++) {
        program->pages[i] = program->pages[i - 1];
        program->pages[i].present = program->pages[i].own = 0;
        if (program->pages[i].kind != PRIVATE)
            program->pages[i].index++;
    }
    if (program->pages[end].locked)
        (void)model_populate(program, end, more);
}

/* Whether [page, page + count) is one area's. */
static bool is_one_area(const struct program *program, uint32_t page, uint32_t count)
{
    for (uint32_t i = page + 1; i < page + count; i++)
        if (program->pages[i].kind == NOTHING ||
            !continues(&program->pages[i - 1], &program->pages[i]))
            return false;
    return true;
}

static void step_remap(struct program *program)
{
    const uint32_t page = random_page(program), target = random_page(program);
    const uint32_t old = clip(page, random_count()), new = random_count();
    const bool fixed = test_random_range(0, 3) == 0, may_move = fixed || test_random_range(0, 2);
    const struct page *first = &program->pages[page];
    const uint32_t flags = (may_move ? MREMAP_MAYMOVE : 0) | (fixed ? MREMAP_FIXED : 0);
    const bool library =
        first->kind >= SHM && (first->kind != FILE_PRIVATE || (first->rights & PROT_EXEC));
    int32_t expected = (int32_t)address_of(page), result;
    enum { STAY, SHRINK, GROW, MOVE } action = STAY;
    uint32_t to = target, moved = old < new ? old : new;
    if (first->stack || (page + old < PAGES && program->pages[page + old - 1].stack))
        return;
    result = space_remap(program->space, address_of(page), old * PAGE, new *PAGE, flags,
                         address_of(target));
    if (first->kind == NOTHING) {
        expected = -EFAULT;
    } else if (fixed) {
        if (target + new > PAGES || (page < target + new &&target < page + old)) {
            expected = -EINVAL;
        } else {
            model_unmap(program, target, new);
            if (old > new)
                model_unmap(program, page + new, old - new);
            action = MOVE;
            expected = is_one_area(program, page, moved) ? (int32_t)address_of(to) : -EFAULT;
        }
    } else if (old >= new) {
        action = SHRINK;
    } else if (!is_one_area(program, page, old)) {
        expected = -EFAULT;
    } else if ((page + old == PAGES ||
                !continues(&program->pages[page + old - 1], &program->pages[page + old])) &&
               is_free(program, page + old, new - old)) {
        action = GROW;
    } else if (!may_move) {
        expected = -ENOMEM;
    } else {
        to = model_place(program, PAGES, new, library);
        action = MOVE;
        expected = to == PAGES ? -ENOMEM : (int32_t)address_of(to);
    }
    CHECK_EQUAL((uint32_t)result, (uint32_t)expected);
    if (expected < 0)
        return;
    if (action == SHRINK && old > new)
        model_unmap(program, page + new, old - new);
    if (action == GROW)
        model_grow(program, page + old, new - old);
    if (action == MOVE)
        model_move(program, page, to, moved, new);
    if (action == MOVE)
        remember(program, to);
}

/* Pages from this one on up to the stack's lowest become stack; charged before, as far as they
 * were. */
static void grow_stack(struct program *program, uint32_t page, uint32_t lowest)
{
    uint32_t need = lowest - page;
    for (uint32_t slot = page / 512; slot <= lowest / 512; slot++)
        need += mapped_in(program, slot * 512, 512) == 0;
    program->spare -= need < program->spare ? need : program->spare;
    for (uint32_t i = page; i < lowest; i++) {
        program->pages[i] = program->pages[lowest];
        program->pages[i].present = program->pages[i].own = 0;
    }
}

/* The lowest page of the stack that can grow down to this one; PAGES: none can. */
static uint32_t growing(const struct program *program, uint32_t page)
{
    uint32_t lowest = page, end;
    while (lowest < ROW && program->pages[lowest].kind == NOTHING)
        lowest++;
    if (lowest == ROW || !program->pages[lowest].stack)
        return PAGES;
    for (end = lowest + 1; end < ROW && continues(&program->pages[end - 1], &program->pages[end]);)
        end++;
    if (end - page > 256)
        return PAGES;
    /* As on Linux, the nearest one below decides, whatever is below that. */
    for (uint32_t i = page; i > page - GUARD; i--)
        if (program->pages[i - 1].kind != NOTHING)
            return program->pages[i - 1].rights != 0 ? PAGES : lowest;
    return lowest;
}

static void step_touch(struct program *program)
{
    const uint32_t page = random_page(program), count = clip(page, random_count() % 24 + 1);
    const bool write = test_random_range(0, 1);
    for (uint32_t i = page; i < page + count; i++) {
        struct page *at = &program->pages[i];
        const uint8_t value = (uint8_t)test_random();
        bool is_there =
            at->kind != NOTHING && (write ? at->rights & PROT_WRITE : at->rights != PROT_NONE);
        if (at->kind == NOTHING && i >= program->floor && i < ROW)
            continue; /* the stack's part is step_stack's */
        is_there = is_there && model_bring_in(at, write);
        if (!is_there) {
            CHECK_EQUAL(write ? touch_write(program->space, address_of(i), value)
                              : touch_read(program->space, address_of(i)),
                        -1);
        } else if (write) {
            CHECK_EQUAL(touch_write(program->space, address_of(i), value), value);
            at->value = value;
            if (at->kind == SHM)
                objects[at->object][at->index] = value;
            if (at->kind == FILE_SHARED)
                file_values[at->index] = value;
        } else {
            CHECK_EQUAL(touch_read(program->space, address_of(i)), value_of(at));
        }
    }
}

static void step_stack(struct program *program)
{
    const uint32_t page = test_random_range(program->floor, ROW - 1);
    struct page *at = &program->pages[page];
    if (at->kind == NOTHING) {
        const uint32_t lowest = growing(program, page);
        if (lowest == PAGES) {
            CHECK_EQUAL(touch_write(program->space, address_of(page), 9), -1);
            return;
        }
        grow_stack(program, page, lowest);
    }
    if (!(at->rights & PROT_WRITE) || !at->stack) {
        (void)touch_read(program->space, address_of(page));
        if (at->rights != 0)
            (void)model_bring_in(at, false);
        return;
    }
    CHECK(model_bring_in(at, true));
    CHECK_EQUAL(touch_write(program->space, address_of(page), 9), 9);
    at->value = 9;
}

/* ---- programs ---- */

static void start_program(struct program *program)
{
    program->space = space_create();
    CHECK(program->space != NULL);
    program->pages = calloc(PAGES, sizeof(struct page));
    program->brk_start = program->brk = address_of(200);
    space_set_brk(program->space, program->brk);
    CHECK_EQUAL(space_map_stack(program->space, 4 * PAGE), address_of(ROW));
    program->floor = ROW - 256;
    program->spare = 252;
    for (uint32_t i = ROW - 4; i < ROW; i++)
        program->pages[i] = (struct page){.kind = PRIVATE, .rights = RW, .charged = 1, .stack = 1};
    for (uint32_t i = 0; i < RECENT; i++)
        program->recent[i] = test_random_range(0, 1000);
}

static void end_program(struct program *program)
{
    space_drop(program->space);
    free(program->pages);
    program->space = NULL;
}

static void step_fork(struct program *program)
{
    struct program *child = &programs[test_random_range(0, SPACES - 1)];
    struct page *pages;
    if (child == program)
        return;
    if (child->space != NULL)
        end_program(child);
    pages = malloc(PAGES * sizeof(struct page));
    memcpy(pages, program->pages, PAGES * sizeof(struct page));
    *child = *program;
    child->pages = pages;
    for (uint32_t i = 0; i < PAGES; i++)
        pages[i].locked = 0;
    CHECK_EQUAL(space_fork(program->space, &child->space), 0);
}

static void compare(const struct program *program)
{
    uint32_t resident = 0, own = 0, locked = 0, size = 0;
    const struct space *space = program->space;
    for (uint32_t i = 0; i < PAGES; i++) {
        const struct page *page = &program->pages[i];
        if (page->kind == NOTHING)
            continue;
        size++;
        resident += page->present;
        own += page->own;
        locked += page->locked;
    }
    CHECK_EQUAL(paging_user_pages(&space->paging), resident);
    CHECK_EQUAL(paging_user_own_pages(&space->paging), own);
    CHECK_EQUAL(space->size, size);
    CHECK_EQUAL(space->locked, locked);
    CHECK_EQUAL(space->charged, count_charge(program));
    CHECK_EQUAL(space->areas, count_areas(program));
}

static void (*const steps[])(struct program *) = {
    step_map,    step_map,   step_map,   step_unmap, step_unmap, step_protect, step_protect,
    step_forget, step_lock,  step_brk,   step_remap, step_remap, step_touch,   step_touch,
    step_touch,  step_touch, step_touch, step_stack, step_fork};

static void step(void)
{
    struct program *program = &programs[test_random_range(0, SPACES - 1)];
    if (program->space == NULL)
        start_program(program);
    else if (test_random_range(0, 99) == 0)
        end_program(program);
    else
        steps[test_random_range(0, ARRAY_COUNT(steps) - 1)](program);
    if (program->space != NULL)
        compare(program);
}

static void run_model(uint32_t rounds, uint32_t count)
{
    for (uint32_t round = 0; round < rounds; round++) {
        uint32_t objects_before;
        machine_start(24000);
        file_start(&file, FILE_PAGES);
        objects_before = machine_objects();
        for (uint32_t i = 0; i < FILE_PAGES; i++)
            file_values[i] = (uint8_t)(i + 1);
        object_count = 0;
        for (uint32_t i = 0; i < count; i++) {
            step();
            if (i % 8 == 0)
                machine_check_is_clean();
        }
        for (uint32_t i = 0; i < SPACES; i++)
            if (programs[i].space != NULL)
                end_program(&programs[i]);
        CHECK_EQUAL(machine_objects(), objects_before);
        file_end(&file);
        machine_check_is_clean();
    }
}

TEST(space_random_calls_agree_with_the_model)
{
    run_model(4, 700);
}
