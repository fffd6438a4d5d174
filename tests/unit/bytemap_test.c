#include "kernel/memory/bytemap/internal.h"
#include "tests/unit/test.h"

static uint8_t *storage;
static bytemap_tag_t *model;

/* A fresh map; its storage starts `skew` bytes off a machine word, as storage may. */
static void fresh(uint32_t frames, unsigned skew)
{
    static uint8_t *whole;
    free(whole);
    free(model);
    CHECK(bytemap_storage_bytes(frames) >= frames && bytemap_storage_bytes(frames) < frames + 32);
    whole = malloc(bytemap_storage_bytes(frames) + skew);
    model = calloc(frames + 1, 1);
    CHECK(whole != NULL && model != NULL);
    storage = whole + skew;
    memset(storage, 0xEE, frames);
    bytemap_init(storage, frames);
    CHECK_EQUAL(bytemap_frames(), frames);
}

static bytemap_tag_t random_tag(void)
{
    for (;;) {
        bytemap_tag_t tag = (bytemap_tag_t)test_random();
        if (test_random() % 2 == 0)
            return test_random() % 2 == 0 ? BYTEMAP_FREE : BYTEMAP_ZEROED;
        if (bytemap_tag_is_valid(tag))
            return tag;
    }
}

static void say(const char *sentence)
{
    fprintf(stderr, "%s\n", sentence);
}

static void compare(uint32_t frames)
{
    struct check check = {0, say};
    uint32_t of_tag[256] = {0}, of_state[16] = {0}, locked = 0;
    for (frame_t frame = 0; frame < frames; frame++) {
        CHECK_EQUAL(bytemap_get(frame), model[frame]);
        of_tag[model[frame]]++;
        of_state[model[frame] & 15]++;
        locked += model[frame] >> 6 & 1;
    }
    for (unsigned tag = 0; tag < 256; tag++)
        CHECK_EQUAL(bytemap_count((bytemap_tag_t)tag), of_tag[tag]);
    for (unsigned state = 0; state < BYTEMAP_STATE_COUNT; state++)
        CHECK_EQUAL(bytemap_count_state((enum bytemap_state)state), of_state[state]);
    CHECK_EQUAL(bytemap_count_locked(), locked);
    bytemap_check(&check);
    CHECK_EQUAL(check.faults, 0);
}

static frame_t slow_find(frame_t from, frame_t to, uint32_t count, uint32_t alignment,
                         enum bytemap_state state, uint32_t frames)
{
    if (count == 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
        return FRAME_NONE;
    for (uint64_t start = from; start + count <= to && start + count <= frames; start++) {
        uint32_t length = 0;
        while (length < count && (model[start + length] & 15) == (int)state)
            length++;
        if (length == count && start % alignment == 0)
            return (frame_t)start;
    }
    return FRAME_NONE;
}

TEST(bytemap_valid_tags_are_those_of_the_table)
{
    /* [state]: may have no owner, may have one, may be locked or shared */
    static const char *const rules[16] = {"n",  "n", "n", "o", "n", "ol", "ol", "ol",
                                          "ol", "",  "",  "",  "",  "",   "",   ""};
    for (unsigned tag = 0; tag < 256; tag++) {
        const char *rule = rules[tag & 15];
        bool valid = strchr(rule, (tag >> 4 & 3) != 0 ? 'o' : 'n') != NULL;
        if (tag >> 6 != 0)
            valid = valid && strchr(rule, 'l') != NULL;
        CHECK_EQUAL(bytemap_tag_is_valid((bytemap_tag_t)tag), valid);
        CHECK_EQUAL(bytemap_tag_is_free((bytemap_tag_t)tag), tag == 1 || tag == 2);
        CHECK_EQUAL(bytemap_tag_is_locked((bytemap_tag_t)tag), tag >> 6 & 1);
        CHECK_EQUAL(bytemap_tag_is_shared((bytemap_tag_t)tag), tag >> 7);
        CHECK_EQUAL(bytemap_tag_state((bytemap_tag_t)tag), tag & 15);
        CHECK_EQUAL(bytemap_tag_owner((bytemap_tag_t)tag), tag >> 4 & 3);
    }
    CHECK_EQUAL(BYTEMAP_TAG(BYTEMAP_CACHE, BYTEMAP_LIBRARY), 0x38);
}

TEST(bytemap_names)
{
    CHECK(strcmp(bytemap_state_name(BYTEMAP_PAGE_TABLE), "page table") == 0);
    CHECK(strcmp(bytemap_state_name((enum bytemap_state)15), "unknown") == 0);
    CHECK(strcmp(bytemap_owner_name(BYTEMAP_LIBRARY), "library") == 0);
    CHECK(strcmp(bytemap_owner_name((enum bytemap_owner)4), "unknown") == 0);
}

TEST(bytemap_beyond_the_map_is_absent)
{
    fresh(5, 0);
    bytemap_set(0, 5, BYTEMAP_FREE);
    CHECK_EQUAL(bytemap_get(4), BYTEMAP_FREE);
    CHECK_EQUAL(bytemap_get(5), BYTEMAP_ABSENT);
    CHECK_EQUAL(bytemap_get(FRAME_NONE), BYTEMAP_ABSENT);
    CHECK_EQUAL(bytemap_find_run(0, FRAME_NONE, 5, 1, BYTEMAP_FREE), 0);
    CHECK_EQUAL(bytemap_find_run(0, FRAME_NONE, 6, 1, BYTEMAP_FREE), FRAME_NONE);
    CHECK_EQUAL(bytemap_find_run(7, FRAME_NONE, 1, 1, BYTEMAP_FREE), FRAME_NONE);
    CHECK_EQUAL(bytemap_run_end(2, FRAME_NONE), 5);
    CHECK_EQUAL(bytemap_run_end(9, 12), 5);
}

static void random_set(uint32_t frames)
{
    frame_t first = test_random_range(0, frames);
    uint32_t count = test_random_range(0, frames - first);
    bytemap_tag_t tag = random_tag();
    if (test_random() % 4 != 0)
        count %= 20;
    if (count == 1) {
        bytemap_change_one(first, bytemap_get(first), tag);
        bytemap_check(&(struct check){0, say});
    } else {
        bytemap_set(first, count, tag);
    }
    memset(model + first, tag, count);
}

static void random_search(uint32_t frames)
{
    frame_t from = test_random_range(0, frames), to = test_random_range(0, frames + 3);
    uint32_t count = test_random() % 12, alignment = 1u << test_random() % 6;
    enum bytemap_state state = (enum bytemap_state)(test_random() % BYTEMAP_STATE_COUNT);
    if (test_random() % 2 == 0)
        state = BYTEMAP_FREE;
    if (test_random() % 32 == 0)
        alignment = test_random() % 9;
    CHECK_EQUAL(bytemap_find_run(from, to, count, alignment, state),
                slow_find(from, to, count, alignment, state, frames));
    if (from < to && from < frames) {
        frame_t end = from;
        while (end < to && end < frames && model[end] == model[from])
            end++;
        CHECK_EQUAL(bytemap_run_end(from, to), end);
    }
}

TEST(bytemap_random_calls_agree_with_the_model)
{
    static const uint32_t sizes[] = {1, 2, 7, 8, 9, 63, 64, 200, 1000, 5003};
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        fresh(sizes[i], test_random() % 9);
        for (unsigned step = 0; step < 3000; step++) {
            random_set(sizes[i]);
            random_search(sizes[i]);
            if (step % 50 == 0)
                compare(sizes[i]);
        }
        compare(sizes[i]);
    }
}

TEST(bytemap_check_finds_every_wrong_byte)
{
    struct check check;
    fresh(777, 3);
    for (unsigned i = 0; i < 200; i++)
        random_set(777);
    CHECK(bytemap_storage_bytes(777) > 777); /* what lies beyond the last frame counts too */
    for (unsigned i = 0; i < bytemap_storage_bytes(777); i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            check = (struct check){0, NULL};
            storage[i] ^= 1u << bit;
            bytemap_check(&check);
            CHECK(check.faults > 0);
            storage[i] ^= 1u << bit;
        }
    for (unsigned i = 0; i < sizeof(bytemap.count); i++) {
        check = (struct check){0, NULL};
        ((uint8_t *)bytemap.count)[i] += 1 + test_random() % 255;
        bytemap_check(&check);
        CHECK(check.faults > 0);
        bytemap_init(storage, 777);
    }
}
