#include "kernel/memory/e820/e820.h"

#include "kernel/include/errors.h"

/*
 * One sort, one sweep. Every entry that counts is a claim [start, end) on bytes and gives two
 * events, its start and its end. A claim of anything but RAM first grows outward to whole pages,
 * since whatever it touches is lost to RAM; a claim of RAM keeps its bytes, since two of them may
 * fill a page together:
 *
 *     entries     |== RAM ==|= RAM ===|      |== RAM ==|
 *                               |- ACPI -|
 *     pages    .....|.....|.....|.....|.....|.....|.....|
 *     runs        |    usable   |   acpi    ||  usable |
 *     regions       |  usable   |   acpi    |     (none: no whole page)
 *
 * The sweep walks the events in ascending order and counts, for each kind, how many claims are
 * open. Where the strictest open kind changes, a run ends. Only a run of RAM can have an edge
 * inside a page, and then there is nothing on the other side of that edge, so shrinking the run to
 * whole pages when it ends is all that is left to do.
 *
 * At one position, starts come before ends: claims that touch leave no gap between them, so two
 * that meet inside a page are one run, and consecutive runs never have the same kind.
 *
 * A run ends at most once for each event and once more at 2^64, and gives one region at most: no
 * more than 2 * count + 1, which is E820_REGIONS_MAX. (The first event ends no run and after the
 * last claim there is none, so 2 * count - 1 are the most that come: one claim with all others
 * apart inside it.)
 *
 * 2^64 itself does not fit 64 bits. It is never needed as a byte: a claim that reaches it has no
 * end event, and the last run is closed in pages, of which there are 2^52.
 */
#define PAGES_LIMIT (E820_LIMIT >> FRAME_SHIFT)
#define PAGES_END   ((uint64_t)1 << (64 - FRAME_SHIFT))
#define KIND_COUNT  (E820_BAD + 1)
#define KIND_NONE   (-1)

_Static_assert(E820_REGIONS_MAX >= 2 * E820_ENTRIES_MAX + 1, "a region for each end of a run");

/* Numbers of events: entry * 2 for its start, entry * 2 + 1 for its end. */
typedef uint16_t event_t;

struct sweep {
    struct e820_map *map;
    uint32_t open[KIND_COUNT]; /* claims that have started and not ended, by kind */
    int run_kind;              /* strictest kind with an open claim, or KIND_NONE */
    paddr_t run_start;
};

static uint64_t page_down(paddr_t address)
{
    return address >> FRAME_SHIFT;
}

/* Without the addition that would wrap in the last page. */
static uint64_t page_up(paddr_t address)
{
    return page_down(address) + (address % FRAME_SIZE != 0);
}

/* The types of ACPI 6.5, table 15.9; what it does not define is somebody's, so not ours. */
static enum e820_kind kind_of(const struct e820_entry *entry)
{
    switch (entry->type) {
    case 1:
        return E820_USABLE;
    case 3:
        return E820_ACPI;
    case 4:
        return E820_NVS;
    case 5:
        return E820_BAD;
    default:
        return E820_RESERVED;
    }
}

/* ACPI 3 added the attributes; with bit 0 clear, the operating system has to ignore the entry. */
static bool is_claim(const struct e820_entry *entry)
{
    return entry->length != 0 && (entry->attributes & 1) != 0;
}

static paddr_t claim_start(const struct e820_entry *entry)
{
    if (kind_of(entry) == E820_USABLE)
        return entry->base;
    return page_down(entry->base) << FRAME_SHIFT;
}

/* 0 stands for 2^64: where the claim is cut, or ends by itself. */
static paddr_t claim_end(const struct e820_entry *entry)
{
    paddr_t end = entry->base + entry->length;
    if (end < entry->base)
        return 0;
    if (kind_of(entry) == E820_USABLE)
        return end;
    return page_up(end) << FRAME_SHIFT;
}

static bool is_end(event_t event)
{
    return event % 2 != 0;
}

static const struct e820_entry *event_entry(const struct e820_entry *entries, event_t event)
{
    return &entries[event / 2];
}

static paddr_t event_position(const struct e820_entry *entries, event_t event)
{
    const struct e820_entry *entry = event_entry(entries, event);
    return is_end(event) ? claim_end(entry) : claim_start(entry);
}

static bool is_before(const struct e820_entry *entries, event_t left, event_t right)
{
    paddr_t left_position = event_position(entries, left);
    paddr_t right_position = event_position(entries, right);
    if (left_position != right_position)
        return left_position < right_position;
    return !is_end(left) && is_end(right);
}

/* Insertion: firmware's maps are few entries and nearly sorted; 128 entries cost 32,640 steps at
 * most. */
static uint32_t insert_event(const struct e820_entry *entries, event_t *events, uint32_t count,
                             event_t event)
{
    uint32_t at = count;
    for (; at > 0 && is_before(entries, event, events[at - 1]); at--)
        events[at] = events[at - 1];
    events[at] = event;
    return count + 1;
}

static uint32_t sort_events(event_t *events, const struct e820_entry *entries, uint32_t count)
{
    uint32_t event_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_claim(&entries[i]))
            continue;
        event_count = insert_event(entries, events, event_count, (event_t)(2 * i));
        if (claim_end(&entries[i]) != 0)
            event_count = insert_event(entries, events, event_count, (event_t)(2 * i + 1));
    }
    return event_count;
}

/* [start, end) in pages, not empty; splits it at the limit. */
static void add_region(struct e820_map *map, uint64_t start, uint64_t end, enum e820_kind kind)
{
    uint64_t end_inside = end < PAGES_LIMIT ? end : PAGES_LIMIT;
    uint64_t pages_inside = start < end_inside ? end_inside - start : 0;
    if (pages_inside > 0)
        map->regions[map->count++] = (struct e820_region){
            .start = start << FRAME_SHIFT, .end = end_inside << FRAME_SHIFT, .kind = kind};
    if (kind == E820_USABLE) {
        map->usable_bytes += pages_inside << FRAME_SHIFT;
        map->beyond_bytes += (end - start - pages_inside) << FRAME_SHIFT;
    }
}

static void end_run(struct sweep *sweep, uint64_t end_page)
{
    uint64_t start_page = page_up(sweep->run_start);
    if (sweep->run_kind != KIND_NONE && start_page < end_page)
        add_region(sweep->map, start_page, end_page, (enum e820_kind)sweep->run_kind);
}

static int strictest_open(const struct sweep *sweep)
{
    int kind = KIND_COUNT - 1;
    while (kind > KIND_NONE && sweep->open[kind] == 0)
        kind--;
    return kind;
}

static void pass_event(struct sweep *sweep, const struct e820_entry *entries, event_t event)
{
    enum e820_kind kind = kind_of(event_entry(entries, event));
    paddr_t position = event_position(entries, event);
    if (is_end(event))
        sweep->open[kind]--;
    else
        sweep->open[kind]++;
    int strictest = strictest_open(sweep);
    if (strictest == sweep->run_kind)
        return;
    end_run(sweep, page_down(position));
    sweep->run_kind = strictest;
    sweep->run_start = position;
}

int e820_resolve(struct e820_map *map, const struct e820_entry *entries, uint32_t count)
{
    event_t events[2 * E820_ENTRIES_MAX];
    struct sweep sweep = {.map = map, .run_kind = KIND_NONE};
    map->count = 0;
    map->usable_bytes = 0;
    map->beyond_bytes = 0;
    if (count == 0 || count > E820_ENTRIES_MAX)
        return -EINVAL;
    uint32_t event_count = sort_events(events, entries, count);
    for (uint32_t i = 0; i < event_count; i++)
        pass_event(&sweep, entries, events[i]);
    end_run(&sweep, PAGES_END);
    return 0;
}

const char *e820_kind_name(enum e820_kind kind)
{
    static const char *const names[KIND_COUNT] = {
        [E820_USABLE] = "usable",     [E820_ACPI] = "acpi", [E820_NVS] = "nvs",
        [E820_RESERVED] = "reserved", [E820_BAD] = "bad",
    };
    return (unsigned)kind < KIND_COUNT ? names[kind] : "unknown";
}
