#include "kernel/memory/bytemap/bytemap.h"

#include "kernel/lib/string.h"
#include "kernel/memory/bytemap/internal.h"
#include "kernel/memory/platform.h"

struct bytemap bytemap;

/* A machine word of the map. The map's bytes are read through it, so it may alias them. */
typedef uintptr_t __attribute__((may_alias)) word_t;
#define WORD_BYTES sizeof(word_t)
#define WORD_ONES  (UINTPTR_MAX / 255) /* 0x01 in each byte */
#define STATE_MASK 15
/* Bytes beyond the last frame's, up to a multiple of this, say ABSENT: who has the number of a
 * frame in a group of 32 that starts in the map may read the byte before it knows of the end. */
#define STORAGE_UNIT 32u

bool bytemap_tag_is_free(bytemap_tag_t tag)
{
    return tag == BYTEMAP_FREE || tag == BYTEMAP_ZEROED;
}

bool bytemap_tag_is_valid(bytemap_tag_t tag)
{
    unsigned state = tag & STATE_MASK;
    bool has_owner = bytemap_tag_owner(tag) != BYTEMAP_NONE;
    if (state >= BYTEMAP_ALLOCATED)
        return state < BYTEMAP_STATE_COUNT && has_owner;
    if (tag & (BYTEMAP_LOCKED_BIT | BYTEMAP_SHARED_BIT))
        return false;
    return has_owner == (state == BYTEMAP_RESERVED);
}

size_t bytemap_storage_bytes(uint32_t frames)
{
    return (frames + STORAGE_UNIT - 1) & ~(size_t)(STORAGE_UNIT - 1);
}

void bytemap_init(void *storage, uint32_t frames)
{
    memset(storage, BYTEMAP_ABSENT, bytemap_storage_bytes(frames));
    memset(&bytemap, 0, sizeof(bytemap));
    bytemap.bytes = storage;
    bytemap.frames = frames;
    bytemap.count[BYTEMAP_ABSENT] = frames;
    bytemap.seal = ~((uintptr_t)storage + frames);
}

uint32_t bytemap_frames(void)
{
    return bytemap.frames;
}

bytemap_tag_t bytemap_get(frame_t frame)
{
    return frame < bytemap.frames ? bytemap.bytes[frame] : BYTEMAP_ABSENT;
}

void bytemap_set(frame_t first, uint32_t count, bytemap_tag_t tag)
{
    MEMORY_ASSERT(first <= bytemap.frames && count <= bytemap.frames - first);
    MEMORY_ASSERT(bytemap_tag_is_valid(tag));
    for (frame_t at = first, end = first + count; at < end;) {
        frame_t next = bytemap_run_end(at, end);
        bytemap.count[bytemap.bytes[at]] -= next - at;
        at = next;
    }
    memset(bytemap.bytes + first, tag, count);
    bytemap.count[tag] += count;
}

uint32_t bytemap_count(bytemap_tag_t tag)
{
    return tag == BYTEMAP_FREE ? bytemap_free_frames() : bytemap.count[tag];
}

uint32_t bytemap_count_state(enum bytemap_state state)
{
    uint32_t sum = 0;
    for (unsigned upper = 0; upper < 256; upper += 16)
        sum += bytemap_count((bytemap_tag_t)(upper | state));
    return sum;
}

uint32_t bytemap_count_locked(void)
{
    uint32_t sum = 0;
    for (unsigned tag = 0; tag < 256; tag++)
        if (bytemap_tag_is_locked((bytemap_tag_t)tag))
            sum += bytemap.count[tag];
    return sum;
}

/* The first frame in [from, to) whose byte, as far as `mask` shows it, is `tag`; or `to`. A word
 * holds such a byte if its difference holds a zero byte (which the borrow trick finds exactly). */
static frame_t find_equal(frame_t from, frame_t to, bytemap_tag_t tag, uint8_t mask)
{
    const uint8_t *bytes = bytemap.bytes;
    for (; from < to && (uintptr_t)(bytes + from) % WORD_BYTES != 0; from++)
        if ((bytes[from] & mask) == tag)
            return from;
    for (; to - from >= WORD_BYTES; from += WORD_BYTES) {
        word_t shown = *(const word_t *)(bytes + from) & WORD_ONES * mask;
        word_t difference = shown ^ WORD_ONES * tag;
        if ((difference - WORD_ONES) & ~difference & WORD_ONES << 7)
            break;
    }
    while (from < to && (bytes[from] & mask) != tag)
        from++;
    return from;
}

/* The first frame in [from, to) whose byte, as far as `mask` shows it, is not `tag`; or `to`. */
static frame_t find_other(frame_t from, frame_t to, bytemap_tag_t tag, uint8_t mask)
{
    const uint8_t *bytes = bytemap.bytes;
    for (; from < to && (uintptr_t)(bytes + from) % WORD_BYTES != 0; from++)
        if ((bytes[from] & mask) != tag)
            return from;
    while (to - from >= WORD_BYTES &&
           (*(const word_t *)(bytes + from) & WORD_ONES * mask) == WORD_ONES * tag)
        from += WORD_BYTES;
    while (from < to && (bytes[from] & mask) == tag)
        from++;
    return from;
}

/* Steps over blocks of eight words first: freeing a run goes through here. */
frame_t bytemap_run_end(frame_t first, frame_t to)
{
    const uint8_t *bytes = bytemap.bytes;
    if (to > bytemap.frames)
        to = bytemap.frames;
    if (first >= to)
        return to;
    bytemap_tag_t tag = bytes[first];
    const word_t same = WORD_ONES * tag;
    if (to - first == 1)
        return to;
    if ((uintptr_t)(bytes + first) % WORD_BYTES == 0)
        for (; to - first >= 8 * WORD_BYTES; first += 8 * WORD_BYTES) {
            const word_t *words = (const word_t *)(bytes + first);
            if (words[0] != same || words[1] != same || words[2] != same || words[3] != same ||
                words[4] != same || words[5] != same || words[6] != same || words[7] != same)
                break;
        }
    return find_other(first, to, tag, 0xFF);
}

/* Where `frame` moves up to a multiple of the alignment; 64 bits, as it may pass the last frame. */
static uint64_t align_up(uint64_t frame, uint32_t alignment)
{
    return (frame + alignment - 1) & ~(uint64_t)(alignment - 1);
}

frame_t bytemap_find_run(frame_t from, frame_t to, uint32_t count, uint32_t alignment,
                         enum bytemap_state state)
{
    if (to > bytemap.frames)
        to = bytemap.frames;
    if (count == 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
        return FRAME_NONE;
    while (from < to) {
        from = find_equal(from, to, (bytemap_tag_t)state, STATE_MASK);
        frame_t end = find_other(from, to, (bytemap_tag_t)state, STATE_MASK);
        uint64_t start = align_up(from, alignment);
        if (start + count <= end)
            return (frame_t)start;
        from = end;
    }
    return FRAME_NONE;
}

const char *bytemap_state_name(enum bytemap_state state)
{
    static const char *const names[BYTEMAP_STATE_COUNT] = {
        "absent", "free", "zeroed", "reserved", "bad", "allocated", "page table", "heap", "cache"};
    return (unsigned)state < BYTEMAP_STATE_COUNT ? names[state] : "unknown";
}

const char *bytemap_owner_name(enum bytemap_owner owner)
{
    static const char *const names[BYTEMAP_OWNER_COUNT] = {"none", "kernel", "user", "library"};
    return (unsigned)owner < BYTEMAP_OWNER_COUNT ? names[owner] : "unknown";
}

void bytemap_check(struct check *check)
{
    uint32_t recount[256] = {0};
    if (!bytemap_is_in_place()) {
        check_fault(check, "bytemap: where the map is, or its size, is damaged");
        return;
    }
    for (frame_t at = bytemap.frames; at % STORAGE_UNIT != 0; at++)
        if (bytemap.bytes[at] != BYTEMAP_ABSENT)
            check_fault(check, "bytemap: the byte 0x%x beyond the last frame is 0x%02x", at,
                        bytemap.bytes[at]);
    for (frame_t frame = 0; frame < bytemap.frames; frame++) {
        bytemap_tag_t tag = bytemap.bytes[frame];
        recount[tag]++;
        if (!bytemap_tag_is_valid(tag))
            check_fault(check, "bytemap: frame 0x%x has byte 0x%02x, which is no valid state",
                        frame, tag);
    }
    for (unsigned tag = 0; tag < 256; tag++)
        if (recount[tag] != bytemap_count((bytemap_tag_t)tag))
            check_fault(check, "bytemap: %u frames have byte 0x%02x (%s), the counter says %u",
                        recount[tag], tag, bytemap_state_name((enum bytemap_state)(tag & 15)),
                        bytemap_count((bytemap_tag_t)tag));
}
