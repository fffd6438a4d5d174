#include "kernel/memory/heap/guard.h"

#include "kernel/lib/string.h"

struct heap_guard heap_guard;

static bool is_large(uint32_t place)
{
    return place >= HEAP_GUARD_SMALL;
}

static uint32_t place_pages(uint32_t place)
{
    return is_large(place) ? HEAP_GUARD_MAX_PAGES : 1;
}

static uint32_t place_first_page(uint32_t place)
{
    return is_large(place)
               ? HEAP_GUARD_LARGE_PAGE + (place - HEAP_GUARD_SMALL) * (HEAP_GUARD_MAX_PAGES + 1)
               : 1 + place * 2;
}

static uintptr_t place_end(uint32_t place)
{
    return HEAP_GUARD_START + (uintptr_t)(place_first_page(place) + place_pages(place)) * PAGE_SIZE;
}

/* The place that a page of the guard's part belongs to; the unmapped page behind it does, too. */
static uint32_t place_of_page(uint32_t page)
{
    if (page >= HEAP_GUARD_LARGE_PAGE)
        return HEAP_GUARD_SMALL + (page - HEAP_GUARD_LARGE_PAGE) / (HEAP_GUARD_MAX_PAGES + 1);
    return page == 0 ? 0 : (page - 1) / 2;
}

static uint32_t place_of(uintptr_t address)
{
    return place_of_page((uint32_t)((address - HEAP_GUARD_START) / PAGE_SIZE));
}

/* FNV-1a, by words. */
static uint32_t seal_of(const struct heap_guard_place *place)
{
    uint32_t words[offsetof(struct heap_guard_place, seal) / sizeof(uint32_t)];
    uint32_t seal = 0x811C9DC5u;
    memcpy(words, place, sizeof(words));
    for (unsigned i = 0; i < ARRAY_COUNT(words); i++)
        seal = (seal ^ words[i]) * 0x01000193u;
    return seal;
}

static void place_seal(struct heap_guard_place *place)
{
    place->seal = seal_of(place);
}

static void tally_add(struct heap_tally *tally)
{
    heap_tally_set(tally, tally->count + 1);
}

static uint32_t queue_size(const struct heap_guard_queue *queue)
{
    return queue == &heap_guard.queues[0] ? HEAP_GUARD_SMALL : HEAP_GUARD_LARGE;
}

static void queue_push(uint32_t place)
{
    struct heap_guard_queue *queue = &heap_guard.queues[is_large(place)];
    queue->places[(queue->first + queue->count) % queue_size(queue)] = (uint16_t)place;
    queue->count++;
}

/* The place that was freed longest ago, or HEAP_GUARD_PLACES. */
static uint32_t queue_pop(struct heap_guard_queue *queue)
{
    uint32_t place;
    if (queue->count == 0)
        return HEAP_GUARD_PLACES;
    place = queue->places[queue->first];
    queue->places[queue->first] = 0;
    queue->first = (uint16_t)((queue->first + 1) % queue_size(queue));
    queue->count--;
    return place;
}

void heap_guard_init(void)
{
    memset(&heap_guard, 0, sizeof(heap_guard));
    heap_owner_numbers = 0;
    heap_tally_set(&heap_guard.allocations, 0);
    heap_tally_set(&heap_guard.frees, 0);
    heap_tally_set(&heap_guard.skipped, 0);
    heap_tally_set(&heap_guard.damages, 0);
    for (uint32_t place = 0; place < HEAP_GUARD_PLACES; place++) {
        place_seal(&heap_guard.places[place]);
        queue_push(place);
    }
}

void heap_guard_set(uint32_t every)
{
    unsigned long saved = platform_interrupts_save();
    heap_guard.every = every;
    heap_guard.countdown = every;
    platform_interrupts_restore(saved);
    heap_hands_set();
}

void heap_guard_read_statistics(struct heap_guard_statistics *statistics)
{
    unsigned long saved = platform_interrupts_save();
    *statistics = (struct heap_guard_statistics){
        .every = heap_guard.every,
        .objects = heap_guard.objects,
        .places = HEAP_GUARD_PLACES,
        .committed_bytes = (size_t)heap_guard.committed * PAGE_SIZE,
        .allocations = heap_guard.allocations.count,
        .frees = heap_guard.frees.count,
        .skipped = heap_guard.skipped.count,
        .damages = heap_guard.damages.count,
    };
    platform_interrupts_restore(saved);
}

/* ---- pages ---- */

/* One more page in front of those that the place has. False: there is no frame. */
static bool place_grow(uint32_t place)
{
    struct heap_guard_place *at = &heap_guard.places[place];
    unsigned long saved = platform_interrupts_save();
    bool done = heap_commit_page(place_end(place) - (at->pages + 1u) * PAGE_SIZE);
    if (done) {
        at->pages++;
        place_seal(at);
        heap_guard.committed++;
    }
    platform_interrupts_restore(saved);
    return done;
}

/* All pages go, one at a time, and the place waits in the queue. */
static void place_release(uint32_t place)
{
    struct heap_guard_place *at = &heap_guard.places[place];
    unsigned long saved = platform_interrupts_save();
    while (at->pages != 0) {
        heap_uncommit_page(place_end(place) - at->pages * PAGE_SIZE);
        at->pages--;
        place_seal(at);
        heap_guard.committed--;
        platform_interrupts_restore(saved);
        saved = platform_interrupts_save();
    }
    at->state = HEAP_GUARD_FREE;
    place_seal(at);
    queue_push(place);
    platform_interrupts_restore(saved);
}

static uint32_t place_take(uint32_t large)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t place = queue_pop(&heap_guard.queues[large]);
    if (place != HEAP_GUARD_PLACES) {
        struct heap_guard_place *at = &heap_guard.places[place];
        *at = (struct heap_guard_place){.state = HEAP_GUARD_BUSY};
        place_seal(at);
    }
    platform_interrupts_restore(saved);
    return place;
}

static bool place_commit(uint32_t place, uint32_t pages)
{
    for (uint32_t page = 0; page < pages; page++)
        if (!place_grow(place)) {
            place_release(place);
            return false;
        }
    return true;
}

/* ---- objects ---- */

static uintptr_t first_byte(uint32_t place)
{
    return place_end(place) - heap_guard.places[place].pages * PAGE_SIZE;
}

/* What is left over of its pages, before and behind. */
static void fill(uint32_t place, uintptr_t object, size_t size)
{
    uintptr_t start = first_byte(place), end = object + size;
    memset((void *)start, HEAP_ZONE_BYTE, object - start);
    memset((void *)end, HEAP_ZONE_BYTE, place_end(place) - end);
}

static void enter(uint32_t place, const struct heap_owner *owner, struct heap_cache *cache)
{
    struct heap_guard_place *at = &heap_guard.places[place];
    unsigned long saved = platform_interrupts_save();
    tally_add(&heap_guard.allocations);
    heap_guard.objects++;
    heap_guard.live_bytes += owner->size;
    at->owner = *owner;
    at->owner.number = heap_owner_next_number();
    at->cache = cache;
    at->state = HEAP_GUARD_LIVE;
    place_seal(at);
    platform_interrupts_restore(saved);
}

/* Counts the objects; true: this one is to be guarded. */
static bool is_turn(void)
{
    unsigned long saved = platform_interrupts_save();
    bool is_due = heap_guard.every != 0 && --heap_guard.countdown == 0;
    if (is_due)
        heap_guard.countdown = heap_guard.every;
    platform_interrupts_restore(saved);
    return is_due;
}

static void count_skipped(void)
{
    unsigned long saved = platform_interrupts_save();
    tally_add(&heap_guard.skipped);
    platform_interrupts_restore(saved);
}

void *heap_guard_sample(size_t size, size_t alignment, struct heap_cache *cache, const void *caller)
{
    struct heap_owner owner = {.size = size, .allocated_by = (uintptr_t)caller};
    uint32_t place;
    if (size == 0 || size > HEAP_GUARD_MAX || alignment > PAGE_SIZE || !is_turn())
        return NULL;
    if (alignment < HEAP_ALIGNMENT)
        alignment = HEAP_ALIGNMENT;
    place = place_take(size > PAGE_SIZE);
    if (place == HEAP_GUARD_PLACES) {
        count_skipped();
        return NULL;
    }
    owner.object = (place_end(place) - size) & ~(uintptr_t)(alignment - 1);
    if (!place_commit(place, (uint32_t)((place_end(place) - owner.object - 1) / PAGE_SIZE + 1))) {
        count_skipped();
        return NULL;
    }
    fill(place, owner.object, size);
    enter(place, &owner, cache);
    return (void *)owner.object;
}

/* The live object that begins there, or NULL. Interrupts off. */
static struct heap_guard_place *find_live(const void *object)
{
    struct heap_guard_place *place;
    if (!heap_guard_holds(object))
        return NULL;
    place = &heap_guard.places[place_of((uintptr_t)object)];
    return place->state == HEAP_GUARD_LIVE && place->owner.object == (uintptr_t)object ? place
                                                                                       : NULL;
}

/* The first byte around a live object that has changed. False: all is as it was filled. */
static bool find_damage(uint32_t place, struct heap_damage *damage)
{
    const struct heap_owner *owner = &heap_guard.places[place].owner;
    uintptr_t end = owner->object + owner->size;
    uintptr_t changed = heap_find_change(end, place_end(place), HEAP_ZONE_BYTE);
    if (changed == 0)
        changed = heap_find_change(first_byte(place), owner->object, HEAP_ZONE_BYTE);
    if (changed == 0)
        return false;
    *damage = (struct heap_damage){*owner, changed, *(const uint8_t *)changed, HEAP_ZONE_BYTE};
    damage->owner.freed_by = 0; /* it happened while the object lived */
    return true;
}

static void report_damage(const struct heap_damage *damage)
{
    char text[HEAP_DAMAGE_SIZE];
    unsigned long saved = platform_interrupts_save();
    tally_add(&heap_guard.damages);
    platform_interrupts_restore(saved);
    platform_log("heap: %s", heap_damage_text(damage, text, sizeof(text)));
}

bool heap_guard_free(void *object, const struct heap_cache *cache, const void *caller)
{
    unsigned long saved = platform_interrupts_save();
    struct heap_guard_place *at = find_live(object);
    struct heap_damage damage;
    uint32_t place;
    if (at == NULL || at->cache != cache) {
        platform_interrupts_restore(saved);
        return false;
    }
    place = (uint32_t)(at - heap_guard.places);
    at->state = HEAP_GUARD_BUSY;
    at->owner.freed_by = (uintptr_t)caller;
    place_seal(at);
    tally_add(&heap_guard.frees);
    heap_guard.objects--;
    heap_guard.live_bytes -= at->owner.size;
    platform_interrupts_restore(saved);
    if (find_damage(place, &damage))
        report_damage(&damage);
    place_release(place);
    return true;
}

enum heap_misuse heap_guard_misuse(const void *object, const struct heap_cache *cache)
{
    const struct heap_guard_place *place = &heap_guard.places[place_of((uintptr_t)object)];
    uintptr_t offset = (uintptr_t)object - place->owner.object;
    if ((uintptr_t)object % HEAP_ALIGNMENT != 0)
        return HEAP_MISALIGNED_FREE;
    if (place->owner.object == 0 || offset >= place->owner.size)
        return HEAP_FOREIGN_FREE;
    if (place->state != HEAP_GUARD_LIVE)
        return HEAP_DOUBLE_FREE;
    return place->cache != cache ? HEAP_FOREIGN_FREE : HEAP_INTERIOR_FREE;
}

size_t heap_guard_size(const void *object)
{
    unsigned long saved = platform_interrupts_save();
    const struct heap_guard_place *place = find_live(object);
    size_t bytes = place == NULL ? 0 : place->owner.size;
    platform_interrupts_restore(saved);
    return bytes;
}

size_t heap_guard_bytes(const void *object)
{
    unsigned long saved = platform_interrupts_save();
    const struct heap_guard_place *place = find_live(object);
    size_t bytes = place == NULL || place->cache != NULL ? 0 : place->owner.size;
    platform_interrupts_restore(saved);
    return bytes;
}

/* Where there is no other place, a smaller size is had in this one. */
void *heap_guard_move(void *object, void *moved, size_t size, const void *caller)
{
    size_t has = heap_guard_bytes(object);
    if (moved == NULL)
        return size <= has ? object : NULL;
    memcpy(moved, object, size < has ? size : has);
    heap_guard_free(object, NULL, caller);
    return moved;
}

bool heap_guard_has_objects_of(const struct heap_cache *cache)
{
    for (uint32_t place = 0; place < HEAP_GUARD_PLACES; place++) {
        const struct heap_guard_place *at = &heap_guard.places[place];
        if (at->state != HEAP_GUARD_FREE && at->cache == cache)
            return true;
    }
    return false;
}

/* ---- those who ask ---- */

static uintptr_t distance(const struct heap_owner *owner, uintptr_t address)
{
    if (address < owner->object)
        return owner->object - address;
    return address - owner->object < owner->size ? 0 : address - owner->object - owner->size + 1;
}

/* Of the object before an address and the one behind it, the nearer. */
bool heap_guard_owner_of(uintptr_t address, struct heap_owner *owner)
{
    uint32_t place;
    if (!heap_guard_holds((const void *)address))
        return false;
    place = place_of(address);
    *owner = heap_guard.places[place].owner;
    if (place + 1 < HEAP_GUARD_PLACES) {
        const struct heap_owner *next = &heap_guard.places[place + 1].owner;
        if (next->object != 0 &&
            (owner->object == 0 || distance(next, address) < distance(owner, address)))
            *owner = *next;
    }
    return owner->object != 0;
}

bool heap_guard_visit(heap_visitor visit, void *context)
{
    for (uint32_t place = 0; place < HEAP_GUARD_PLACES; place++) {
        void *object = (void *)heap_guard.places[place].owner.object;
        size_t bytes = heap_guard_size(object);
        if (bytes != 0 && !visit(context, object, bytes))
            return false;
    }
    return true;
}

/* Interrupts off. */
void heap_guard_count(struct heap_statistics *statistics)
{
    statistics->allocations += heap_guard.allocations.count;
    statistics->frees += heap_guard.frees.count;
    statistics->live_bytes += heap_guard.live_bytes;
    statistics->guarded_bytes = (size_t)heap_guard.committed * PAGE_SIZE;
}

/* ---- the validator ---- */

struct sums {
    heap_page_checker check_page;
    uint32_t committed, objects, free;
    size_t live_bytes;
};

static void check_equal(struct check *check, const char *what, uint64_t kept, uint64_t counted)
{
    if (kept != counted)
        check_fault(check, "heap: guard: %s is kept as %llu, but is %llu", what,
                    (unsigned long long)kept, (unsigned long long)counted);
}

static void check_live(struct check *check, uint32_t place)
{
    struct heap_damage damage;
    char text[HEAP_DAMAGE_SIZE];
    if (find_damage(place, &damage))
        check_fault(check, "heap: %s", heap_damage_text(&damage, text, sizeof(text)));
}

/* False: what it says of itself cannot be relied on. */
static bool is_sound(const struct heap_guard_place *at, uint32_t place)
{
    uintptr_t start = place_end(place) - at->pages * PAGE_SIZE, end = place_end(place);
    if (at->seal != seal_of(at) || at->state > HEAP_GUARD_LIVE || at->pages > place_pages(place))
        return false;
    if (at->state != HEAP_GUARD_LIVE)
        return at->state == HEAP_GUARD_BUSY || at->pages == 0;
    return at->owner.object >= start && at->owner.object < start + PAGE_SIZE &&
           at->owner.size <= end - at->owner.object && at->owner.freed_by == 0;
}

static void check_place(struct check *check, uint32_t place, struct sums *sums)
{
    const struct heap_guard_place *at = &heap_guard.places[place];
    uint32_t before = check->faults;
    if (!is_sound(at, place)) {
        check_fault(check, "heap: guard: place %u makes no sense", place);
        return;
    }
    for (uint32_t page = 1; page <= place_pages(place); page++)
        sums->check_page(check, place_end(place) - page * PAGE_SIZE,
                         page <= at->pages ? HEAP_PAGE_COMMITTED : HEAP_PAGE_UNCOMMITTED);
    sums->check_page(check, place_end(place), HEAP_PAGE_UNCOMMITTED);
    sums->committed += at->pages;
    sums->free += at->state == HEAP_GUARD_FREE;
    if (at->state != HEAP_GUARD_LIVE)
        return;
    sums->objects++;
    sums->live_bytes += at->owner.size;
    if (check->faults == before)
        check_live(check, place);
}

/* What is not between its first and its last is zero. */
static bool has_rest(const struct heap_guard_queue *queue)
{
    uint32_t size = queue_size(queue);
    for (uint32_t i = 0; i < ARRAY_COUNT(queue->places); i++)
        if (queue->places[i] != 0 &&
            (i >= size || (i + size - queue->first) % size >= queue->count))
            return true;
    return false;
}

/* Each free place waits once. */
static void check_queues(struct check *check, uint32_t free)
{
    bool waits[HEAP_GUARD_PLACES] = {false};
    uint32_t waiting = 0;
    for (unsigned i = 0; i < ARRAY_COUNT(heap_guard.queues); i++) {
        const struct heap_guard_queue *queue = &heap_guard.queues[i];
        uint32_t size = queue_size(queue);
        bool is_wrong = queue->first >= size || queue->count > size || has_rest(queue);
        for (uint32_t n = 0; n < queue->count && !is_wrong; n++) {
            uint32_t place = queue->places[(queue->first + n) % size];
            is_wrong = place >= HEAP_GUARD_PLACES || is_large(place) != i || waits[place] ||
                       heap_guard.places[place].state != HEAP_GUARD_FREE;
            if (!is_wrong)
                waits[place] = true;
            waiting++;
        }
        if (is_wrong)
            check_fault(check, "heap: guard: the queue of %s places is wrong",
                        i == 0 ? "small" : "large");
    }
    check_equal(check, "the number of free places", waiting, free);
}

static void check_tallies(struct check *check)
{
    const struct heap_tally *tallies[] = {&heap_guard.allocations, &heap_guard.frees,
                                          &heap_guard.skipped, &heap_guard.damages};
    for (unsigned i = 0; i < ARRAY_COUNT(tallies); i++)
        if (tallies[i]->count != ~tallies[i]->complement)
            check_fault(check, "heap: guard: a count and its complement do not agree");
    if (heap_guard.countdown > heap_guard.every ||
        (heap_guard.every != 0 && heap_guard.countdown == 0))
        check_fault(check, "heap: guard: the countdown is %u of %u", heap_guard.countdown,
                    heap_guard.every);
}

void heap_guard_check(struct check *check, heap_page_checker check_page)
{
    struct sums sums = {.check_page = check_page};
    check_page(check, HEAP_GUARD_START, HEAP_PAGE_UNCOMMITTED);
    for (uint32_t place = 0; place < HEAP_GUARD_PLACES; place++)
        check_place(check, place, &sums);
    check_queues(check, sums.free);
    check_tallies(check);
    check_equal(check, "the number of committed pages", heap_guard.committed, sums.committed);
    check_equal(check, "the number of objects", heap_guard.objects, sums.objects);
    check_equal(check, "the bytes of objects", heap_guard.live_bytes, sums.live_bytes);
    check_equal(check, "allocations less frees",
                heap_guard.allocations.count - heap_guard.frees.count, sums.objects);
}
