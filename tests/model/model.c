#include "tests/model/model.h"

#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"

#define SLOT_PAGES    (PAGE_LARGE_SIZE / PAGE_SIZE)
#define DIRECT_FRAMES ((frame_t)((MAP_DIRECT_END - MAP_DIRECT_START) / FRAME_SIZE))
#define FRAME_MARK    0x5EED0000u

struct run {
    frame_t first;
    uint32_t frames; /* 0: the slot is empty */
    bytemap_tag_t tag;
    uint16_t references[MODEL_RUN_FRAMES]; /* 0: given back */
    uint16_t locks[MODEL_RUN_FRAMES];
    uint8_t mapped[MODEL_RUN_FRAMES];
};

struct object {
    void *at; /* NULL: the slot is empty */
    size_t bytes;
};

struct page {
    bool present, large;
    frame_t frame;
    uint32_t flags;
};

/* What is read from the real core, and what it was at the beginning. */
struct counts {
    uint32_t free, allocated, heap, tables, objects;
    size_t live_bytes, committed_bytes;
    uint64_t given, returned;
    uint32_t reserve, low;
    uint32_t beside;
};

static struct run runs[MODEL_SLOTS];
static struct object objects[MODEL_SLOTS];
static struct page pages[MODEL_PAGES];
static bool has_table[MODEL_PAGES / SLOT_PAGES];
static uint32_t window;
static struct counts start;
static uint32_t reserve, low;
static bool (*failed_hook)(void); /* of the call that runs */
static uint32_t (*beside_hook)(void);

static const frame_t zone_ends[PAGEFRAME_WHERE_COUNT] = {[PAGEFRAME_ANYWHERE] = FRAME_NONE,
                                                         [PAGEFRAME_BELOW_4G] = 1u << 20,
                                                         [PAGEFRAME_DIRECT] = DIRECT_FRAMES,
                                                         [PAGEFRAME_BELOW_16M] = 4096,
                                                         [PAGEFRAME_BELOW_1M] = 256};
static const uint32_t rights[3] = {PAGING_USER, PAGING_USER | PAGING_WRITE,
                                   PAGING_USER | PAGING_EXECUTE};

/* Whether the call that runs was made to fail. */
static bool is_forced(void)
{
    return failed_hook != NULL && failed_hook();
}

/* ---- the counts ---- */

static struct counts read_counts(void)
{
    struct pageframe_statistics frames;
    struct heap_statistics heap;
    /* First: at a debug level the heap lets go of what it keeps before it counts. */
    heap_read_statistics(&heap);
    pageframe_read_statistics(&frames);
    return (struct counts){
        .free = bytemap_count_state(BYTEMAP_FREE) + bytemap_count_state(BYTEMAP_ZEROED),
        .allocated = bytemap_count_state(BYTEMAP_ALLOCATED),
        .heap = bytemap_count_state(BYTEMAP_HEAP),
        .tables = bytemap_count_state(BYTEMAP_PAGE_TABLE),
        .objects = heap.objects,
        .live_bytes = heap.live_bytes,
        .committed_bytes = heap.committed_bytes,
        .given = frames.allocations,
        .returned = frames.frees,
        .reserve = frames.reserve_frames,
        .low = frames.low_watermark_frames,
        .beside = beside_hook != NULL ? beside_hook() : 0,
    };
}

static uint32_t own_frames(void)
{
    uint32_t count = 0;
    for (unsigned slot = 0; slot < MODEL_SLOTS; slot++)
        for (uint32_t i = 0; i < runs[slot].frames; i++)
            count += runs[slot].references[i] != 0;
    return count;
}

static const char *compare_heap(const struct counts *now)
{
    uint32_t count = 0;
    size_t bytes = 0;
    for (unsigned slot = 0; slot < MODEL_SLOTS; slot++)
        if (objects[slot].at != NULL) {
            count++;
            bytes += ksize(objects[slot].at);
        }
    if (now->objects != start.objects + count)
        return "the heap counts another number of objects";
    if (now->live_bytes != start.live_bytes + bytes)
        return "the heap counts other bytes in use";
    if (now->committed_bytes != (size_t)now->heap * FRAME_SIZE)
        return "the heap's pages are not the frames in state heap";
    return NULL;
}

/* After every call. Heap pages and tables are as many as the real core says; that they are what it
 * says in frames is checked. */
static const char *compare_counts(void)
{
    struct counts now = read_counts();
    uint32_t own = own_frames() + now.beside - start.beside;
    uint32_t used = own + (now.heap - start.heap) + (now.tables - start.tables);
    if (now.allocated != start.allocated + own)
        return "another number of frames is allocated";
    if (now.free != start.free - used)
        return "another number of frames is free";
    if (now.tables != paging_table_frames())
        return "paging counts other tables than the bytemap";
    if (now.given - start.given - (now.returned - start.returned) != used)
        return "frames that went out and came back do not make up those in use";
    if (now.reserve != reserve || now.low != low)
        return "the watermarks are not those that were set";
    if (pageframe_pressure() != (now.free <= reserve ? PAGEFRAME_SCARCE
                                 : now.free < low    ? PAGEFRAME_SHORT
                                                     : PAGEFRAME_PLENTY))
        return "the pressure is not what the watermarks make of the free frames";
    return compare_heap(&now);
}

/* ---- frames ---- */

static bool is_room_for(uint32_t count)
{
    uint32_t free = bytemap_count_state(BYTEMAP_FREE) + bytemap_count_state(BYTEMAP_ZEROED);
    return free >= (uint64_t)reserve + count;
}

static unsigned zone_of(frame_t frame)
{
    static const unsigned narrow_first[] = {PAGEFRAME_BELOW_1M, PAGEFRAME_BELOW_16M,
                                            PAGEFRAME_DIRECT, PAGEFRAME_BELOW_4G};
    for (unsigned i = 0; i < ARRAY_COUNT(narrow_first); i++)
        if (frame < zone_ends[narrow_first[i]])
            return narrow_first[i];
    return PAGEFRAME_ANYWHERE;
}

static bool is_free_block(frame_t first, uint32_t count, frame_t end)
{
    if ((uint64_t)first + count > end || zone_of(first) != zone_of(first + count - 1))
        return false;
    for (frame_t frame = first; frame < first + count; frame++)
        if (!bytemap_tag_is_free(bytemap_get(frame)))
            return false;
    return true;
}

/* The rule of pageframe_alloc_run for up to 1024 frames. */
static bool has_block(uint32_t frames, uint32_t alignment, unsigned where)
{
    frame_t end = zone_ends[where] < bytemap_frames() ? zone_ends[where] : bytemap_frames();
    uint32_t block = 1;
    while (block < frames || block < alignment)
        block *= 2;
    for (frame_t first = 0; first < end; first += block)
        if (is_free_block(first, block, end))
            return true;
    return false;
}

/* The slot that has the frame; NULL if none does. */
static struct run *run_of(frame_t frame)
{
    for (unsigned slot = 0; slot < MODEL_SLOTS; slot++)
        if (frame - runs[slot].first < runs[slot].frames &&
            runs[slot].references[frame - runs[slot].first] != 0)
            return &runs[slot];
    return NULL;
}

static void mark(frame_t frame)
{
    if (frame < DIRECT_FRAMES)
        *(volatile uint32_t *)platform_frame_pointer(frame) = FRAME_MARK ^ frame;
}

static bool is_marked(frame_t frame)
{
    return frame >= DIRECT_FRAMES ||
           *(volatile uint32_t *)platform_frame_pointer(frame) == (FRAME_MARK ^ frame);
}

/* Frames that the real core gave out go into the slot. */
static const char *enter_run(struct run *run, frame_t first, uint32_t frames, unsigned where,
                             bytemap_tag_t tag)
{
    for (frame_t frame = first; frame < first + frames; frame++) {
        if (run_of(frame) != NULL)
            return "a frame was given out that is in use";
        if (frame >= zone_ends[where])
            return "a frame was given out that lies too high";
        if (bytemap_get(frame) != tag)
            return "a frame was given out that does not carry its tag";
        if (pageframe_references(frame) != 1 || pageframe_locks(frame) != 0)
            return "a new frame has not one reference and no lock";
        mark(frame);
    }
    memset(run, 0, sizeof(*run));
    *run = (struct run){.first = first, .frames = frames, .tag = tag};
    for (uint32_t i = 0; i < frames; i++)
        run->references[i] = 1;
    return NULL;
}

static bool is_zero(frame_t frame)
{
    const volatile uint32_t *words = platform_frame_pointer(frame);
    for (uint32_t i = 0; i < FRAME_SIZE / sizeof(*words); i++)
        if (words[i] != 0)
            return false;
    return true;
}

static bytemap_tag_t tag_of(uint32_t owner)
{
    return BYTEMAP_TAG(BYTEMAP_ALLOCATED, BYTEMAP_KERNEL + owner % 3);
}

static const char *run_frame(struct run *run, unsigned where, uint32_t owner, bool is_zeroed)
{
    bytemap_tag_t tag = tag_of(owner);
    bool is_there;
    frame_t frame;
    if (is_zeroed && (where == PAGEFRAME_ANYWHERE || where == PAGEFRAME_BELOW_4G))
        where = PAGEFRAME_DIRECT;
    is_there = is_room_for(1) && has_block(1, 1, where);
    frame = is_zeroed ? pageframe_alloc_zeroed(where, tag) : pageframe_alloc(where, tag);
    if (frame == FRAME_NONE)
        return is_there && !is_forced() ? "no frame, and there is one" : NULL;
    if (!is_there)
        return "a frame, and there is none";
    if (is_zeroed && !is_zero(frame))
        return "a zeroed frame that is not";
    return enter_run(run, frame, 1, where, tag);
}

static const char *run_run(struct run *run, uint32_t frames, uint32_t alignment, unsigned where,
                           uint32_t owner)
{
    bytemap_tag_t tag = tag_of(owner);
    bool is_there = is_room_for(frames) && has_block(frames, alignment, where);
    frame_t first = pageframe_alloc_run(frames, alignment, FRAME_NONE, where, tag);
    if (first == FRAME_NONE)
        return is_there && !is_forced() ? "no run, and there is one" : NULL;
    if (!is_there)
        return "a run, and there is none";
    if (first % alignment != 0)
        return "a run that is not aligned";
    return enter_run(run, first, frames, where, tag);
}

/* What giving it back must say. */
static int free_result(const struct run *run, uint32_t i)
{
    if (run->references[i] == 0)
        return -EALREADY;
    return run->references[i] > 1 || run->locks[i] > 0 ? -EBUSY : 0;
}

static void close_if_empty(struct run *run)
{
    for (uint32_t i = 0; i < run->frames; i++)
        if (run->references[i] != 0)
            return;
    run->frames = 0;
}

/* A frame that has come back may be somebody's by now: the heap's, or a table. */
static bool is_still_free(const struct run *run, uint32_t i)
{
    return run->references[i] != 0 || bytemap_tag_is_free(bytemap_get(run->first + i));
}

static const char *run_free(struct run *run, uint32_t i)
{
    int expected = free_result(run, i);
    if (run->mapped[i] || !is_still_free(run, i))
        return NULL;
    if (expected == 0 && !is_marked(run->first + i))
        return "a frame does not hold what was written into it";
    if (pageframe_free(run->first + i) != expected)
        return "pageframe_free says something else";
    if (expected == 0)
        run->references[i] = 0;
    close_if_empty(run);
    return NULL;
}

static const char *run_free_run(struct run *run)
{
    int expected = 0;
    for (uint32_t i = 0; i < run->frames; i++) {
        if (run->mapped[i] || !is_still_free(run, i))
            return NULL;
        if (expected == 0)
            expected = free_result(run, i);
    }
    if (pageframe_free_run(run->first, run->frames) != expected)
        return "pageframe_free_run says something else";
    if (expected == 0)
        run->frames = 0;
    return NULL;
}

static const char *run_release(struct run *run, uint32_t i)
{
    int expected = run->references[i] > 1 ? run->references[i] - 1 : free_result(run, i);
    if (run->mapped[i] || !is_still_free(run, i))
        return NULL;
    if (pageframe_release(run->first + i) != expected)
        return "pageframe_release says something else";
    if (expected >= 0)
        run->references[i] = (uint16_t)expected;
    close_if_empty(run);
    return NULL;
}

/* References and locks, up and down. */
static const char *run_count(struct run *run, uint32_t i, enum model_kind kind)
{
    const frame_t frame = run->first + i;
    int expected = run->references[i] == 0 ? -EINVAL : 0;
    if (!is_still_free(run, i))
        return NULL;
    switch (kind) {
    case MODEL_REFERENCE:
        if (pageframe_reference(frame) != expected)
            return "pageframe_reference says something else";
        run->references[i] += expected == 0;
        break;
    case MODEL_LOCK:
        if (pageframe_lock(frame) != expected)
            return "pageframe_lock says something else";
        run->locks[i] += expected == 0;
        break;
    default:
        if (expected == 0 && run->locks[i] == 0)
            expected = -EINVAL;
        if (pageframe_unlock(frame) != expected)
            return "pageframe_unlock says something else";
        run->locks[i] -= expected == 0;
    }
    if (pageframe_references(frame) != run->references[i] ||
        pageframe_locks(frame) != run->locks[i])
        return "a frame's references or locks are others";
    return NULL;
}

static const char *run_watermarks(uint32_t new_reserve, uint32_t new_low)
{
    struct pageframe_statistics frames;
    uint32_t most;
    pageframe_read_statistics(&frames);
    most = frames.ram_frames / 4;
    pageframe_set_watermarks(new_reserve, new_low);
    reserve = new_reserve < most ? new_reserve : most;
    low = new_low < most ? new_low : most;
    return NULL;
}

/* ---- objects ---- */

static unsigned char stamp_of(const struct object *object, size_t i)
{
    return (unsigned char)((uintptr_t)object->at / HEAP_ALIGNMENT + object->bytes + i);
}

/* The first and the last bytes. */
static void stamp(const struct object *object)
{
    unsigned char *bytes = object->at;
    for (size_t i = 0; i < object->bytes && i < 16; i++) {
        bytes[i] = stamp_of(object, i);
        bytes[object->bytes - 1 - i] = stamp_of(object, object->bytes - 1 - i);
    }
}

static bool is_stamped(const struct object *object)
{
    const unsigned char *bytes = object->at;
    for (size_t i = 0; i < object->bytes && i < 16; i++)
        if (bytes[i] != stamp_of(object, i) ||
            bytes[object->bytes - 1 - i] != stamp_of(object, object->bytes - 1 - i))
            return false;
    return true;
}

/* NULL is right only where memory may really be out: the heap keeps whole pages and a few for its
 * own lists. */
static const char *judge_null(size_t bytes)
{
    return is_forced() || bytes == 0 || !is_room_for((uint32_t)(bytes / PAGE_SIZE) + 16)
               ? NULL
               : "no object, and there is memory";
}

static const char *enter_object(struct object *object, void *at, size_t bytes, size_t alignment)
{
    if (at == NULL)
        return judge_null(bytes);
    if (bytes == 0)
        return "an object of no bytes";
    if ((uintptr_t)at < MAP_HEAP_START || (uintptr_t)at + bytes > MAP_HEAP_END)
        return "an object outside of the heap's row";
    if ((uintptr_t)at % alignment != 0 || (uintptr_t)at % HEAP_ALIGNMENT != 0)
        return "an object that is not aligned";
    if (ksize(at) < bytes)
        return "an object that is too small";
    for (unsigned slot = 0; slot < MODEL_SLOTS; slot++) {
        const struct object *other = &objects[slot];
        if (other->at != NULL && other != object &&
            (uintptr_t)at < (uintptr_t)other->at + other->bytes &&
            (uintptr_t)other->at < (uintptr_t)at + bytes)
            return "an object that overlaps another";
    }
    *object = (struct object){at, bytes};
    stamp(object);
    return NULL;
}

static const char *run_kcalloc(struct object *object, uint32_t count, uint32_t bytes)
{
    const unsigned char *at = kcalloc(count, bytes);
    for (size_t i = 0; at != NULL && i < (size_t)count * bytes; i++)
        if (at[i] != 0)
            return "kcalloc's bytes are not zero";
    return enter_object(object, (void *)(uintptr_t)at, (size_t)count * bytes, HEAP_ALIGNMENT);
}

static const char *run_krealloc(struct object *object, size_t bytes)
{
    struct object before = *object;
    unsigned char head[16];
    size_t kept = before.bytes < bytes ? before.bytes : bytes;
    void *at;
    if (bytes == 0)
        return NULL;
    if (before.at == NULL)
        return enter_object(object, krealloc(NULL, bytes), bytes, HEAP_ALIGNMENT);
    if (!is_stamped(&before))
        return "an object does not hold what was written into it";
    kept = kept < sizeof(head) ? kept : sizeof(head);
    memcpy(head, before.at, kept);
    at = krealloc(before.at, bytes);
    if (at == NULL)
        return is_stamped(&before) ? judge_null(bytes)
                                   : "a krealloc that failed changed the object";
    object->at = NULL;
    if (memcmp(at, head, kept) != 0)
        return "krealloc lost the object's bytes";
    return enter_object(object, at, bytes, HEAP_ALIGNMENT);
}

static const char *run_kfree(struct object *object)
{
    if (!is_stamped(object))
        return "an object does not hold what was written into it";
    kfree(object->at);
    object->at = NULL;
    return NULL;
}

/* ---- mappings ---- */

static uint32_t address_of(uint32_t page)
{
    return window + page * PAGE_SIZE;
}

static bool is_all(uint32_t page, uint32_t count, bool present)
{
    for (uint32_t i = page; i < page + count; i++)
        if (pages[i].present != present)
            return false;
    return true;
}

static void set_mapped(frame_t frame, uint8_t mapped)
{
    struct run *run = run_of(frame);
    run->mapped[frame - run->first] = mapped;
}

/* 2 MiB pages where both sides are aligned and no table is there. */
static void enter_pages(uint32_t page, uint32_t count, frame_t frame, uint32_t flags,
                        bool may_large)
{
    for (uint32_t end = page + count, i = page; i < end; i++, frame++) {
        uint32_t slot = i / SLOT_PAGES;
        bool is_large = pages[i].large;
        if (i % SLOT_PAGES == 0 || i == page)
            is_large = may_large && !has_table[slot] && i % SLOT_PAGES == 0 &&
                       frame % SLOT_PAGES == 0 && end - i >= SLOT_PAGES;
        else
            is_large = pages[i - 1].large;
        has_table[slot] |= !is_large;
        pages[i] = (struct page){true, is_large, frame, flags};
        set_mapped(frame, 1);
    }
}

/* May these frames be mapped: a user's, each once. */
static bool is_mappable(const struct run *run, uint32_t i, uint32_t count)
{
    if (run->frames == 0 || i + count > run->frames || run->tag != tag_of(1))
        return false;
    for (uint32_t end = i + count; i < end; i++)
        if (run->references[i] == 0 || run->mapped[i])
            return false;
    return true;
}

static const char *judge_map(int error, uint32_t page, uint32_t count, frame_t frame,
                             uint32_t flags, bool may_large)
{
    int expected = is_all(page, count, false) ? 0 : -EEXIST;
    if (error == -ENOMEM && expected == 0)
        return is_forced() || !is_room_for(4) ? NULL : "no table, and there is memory";
    if (error != expected)
        return "mapping says something else";
    if (expected == 0)
        enter_pages(page, count, frame, flags, may_large);
    return NULL;
}

/* What is left of a large page that was cut has a table. */
static void cut(uint32_t page)
{
    uint32_t slot = page / SLOT_PAGES;
    for (uint32_t i = slot * SLOT_PAGES; i < (slot + 1) * SLOT_PAGES; i++)
        pages[i].large = false;
    has_table[slot] = true;
}

static bool is_cut(uint32_t page, uint32_t end)
{
    uint32_t slot = page / SLOT_PAGES * SLOT_PAGES;
    return pages[page].large && (page != slot || end < slot + SLOT_PAGES);
}

static const char *run_unmap(uint32_t page, uint32_t count)
{
    int expected = is_all(page, count, true) ? 0 : -ENOENT;
    int error = paging_unmap(&paging_kernel, address_of(page), count);
    if (error == -ENOMEM && expected == 0)
        return is_forced() || !is_room_for(4) ? NULL : "no table, and there is memory";
    if (error != expected)
        return "paging_unmap says something else";
    for (uint32_t i = page; i < page + count && expected == 0; i++) {
        if (is_cut(i, page + count))
            cut(i);
        set_mapped(pages[i].frame, 0);
        pages[i].present = false;
    }
    for (uint32_t i = page; i < page + count && expected == 0; i++)
        pages[i].large = false;
    return NULL;
}

static const char *run_unmap_page(uint32_t page)
{
    frame_t expected = pages[page].present && !pages[page].large ? pages[page].frame : FRAME_NONE;
    if (paging_unmap_page(&paging_kernel, address_of(page)) != expected)
        return "paging_unmap_page says something else";
    if (expected != FRAME_NONE) {
        set_mapped(expected, 0);
        pages[page].present = false;
    }
    return NULL;
}

static const char *run_protect(uint32_t page, uint32_t count, uint32_t flags)
{
    int expected = is_all(page, count, true) ? 0 : -ENOENT;
    int error = paging_protect(&paging_kernel, address_of(page), count, flags);
    if (error == -ENOMEM && expected == 0)
        return is_forced() || !is_room_for(4) ? NULL : "no table, and there is memory";
    if (error != expected)
        return "paging_protect says something else";
    for (uint32_t i = page; i < page + count && expected == 0; i++) {
        if (pages[i].flags != flags && is_cut(i, page + count))
            cut(i);
        pages[i].flags = flags;
    }
    return NULL;
}

/* ---- calls ---- */

static const char *run_on_frames(const struct model_call *call)
{
    struct run *run = &runs[call->a % MODEL_SLOTS];
    uint32_t i = run->frames != 0 ? call->b % run->frames : 0;
    if ((run->frames != 0) == (call->kind <= MODEL_RUN))
        return NULL;
    switch (call->kind) {
    case MODEL_FRAME:
    case MODEL_ZEROED:
        return run_frame(run, call->b % PAGEFRAME_WHERE_COUNT, call->c, call->kind == MODEL_ZEROED);
    case MODEL_RUN:
        return run_run(run, 1 + (call->b - 1) % MODEL_RUN_FRAMES, 1u << call->c % 11,
                       (call->d & 0xFFFF) % PAGEFRAME_WHERE_COUNT, call->d >> 16);
    case MODEL_FREE:
        return run_free(run, i);
    case MODEL_FREE_RUN:
        return run_free_run(run);
    case MODEL_RELEASE:
        return run_release(run, i);
    default:
        return run_count(run, i, call->kind);
    }
}

static const char *run_on_objects(const struct model_call *call)
{
    struct object *object = &objects[call->a % MODEL_SLOTS];
    bool is_new = call->kind <= MODEL_ALIGNED;
    if (call->kind != MODEL_KREALLOC && is_new == (object->at != NULL))
        return NULL;
    switch (call->kind) {
    case MODEL_KMALLOC:
        return enter_object(object, kmalloc(call->b), call->b, HEAP_ALIGNMENT);
    case MODEL_KCALLOC:
        return run_kcalloc(object, call->b, call->c);
    case MODEL_ALIGNED:
        return enter_object(object, kmalloc_aligned(call->b, (size_t)1 << call->c % 16), call->b,
                            (size_t)1 << call->c % 16);
    case MODEL_KREALLOC:
        return run_krealloc(object, call->b);
    default:
        return run_kfree(object);
    }
}

static uint32_t count_from(uint32_t page, uint32_t count)
{
    count = count == 0 ? 1 : count;
    return count < MODEL_PAGES - page ? count : MODEL_PAGES - page;
}

static const char *run_on_pages(const struct model_call *call)
{
    bool has_slot = call->kind == MODEL_MAP || call->kind == MODEL_MAP_PAGE;
    const struct run *run = &runs[call->a % MODEL_SLOTS];
    uint32_t page = (has_slot ? call->b : call->a) % MODEL_PAGES;
    uint32_t count = count_from(page, has_slot ? call->c : call->b);
    uint32_t flags = rights[(has_slot ? call->d : call->c) % ARRAY_COUNT(rights)], i;
    switch (call->kind) {
    case MODEL_MAP:
        if (!is_mappable(run, 0, count))
            return NULL;
        return judge_map(paging_map(&paging_kernel, address_of(page), run->first, count, flags),
                         page, count, run->first, flags, true);
    case MODEL_MAP_PAGE:
        i = run->frames != 0 ? call->c % run->frames : 0;
        if (!is_mappable(run, i, 1))
            return NULL;
        return judge_map(paging_map_page(&paging_kernel, address_of(page), run->first + i, flags),
                         page, 1, run->first + i, flags, false);
    case MODEL_UNMAP:
        return run_unmap(page, count);
    case MODEL_UNMAP_PAGE:
        return run_unmap_page(page);
    default:
        return run_protect(page, count, flags);
    }
}

const char *model_run(const struct model_call *call, bool (*was_failed)(void))
{
    const char *fault = NULL;
    failed_hook = was_failed;
    if (call->kind <= MODEL_UNLOCK)
        fault = run_on_frames(call);
    else if (call->kind == MODEL_WATERMARKS)
        fault = run_watermarks(call->a, call->b);
    else if (call->kind <= MODEL_KFREE)
        fault = run_on_objects(call);
    else if (call->kind == MODEL_TRIM)
        heap_trim();
    else
        fault = run_on_pages(call);
    return fault != NULL ? fault : compare_counts();
}

void model_begin(uint32_t window_start, uint32_t (*beside)(void))
{
    memset(runs, 0, sizeof(runs));
    memset(objects, 0, sizeof(objects));
    memset(pages, 0, sizeof(pages));
    window = window_start;
    beside_hook = beside;
    for (uint32_t slot = 0; slot < ARRAY_COUNT(has_table); slot++)
        has_table[slot] = paging_walk(&paging_kernel, address_of(slot * SLOT_PAGES)).levels == 3;
    heap_trim();
    start = read_counts();
    reserve = start.reserve;
    low = start.low;
}

/* ---- all of it ---- */

static const char *compare_frames(void)
{
    for (unsigned slot = 0; slot < MODEL_SLOTS; slot++)
        for (uint32_t i = 0; i < runs[slot].frames; i++) {
            const struct run *run = &runs[slot];
            frame_t frame = run->first + i;
            bytemap_tag_t tag = run->tag;
            if (run->references[i] == 0)
                continue;
            tag |= run->references[i] > 1 ? BYTEMAP_SHARED_BIT : 0;
            tag |= run->locks[i] > 0 ? BYTEMAP_LOCKED_BIT : 0;
            if (bytemap_get(frame) != tag)
                return "a frame's byte is another";
            if (pageframe_references(frame) != run->references[i] ||
                pageframe_locks(frame) != run->locks[i])
                return "a frame's references or locks are others";
            if (!is_marked(frame))
                return "a frame does not hold what was written into it";
        }
    return NULL;
}

/* Counted from the bytes of all frames. */
static const char *compare_zones(void)
{
    struct pageframe_statistics frames;
    uint32_t free[PAGEFRAME_WHERE_COUNT] = {0}, ram = 0;
    pageframe_read_statistics(&frames);
    for (frame_t frame = 0; frame < bytemap_frames(); frame++) {
        bytemap_tag_t tag = bytemap_get(frame);
        ram += bytemap_tag_state(tag) != BYTEMAP_ABSENT;
        for (unsigned where = 0; where < PAGEFRAME_WHERE_COUNT; where++)
            free[where] += bytemap_tag_is_free(tag) && frame < zone_ends[where];
    }
    if (ram != frames.ram_frames || free[PAGEFRAME_ANYWHERE] != frames.free_frames)
        return "the frames' bytes do not add up to the counts";
    for (unsigned where = 0; where < PAGEFRAME_WHERE_COUNT; where++)
        if (free[where] != frames.zone_free_frames[where])
            return "a zone has another number of free frames";
    return NULL;
}

static const char *compare_pages(void)
{
    for (uint32_t page = 0; page < MODEL_PAGES; page++) {
        struct paging_translation found = paging_query(&paging_kernel, address_of(page));
        if (found.present != pages[page].present)
            return "a page is mapped that must not be, or is not";
        if (!found.present)
            continue;
        if (found.physical != frame_address(pages[page].frame))
            return "a page is mapped to another frame";
        if (platform_features.no_execute && found.flags != pages[page].flags)
            return "a page has other rights";
        if (found.large != pages[page].large)
            return "a page is large that must not be, or is not";
    }
    return NULL;
}

struct seen {
    uint32_t own;
    const char *fault;
};

static bool see_object(void *context, void *at, size_t bytes)
{
    struct seen *seen = context;
    for (unsigned slot = 0; slot < MODEL_SLOTS; slot++)
        if (objects[slot].at == at) {
            seen->own++;
            if (bytes != ksize(at))
                seen->fault = "an object has two sizes";
        }
    return true;
}

static const char *compare_objects(void)
{
    struct seen seen = {0, NULL};
    uint32_t count = 0;
    for (unsigned slot = 0; slot < MODEL_SLOTS; slot++) {
        if (objects[slot].at == NULL)
            continue;
        count++;
        if (!is_stamped(&objects[slot]))
            return "an object does not hold what was written into it";
    }
    heap_visit(see_object, &seen);
    return seen.own != count ? "heap_visit does not see each object once" : seen.fault;
}

const char *model_compare(uint32_t (*check)(void (*say)(const char *sentence)))
{
    const char *fault = compare_frames();
    if (fault == NULL)
        fault = compare_zones();
    if (fault == NULL)
        fault = compare_pages();
    if (fault == NULL)
        fault = compare_objects();
    if (fault == NULL && check != NULL && check(NULL) != 0)
        fault = "memory's own check finds faults";
    return fault;
}

/* Until nothing refuses to come back. */
static const char *give_back(struct run *run)
{
    const char *fault = NULL;
    for (uint32_t i = 0; fault == NULL && i < run->frames; i++) {
        while (run->locks[i] > 0 && fault == NULL)
            fault = run_count(run, i, MODEL_UNLOCK);
        while (run->frames != 0 && run->references[i] > 0 && fault == NULL)
            fault = run_release(run, i);
    }
    return fault;
}

const char *model_end(void)
{
    const char *fault = NULL;
    failed_hook = NULL;
    for (uint32_t page = 0; page < MODEL_PAGES && fault == NULL; page++)
        if (pages[page].present)
            fault = run_unmap(page, pages[page].large ? SLOT_PAGES : 1);
    for (unsigned slot = 0; slot < MODEL_SLOTS && fault == NULL; slot++) {
        fault = give_back(&runs[slot]);
        if (fault == NULL && objects[slot].at != NULL)
            fault = run_kfree(&objects[slot]);
    }
    run_watermarks(start.reserve, start.low);
    heap_trim();
    if (fault == NULL)
        fault = compare_counts();
    if (fault == NULL && read_counts().heap != start.heap)
        fault = "the heap keeps pages that it did not have before";
    return fault;
}
