#include "kernel/memory/heap/owner.h"

#include "kernel/lib/format.h"
#include "kernel/memory/heap/guard.h"

uint32_t heap_owner_numbers;

uint32_t heap_mark(void)
{
    return heap_owner_numbers;
}

#if HEAP_DEBUG
bool heap_owner_of(uintptr_t address, struct heap_owner *owner)
{
    return heap_guard_owner_of(address, owner) || layer_owner_at(address, owner);
}
#else
bool heap_owner_of(uintptr_t address, struct heap_owner *owner)
{
    return heap_guard_owner_of(address, owner);
}

bool heap_visit_leaks(uint32_t mark, heap_leak_visitor visit, void *context)
{
    (void)mark;
    (void)visit;
    (void)context;
    return false;
}

void heap_debug_read_statistics(struct heap_debug_statistics *statistics)
{
    *statistics = (struct heap_debug_statistics){.level = 0};
}
#endif

const char *heap_owner_place(const struct heap_owner *owner, uintptr_t address, char *buffer,
                             size_t size)
{
    uintptr_t offset = address - owner->object;
    const char *where = "byte %zu of";
    if (address < owner->object) {
        where = "%zu bytes before";
        offset = owner->object - address;
    } else if (offset >= owner->size) {
        where = "%zu bytes behind";
        offset -= owner->size;
    }
    size_t length = (size_t)format_text(buffer, size, where, (size_t)offset);
    if (length < size)
        format_text(buffer + length, size - length, " an object of %zu bytes at 0x%08zx",
                    owner->size, (size_t)owner->object);
    return buffer;
}

static const char *damage_kind(const struct heap_damage *damage)
{
    if (damage->owner.object == 0 || damage->owner.freed_by != 0)
        return "write after free";
    return damage->address < damage->owner.object ? "underrun" : "overrun";
}

/* Who allocated, and who freed. */
static void append_who(const struct heap_owner *owner, char *end, size_t room)
{
    int length = format_text(end, room, ", allocated by %pS (number %u)",
                             (void *)owner->allocated_by, owner->number);
    if (owner->freed_by != 0 && (size_t)length < room)
        format_text(end + length, room - (size_t)length, ", freed by %pS", (void *)owner->freed_by);
}

const char *heap_damage_text(const struct heap_damage *damage, char *buffer, size_t size)
{
    char place[HEAP_PLACE_SIZE];
    bool is_known = damage->owner.object != 0;
    if (is_known)
        heap_owner_place(&damage->owner, damage->address, place, sizeof(place));
    else
        format_text(place, sizeof(place), "at 0x%08zx, whose owner is not known any more",
                    (size_t)damage->address);
    int length = format_text(buffer, size, "%s: 0x%02x instead of 0x%02x, %s", damage_kind(damage),
                             damage->found, damage->expected, place);
    if (is_known && (size_t)length < size)
        append_who(&damage->owner, buffer + length, size - (size_t)length);
    return buffer;
}

void heap_owner_log(uintptr_t address)
{
    struct heap_owner owner;
    char place[HEAP_PLACE_SIZE], who[HEAP_DAMAGE_SIZE];
    if (!heap_owner_of(address, &owner))
        return;
    append_who(&owner, who, sizeof(who));
    platform_log("heap: it was %s%s", heap_owner_place(&owner, address, place, sizeof(place)), who);
}

uintptr_t heap_find_change(uintptr_t start, uintptr_t end, uint8_t expected)
{
    const uintptr_t word = (uintptr_t)-1 / 0xFF * expected;
    for (; start < end; start++) {
        while (start % sizeof(word) == 0 && end - start >= sizeof(word) &&
               *(const uintptr_t *)start == word)
            start += sizeof(word);
        if (start < end && *(const uint8_t *)start != expected)
            return start;
    }
    return 0;
}
