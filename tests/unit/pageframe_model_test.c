#include "tests/unit/pageframe_model.h"

#include "kernel/include/errors.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/platform.h"
#include "tests/unit/host/platform.h"
#include "tests/unit/test.h"

#define RESERVED       BYTEMAP_TAG(BYTEMAP_RESERVED, BYTEMAP_KERNEL)
#define BAD            BYTEMAP_TAG(BYTEMAP_BAD, BYTEMAP_NONE)
#define CONTENT_FRAMES 0x20000u /* what any process has room for */
#define DIRECT_FRAMES  ((frame_t)((MAP_DIRECT_END - MAP_DIRECT_START) / FRAME_SIZE))

struct model_frame {
    bytemap_tag_t tag; /* without the locked and shared bits; FREE for zeroed frames too */
    uint32_t references, locks;
};

static struct model_frame *model;
static uint32_t model_size, ram, spare, reserve, low;
static frame_t model_reach;
static uint64_t allocations, frees, failures, refusals;
static void *bytes, *storage;
static bool has_content; /* this process has room for the frames' bytes */
static const frame_t ends[PAGEFRAME_WHERE_COUNT] = {1u << 24, 1u << 20, DIRECT_FRAMES, 4096, 256};

static bool is_out(bytemap_tag_t tag)
{
    unsigned state = tag & 15;
    return tag < 64 && state >= BYTEMAP_ALLOCATED && state < BYTEMAP_STATE_COUNT &&
           bytemap_tag_owner(tag) != BYTEMAP_NONE;
}

static bool is_in_model(frame_t first, uint32_t count)
{
    return count > 0 && (uint64_t)first + count <= model_size;
}

static void set(frame_t first, uint32_t count, bytemap_tag_t tag)
{
    for (frame_t frame = first; frame < first + count; frame++) {
        spare += (tag == BYTEMAP_FREE) - (model[frame].tag == BYTEMAP_FREE);
        model[frame] = (struct model_frame){tag, is_out(tag), 0};
    }
}

static unsigned zone_of(frame_t frame)
{
    unsigned where = 0;
    while (where + 1 < PAGEFRAME_WHERE_COUNT && frame < ends[where + 1])
        where++;
    return where; /* the narrowest one that has it */
}

void model_init(uint32_t frames, frame_t reach, const struct model_region *regions, unsigned count)
{
    static struct e820_map map;
    uint32_t beyond = 0;
    free(model);
    free(bytes);
    free(storage);
    model = calloc(frames, sizeof(*model));
    bytes = malloc(bytemap_storage_bytes(frames));
    storage = aligned_alloc(FRAME_SIZE, pageframe_storage_bytes(frames));
    CHECK(model != NULL && bytes != NULL && storage != NULL);
    memset(storage, 0xA5, pageframe_storage_bytes(frames));
    frame_t top = 0;
    for (unsigned i = 0; i < count; i++)
        for (frame_t frame = regions[i].start; frame < regions[i].end; frame++)
            if (frame < DIRECT_FRAMES)
                top = frame;
    has_content = top < CONTENT_FRAMES || sizeof(void *) > 4;
    host_platform_init(has_content ? top + 1 : 1);
    model_size = frames;
    model_reach = reach;
    ram = spare = reserve = low = 0;
    allocations = frees = failures = refusals = 0;
    map.count = count;
    for (unsigned i = 0; i < count; i++) {
        map.regions[i] = (struct e820_region){frame_address(regions[i].start),
                                              frame_address(regions[i].end), E820_USABLE};
        for (frame_t frame = regions[i].start; frame < regions[i].end && frame < frames; frame++) {
            set(frame, 1, frame < reach ? BYTEMAP_FREE : RESERVED);
            beyond += frame >= reach;
            ram++;
        }
    }
    bytemap_init(bytes, frames);
    CHECK_EQUAL(pageframe_init(storage, &map, frames, reach), beyond);
}

uint32_t model_free_frames(void)
{
    return spare;
}

static bool has_free(frame_t start, frame_t end)
{
    for (frame_t frame = start; frame < end && frame < model_size; frame++)
        if (model[frame].tag == BYTEMAP_FREE)
            return true;
    return false;
}

static bool is_granted(uint32_t count, unsigned where)
{
    uint32_t kept = where & PAGEFRAME_MUST ? 0 : reserve;
    return spare >= (uint64_t)kept + count;
}

static bool is_sensible(unsigned where, bytemap_tag_t tag)
{
    bool sensible = (where & ~PAGEFRAME_MUST) < PAGEFRAME_WHERE_COUNT && is_out(tag);
    refusals += !sensible;
    return sensible;
}

/* Checks the frame that a call for one frame returned. */
static frame_t judge_one(frame_t frame, unsigned where, bytemap_tag_t tag)
{
    unsigned place = where & ~PAGEFRAME_MUST;
    if (!is_sensible(where, tag)) {
        CHECK_EQUAL(frame, FRAME_NONE);
        return FRAME_NONE;
    }
    if (frame == FRAME_NONE) {
        CHECK(!is_granted(1, where) || !has_free(0, ends[place]));
        failures++;
        return FRAME_NONE;
    }
    CHECK(is_granted(1, where));
    CHECK(frame < model_size && frame < ends[place]);
    CHECK_EQUAL(model[frame].tag, BYTEMAP_FREE);
    set(frame, 1, tag);
    allocations++;
    return frame;
}

/* That no higher zone had a frame which is not zeroed: those are kept for who wants them. */
static void check_highest(frame_t frame, unsigned where)
{
    if (frame == FRAME_NONE || model_size > 70000)
        return;
    frame_t from = ends[zone_of(frame)], to = ends[where & ~PAGEFRAME_MUST];
    for (frame_t other = from; other < to && other < model_size; other++)
        CHECK(bytemap_get(other) != BYTEMAP_FREE);
}

/* Frames that hold something else must not come back as zeroed. */
static void dirty(frame_t first, uint32_t count)
{
    for (frame_t frame = first; count-- > 0; frame++)
        if (has_content && frame < DIRECT_FRAMES)
            *(volatile unsigned char *)platform_frame_pointer(frame) = 0x5A;
}

frame_t model_alloc(unsigned where, bytemap_tag_t tag)
{
    frame_t frame = judge_one(pageframe_alloc(where, tag), where, tag);
    check_highest(frame, where);
    if (frame != FRAME_NONE)
        dirty(frame, 1);
    return frame;
}

frame_t model_alloc_zeroed(unsigned where, bytemap_tag_t tag)
{
    unsigned place = where & ~PAGEFRAME_MUST;
    if (!has_content)
        return FRAME_NONE;
    frame_t frame = pageframe_alloc_zeroed(where, tag);
    if (place == PAGEFRAME_ANYWHERE || place == PAGEFRAME_BELOW_4G)
        where = PAGEFRAME_DIRECT | (where & PAGEFRAME_MUST);
    frame = judge_one(frame, where, tag);
    if (frame == FRAME_NONE)
        return FRAME_NONE;
    const unsigned char *content = platform_frame_pointer(frame);
    CHECK(content[0] == 0 && memcmp(content, content + 1, FRAME_SIZE - 1) == 0);
    dirty(frame, 1);
    return frame;
}

/* Whether [start, start + count) is free and in one zone. */
static bool is_free_range(frame_t start, uint32_t count, frame_t end)
{
    if ((uint64_t)start + count > end || zone_of(start) != zone_of(start + count - 1))
        return false;
    for (frame_t frame = start; frame < start + count; frame++)
        if (model[frame].tag != BYTEMAP_FREE)
            return false;
    return true;
}

/* The rule: up to a group, an aligned power of two that holds the run is free; above that, a run
 * from the start of a group is. The run itself must end at the limit, its block need not. */
static bool has_run(uint32_t frames, uint32_t alignment, frame_t limit, unsigned where)
{
    frame_t end = ends[where & ~PAGEFRAME_MUST];
    uint32_t block = 1;
    if (end > model_size)
        end = model_size;
    while (block < 1024 && (block < frames || block < alignment))
        block *= 2;
    for (frame_t start = 0; start < end; start += block) {
        uint32_t count = frames > block ? frames : block;
        if ((uint64_t)start + frames > limit)
            break;
        if (model[start].tag == BYTEMAP_FREE && is_free_range(start, count, end))
            return true;
    }
    return false;
}

frame_t model_alloc_run(uint32_t frames, uint32_t alignment, frame_t limit, unsigned where,
                        bytemap_tag_t tag)
{
    frame_t first = pageframe_alloc_run(frames, alignment, limit, where, tag);
    bool is_power = alignment != 0 && (alignment & (alignment - 1)) == 0;
    if (frames == 0 || frames > 65536 || !is_power || alignment > PAGEFRAME_RUN_MAX_ALIGNMENT) {
        refusals++;
        CHECK_EQUAL(first, FRAME_NONE);
        return FRAME_NONE;
    }
    if (!is_sensible(where, tag)) {
        CHECK_EQUAL(first, FRAME_NONE);
        return FRAME_NONE;
    }
    if (first == FRAME_NONE) {
        CHECK(!is_granted(frames, where) || !has_run(frames, alignment, limit, where));
        failures++;
        return FRAME_NONE;
    }
    CHECK(is_granted(frames, where));
    CHECK_EQUAL(first % alignment, 0);
    CHECK((uint64_t)first + frames <= limit && is_in_model(first, frames));
    CHECK(first + frames <= ends[where & ~PAGEFRAME_MUST]);
    for (frame_t frame = first; frame < first + frames; frame++)
        CHECK_EQUAL(model[frame].tag, BYTEMAP_FREE);
    set(first, frames, tag);
    allocations += frames;
    if (frames <= 64)
        dirty(first, frames);
    return first;
}

/* What giving a frame back has to say. */
static int free_result(frame_t frame)
{
    if (frame >= model_size || model[frame].tag == BYTEMAP_ABSENT)
        return -ERANGE;
    if (model[frame].tag == BYTEMAP_FREE)
        return -EALREADY;
    if (model[frame].tag == RESERVED || model[frame].tag == BAD)
        return -EPERM;
    return model[frame].references > 1 || model[frame].locks > 0 ? -EBUSY : 0;
}

static void expect(int actual, int expected)
{
    CHECK_EQUAL(actual, expected);
    refusals += expected < 0;
}

void model_free(frame_t frame)
{
    int expected = free_result(frame);
    expect(pageframe_free(frame), expected);
    if (expected == 0) {
        set(frame, 1, BYTEMAP_FREE);
        frees++;
    }
}

void model_free_run(frame_t first, uint32_t frames)
{
    int expected = is_in_model(first, frames) ? 0 : -ERANGE;
    for (frame_t frame = first; expected == 0 && frame < first + frames; frame++)
        expected = free_result(frame);
    expect(pageframe_free_run(first, frames), expected);
    if (expected == 0) {
        set(first, frames, BYTEMAP_FREE);
        frees += frames;
    }
}

/* -ERANGE if some of it is no RAM, else `otherwise` if some is not `wanted`. */
static int range_result(frame_t first, uint32_t count, bytemap_tag_t wanted, int otherwise)
{
    int result = 0;
    if (!is_in_model(first, count))
        return -ERANGE;
    for (frame_t frame = first; frame < first + count; frame++) {
        if (model[frame].tag == BYTEMAP_ABSENT)
            return -ERANGE;
        if (model[frame].tag != wanted)
            result = otherwise;
    }
    return result;
}

void model_take(frame_t first, uint32_t count, bytemap_tag_t tag)
{
    int expected = is_out(tag) ? range_result(first, count, BYTEMAP_FREE, -EBUSY) : -EINVAL;
    expect(pageframe_take(first, count, tag), expected);
    if (expected == 0) {
        set(first, count, tag);
        allocations += count;
    }
}

void model_reserve(frame_t first, uint32_t count)
{
    int expected = range_result(first, count, BYTEMAP_FREE, -EBUSY);
    expect(pageframe_reserve(first, count), expected);
    if (expected == 0)
        set(first, count, RESERVED);
}

void model_unreserve(frame_t first, uint32_t count)
{
    int expected = range_result(first, count, RESERVED, -EINVAL);
    if (expected == 0 && first + count > model_reach)
        expected = -EINVAL;
    expect(pageframe_unreserve(first, count), expected);
    if (expected == 0)
        set(first, count, BYTEMAP_FREE);
}

void model_retire(frame_t frame)
{
    int expected = range_result(frame, 1, BYTEMAP_FREE, -EBUSY);
    expect(pageframe_retire(frame), expected);
    if (expected == 0)
        set(frame, 1, BAD);
}

static int out_result(frame_t frame)
{
    if (frame >= model_size || model[frame].tag == BYTEMAP_ABSENT)
        return -ERANGE;
    return is_out(model[frame].tag) ? 0 : -EINVAL;
}

static void check_frame(frame_t frame)
{
    bool out = out_result(frame) == 0;
    CHECK_EQUAL(pageframe_references(frame), out ? model[frame].references : 0);
    CHECK_EQUAL(pageframe_locks(frame), out ? model[frame].locks : 0);
}

void model_reference(frame_t frame)
{
    int expected = out_result(frame);
    if (expected == 0 && model[frame].references == PAGEFRAME_REFERENCES_MAX)
        expected = -EOVERFLOW;
    expect(pageframe_reference(frame), expected);
    if (expected == 0)
        model[frame].references++;
    check_frame(frame);
}

void model_release(frame_t frame)
{
    if (out_result(frame) == 0 && model[frame].references > 1) {
        CHECK_EQUAL(pageframe_release(frame), --model[frame].references);
    } else {
        int expected = free_result(frame);
        expect(pageframe_release(frame), expected);
        if (expected == 0) {
            set(frame, 1, BYTEMAP_FREE);
            frees++;
        }
    }
    check_frame(frame);
}

void model_lock(frame_t frame)
{
    int expected = out_result(frame);
    if (expected == 0 && model[frame].locks == PAGEFRAME_LOCKS_MAX)
        expected = -EOVERFLOW;
    expect(pageframe_lock(frame), expected);
    if (expected == 0)
        model[frame].locks++;
    check_frame(frame);
}

void model_unlock(frame_t frame)
{
    int expected = out_result(frame);
    if (expected == 0 && model[frame].locks == 0)
        expected = -EINVAL;
    expect(pageframe_unlock(frame), expected);
    if (expected == 0)
        model[frame].locks--;
    check_frame(frame);
}

void model_retag(frame_t frame, bytemap_tag_t tag)
{
    int expected = is_out(tag) ? out_result(frame) : -EINVAL;
    expect(pageframe_retag(frame, tag), expected);
    if (expected == 0)
        model[frame].tag = tag;
}

void model_zero_one(void)
{
    if (!has_content)
        return;
    uint32_t zeroed = bytemap_count(BYTEMAP_ZEROED), unzeroed = bytemap_count(BYTEMAP_FREE);
    bool did = pageframe_zero_one();
    CHECK_EQUAL(bytemap_count(BYTEMAP_ZEROED), zeroed + did);
    CHECK_EQUAL(bytemap_count(BYTEMAP_FREE), unzeroed - did);
}

void model_set_watermarks(uint32_t new_reserve, uint32_t new_low)
{
    pageframe_set_watermarks(new_reserve, new_low);
    reserve = new_reserve < ram / 4 ? new_reserve : ram / 4;
    low = new_low < ram / 4 ? new_low : ram / 4;
}

static void compare_statistics(void)
{
    struct pageframe_statistics actual;
    uint32_t in_zone[PAGEFRAME_WHERE_COUNT] = {0};
    pageframe_read_statistics(&actual);
    CHECK_EQUAL(actual.ram_frames, ram);
    CHECK_EQUAL(actual.free_frames, spare);
    CHECK_EQUAL(actual.reserve_frames, reserve);
    CHECK_EQUAL(actual.low_watermark_frames, low);
    CHECK_EQUAL(actual.allocations, allocations);
    CHECK_EQUAL(actual.frees, frees);
    CHECK_EQUAL(actual.failures, failures);
    CHECK_EQUAL(actual.refusals, refusals);
    for (frame_t frame = 0; frame < model_size; frame++)
        for (unsigned where = 0; where < PAGEFRAME_WHERE_COUNT; where++)
            in_zone[where] += model[frame].tag == BYTEMAP_FREE && frame < ends[where];
    for (unsigned where = 0; where < PAGEFRAME_WHERE_COUNT; where++)
        CHECK_EQUAL(actual.zone_free_frames[where], in_zone[where]);
    CHECK_EQUAL(pageframe_pressure(), spare <= reserve ? PAGEFRAME_SCARCE
                                      : spare < low    ? PAGEFRAME_SHORT
                                                       : PAGEFRAME_PLENTY);
}

static void say(const char *sentence)
{
    fprintf(stderr, "%s\n", sentence);
}

void model_compare(void)
{
    struct check check = {0, say};
    for (frame_t frame = 0; frame < model_size; frame++) {
        bytemap_tag_t tag = bytemap_get(frame), expected = model[frame].tag;
        if (model[frame].references > 1)
            expected |= BYTEMAP_SHARED_BIT;
        if (model[frame].locks > 0)
            expected |= BYTEMAP_LOCKED_BIT;
        if (tag != expected && !(tag == BYTEMAP_ZEROED && expected == BYTEMAP_FREE))
            test_fail(__FILE__, __LINE__, "frame 0x%x has 0x%02x, expected 0x%02x", frame, tag,
                      expected);
    }
    bytemap_check(&check);
    pageframe_check(&check);
    CHECK_EQUAL(check.faults, 0);
    compare_statistics();
}

/* A frame number that is likely to matter: any, near a border, or beyond the map. */
static frame_t any_frame(uint32_t (*next)(void))
{
    uint32_t choice = next();
    if (choice % 16 == 0)
        return next();
    if (choice % 16 == 1)
        return ends[choice / 16 % PAGEFRAME_WHERE_COUNT] - 4 + choice / 128 % 8;
    return next() % model_size;
}

/* Mostly a frame that is given out. */
static frame_t out_frame(uint32_t (*next)(void))
{
    frame_t frame = any_frame(next);
    for (unsigned tries = 0; tries < 64 && out_result(frame) != 0; tries++)
        frame = frame < model_size ? (frame + 1) % model_size : 0;
    return frame;
}

static bytemap_tag_t any_tag(uint32_t (*next)(void))
{
    uint32_t choice = next();
    if (choice % 64 == 0)
        return (bytemap_tag_t)(choice >> 8);
    return BYTEMAP_TAG(BYTEMAP_ALLOCATED + choice / 64 % 4, BYTEMAP_KERNEL + choice / 256 % 3);
}

static unsigned any_where(uint32_t (*next)(void))
{
    uint32_t choice = next();
    unsigned where = choice % 64 == 0 ? choice / 64 % 9 : choice / 64 % PAGEFRAME_WHERE_COUNT;
    return choice % 5 == 0 ? where | PAGEFRAME_MUST : where;
}

/* Small ones most often, but all sizes up to one more than the most. */
static uint32_t any_count(uint32_t (*next)(void))
{
    uint32_t choice = next();
    return choice % 32 == 0 ? choice / 32 % 65538 : (choice >> 8) >> (8 + choice % 16);
}

static void run_step(uint32_t (*next)(void))
{
    uint32_t choice = next();
    uint32_t alignment = choice % 64 == 0 ? choice / 64 % 2100 : 1u << choice / 64 % 11;
    frame_t limit = choice / 1024 % 4 == 0 ? any_frame(next) : FRAME_NONE;
    uint32_t count = any_count(next);
    if (choice / 4096 % 2 == 0)
        count = 1u << count % 11;
    model_alloc_run(count, choice / 8192 % 2 == 0 ? 1 : alignment, limit, any_where(next),
                    any_tag(next));
}

static void rare_step(uint32_t (*next)(void))
{
    uint32_t choice = next();
    switch (choice % 8) {
    case 0:
        model_take(any_frame(next), any_count(next) % 4096, any_tag(next));
        break;
    case 1:
        model_reserve(any_frame(next), any_count(next) % 512);
        break;
    case 2:
    case 3:
        model_unreserve(any_frame(next), choice / 16 % 2 == 0 ? 1 : any_count(next));
        break;
    case 4:
        if (choice / 16 % 8 == 0)
            model_retire(any_frame(next));
        break;
    case 5:
        model_set_watermarks(next() % (ram / 2 + 1), next() % (ram / 2 + 1));
        break;
    case 6:
        model_set_watermarks(next() % 16, next() % 64);
        break;
    case 7:
        model_retag(out_frame(next), any_tag(next));
        break;
    }
}

void model_step(uint32_t (*next)(void))
{
    uint32_t choice = next() % 64;
    if (choice < 16)
        model_alloc(any_where(next), any_tag(next));
    else if (choice < 24)
        run_step(next);
    else if (choice < 38)
        model_free(out_frame(next));
    else if (choice < 44)
        model_free_run(out_frame(next), any_count(next));
    else if (choice < 47)
        model_reference(out_frame(next));
    else if (choice < 51)
        model_release(out_frame(next));
    else if (choice < 53)
        model_lock(out_frame(next));
    else if (choice < 56)
        model_unlock(out_frame(next));
    else if (choice < 60)
        model_zero_one();
    else if (choice < 62)
        model_alloc_zeroed(any_where(next), any_tag(next));
    else
        rare_step(next);
}
