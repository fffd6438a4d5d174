#include "kernel/memory/heap/debug/layer.h"

/* Those who look at what there is: statistics, owners, leaks, the validator. What is in quarantine
 * is no object of anybody's: who asks for counts, or wants memory back, empties it first. */

void heap_read_statistics(struct heap_statistics *statistics)
{
    unsigned long saved;
    layer_release();
    saved = platform_interrupts_save();
    heap_core_read_statistics(statistics);
    statistics->live_bytes = layer.live_bytes + heap_guard.live_bytes;
    platform_interrupts_restore(saved);
}

bool heap_read_class(unsigned index, struct heap_class_statistics *statistics)
{
    layer_release();
    return heap_core_read_class(index, statistics);
}

uint32_t heap_trim(void)
{
    layer_release();
    return heap_core_trim();
}

void heap_debug_read_statistics(struct heap_debug_statistics *statistics)
{
    unsigned long saved = platform_interrupts_save();
    *statistics = (struct heap_debug_statistics){
        .level = HEAP_DEBUG,
        .overhead_bytes = LAYER_OVERHEAD,
        .held = layer.held,
        .held_bytes = layer.held_bytes,
        .damages = layer.damages,
    };
    platform_interrupts_restore(saved);
}

/* ---- objects by their slots ---- */

struct visit {
    heap_visitor visit;
    void *context;
};

static bool visit_slot(void *context, void *slot, size_t bytes)
{
    const struct visit *visit = context;
    struct layer_object object;
    unsigned long saved;
    if (heap_guard_holds(slot))
        return visit->visit(visit->context, slot, bytes);
    saved = platform_interrupts_save();
    object = layer_find_slot((uintptr_t)slot);
    bytes = object.record == NULL ? 0 : object.record->size;
    platform_interrupts_restore(saved);
    return object.record == NULL ||
           visit->visit(visit->context, (void *)(object.slot + object.front), bytes);
}

void heap_visit(heap_visitor visit, void *context)
{
    struct visit slots = {visit, context};
    heap_core_visit(visit_slot, &slots);
}

struct search {
    uintptr_t address;
    struct heap_owner *owner;
    bool is_found;
};

static bool search_slot(void *context, void *slot, size_t bytes)
{
    struct search *search = context;
    if (search->address - (uintptr_t)slot < bytes) {
        struct layer_object object = layer_find_slot((uintptr_t)slot);
        search->is_found = object.record != NULL;
        if (search->is_found)
            *search->owner = layer_owner_of(&object);
        return false;
    }
    return true;
}

bool layer_owner_at(uintptr_t address, struct heap_owner *owner)
{
    struct search search = {address, owner, false};
    const struct layer_grave *grave;
    heap_core_visit(search_slot, &search);
    grave = search.is_found ? NULL : layer_find_grave(address);
    if (grave != NULL)
        *owner = grave->owner;
    return search.is_found || grave != NULL;
}

/* ---- leaks ---- */

struct census {
    uint32_t mark;
    uintptr_t above; /* sites up to here were visited */
    struct heap_leak_site site;
};

/* Of the sites above, the lowest is kept, and what belongs to it is added up. */
static bool count_object(void *context, void *object, size_t bytes)
{
    struct census *census = context;
    struct heap_leak_site *site = &census->site;
    struct heap_owner owner;
    if (!layer_live_owner((uintptr_t)object, &owner) || owner.number <= census->mark ||
        owner.allocated_by <= census->above)
        return true;
    if (site->objects == 0 || owner.allocated_by < site->allocated_by)
        *site = (struct heap_leak_site){.allocated_by = owner.allocated_by, .first = owner};
    else if (owner.allocated_by > site->allocated_by)
        return true;
    if (owner.number < site->first.number)
        site->first = owner;
    site->objects++;
    site->bytes += bytes;
    return true;
}

bool layer_live_owner(uintptr_t object, struct heap_owner *owner)
{
    unsigned long saved;
    struct layer_object found;
    if (heap_guard_holds((const void *)object))
        return heap_guard_owner_of(object, owner) && owner->freed_by == 0;
    saved = platform_interrupts_save();
    found = layer_find(object);
    if (found.record != NULL)
        *owner = layer_owner_of(&found);
    platform_interrupts_restore(saved);
    return found.record != NULL;
}

bool heap_visit_leaks(uint32_t mark, heap_leak_visitor visit, void *context)
{
    struct census census = {.mark = mark};
    for (;;) {
        census.site.objects = 0;
        heap_visit(count_object, &census);
        if (census.site.objects == 0 || !visit(context, &census.site))
            return true;
        census.above = census.site.allocated_by;
    }
}

/* ---- the validator ---- */

struct look {
    struct check *check;
    uintptr_t behind; /* the slot before; from there on nothing is looked at yet */
    uint32_t held, unknown;
    uintptr_t first_unknown;
    size_t live_bytes;
};

static void say_damage(struct look *look, const struct heap_owner *owner, uintptr_t changed,
                       uint8_t expected)
{
    struct heap_damage damage = {.address = changed, .expected = expected};
    char text[HEAP_DAMAGE_SIZE];
    damage.found = *(const uint8_t *)changed;
    if (owner != NULL)
        damage.owner = *owner;
    check_fault(look->check, "heap: %s", heap_damage_text(&damage, text, sizeof(text)));
}

/* Committed pages of [start, end) that are nobody's: one sentence for each stretch of a page. */
static void look_at_free(struct look *look, uintptr_t start, uintptr_t end)
{
    while (start < end) {
        uintptr_t page_end = (start | (PAGE_SIZE - 1)) + 1;
        uintptr_t to = page_end < end ? page_end : end;
        uintptr_t changed = 0;
        if (paging_query(&paging_kernel, start).present)
            changed = heap_find_change(start, to, HEAP_FREE_BYTE);
        if (changed != 0) {
            const struct layer_grave *grave = layer_find_grave(changed);
            say_damage(look, grave == NULL ? NULL : &grave->owner, changed, HEAP_FREE_BYTE);
        }
        start = to;
    }
}

static void look_at_zones(struct look *look, const struct layer_object *object)
{
    struct heap_owner owner = layer_owner_of(object);
    uintptr_t changed =
        heap_find_change(owner.object + owner.size, (uintptr_t)object->record, HEAP_ZONE_BYTE);
    if (changed == 0)
        changed = heap_find_change(object->slot, owner.object, HEAP_ZONE_BYTE);
    if (changed != 0)
        say_damage(look, &owner, changed, HEAP_ZONE_BYTE);
}

static bool look_at_slot(void *context, void *at, size_t bytes)
{
    struct look *look = context;
    uintptr_t slot = (uintptr_t)at;
    struct layer_object object;
    if (heap_guard_holds(at))
        return false;
    object = layer_find_slot(slot);
    if (HEAP_HAS_PATTERNS && layer.busy == 0)
        look_at_free(look, look->behind, slot);
    look->behind = slot + bytes;
    if (object.record != NULL) {
        look->live_bytes += object.record->size;
        if (HEAP_HAS_PATTERNS)
            look_at_zones(look, &object);
    } else if (layer_is_held(slot)) {
        look->held++;
        if (HEAP_HAS_PATTERNS)
            look_at_free(look, slot, slot + bytes);
    } else if (look->unknown++ == 0) {
        look->first_unknown = slot;
    }
    return true;
}

void heap_check(struct check *check)
{
    unsigned long saved = platform_interrupts_save();
    struct look look = {.check = check, .behind = MAP_HEAP_START};
    uint32_t before = check->faults;
    heap_core_check(check);
    if (check->faults == before) {
        heap_core_visit(look_at_slot, &look);
        if (HEAP_HAS_PATTERNS && layer.busy == 0)
            look_at_free(&look, look.behind, HEAP_GUARD_START);
        if (look.unknown > layer.busy)
            check_fault(check, "heap: overrun: the record behind the object at %p was written over",
                        (void *)(look.first_unknown + LAYER_FRONT));
        if (look.held != layer.held)
            check_fault(check, "heap: %u objects are in quarantine, but %u are counted", look.held,
                        layer.held);
        if (look.unknown <= layer.busy && layer.busy == 0 && look.live_bytes != layer.live_bytes)
            check_fault(check, "heap: objects have %zu bytes, but %zu are counted", look.live_bytes,
                        layer.live_bytes);
    }
    platform_interrupts_restore(saved);
}
