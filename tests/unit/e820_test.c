#include "kernel/memory/e820/e820.h"

#include <dirent.h>

#include "kernel/include/errors.h"
#include "tests/unit/e820_oracle.h"
#include "tests/unit/test.h"
#include "tools/e820-regions/table.h"

#define KIB          1024ull
#define GIB          (1ull << 30)
#define TABLE_MAX    12 /* entries and regions of a hand-made table */
#define TEXT_MAX     65536
#define FIXTURES_MIN 69 /* fewer found means that the test looks in the wrong place */

struct expected_region {
    paddr_t start;
    paddr_t end;
    enum e820_kind kind;
};

/* What the firmware says and what it has to become; both lists end with an all-zero row. */
struct example {
    const char *name;
    struct e820_entry entries[TABLE_MAX];
    struct expected_region regions[TABLE_MAX];
    uint64_t beyond_bytes;
};

#define RAM(base, length)                                                                          \
    {                                                                                              \
        base, length, 1, 1                                                                         \
    }
#define OTHER(base, length)                                                                        \
    {                                                                                              \
        base, length, 2, 1                                                                         \
    }
#define ACPI(base, length)                                                                         \
    {                                                                                              \
        base, length, 3, 1                                                                         \
    }
#define NVS(base, length)                                                                          \
    {                                                                                              \
        base, length, 4, 1                                                                         \
    }
#define BAD(base, length)                                                                          \
    {                                                                                              \
        base, length, 5, 1                                                                         \
    }
#define IGNORED(base, length)                                                                      \
    {                                                                                              \
        base, length, 1, 0                                                                         \
    }

static const struct example examples[] = {
    {"one page", {RAM(0x1000, 0x1000)}, {{0x1000, 0x2000, E820_USABLE}}, 0},
    {"page 0 counts like any other", {RAM(0, 0x1000)}, {{0, 0x1000, E820_USABLE}}, 0},
    {"RAM shrinks inward", {RAM(0x1001, 0x2FFE)}, {{0x2000, 0x3000, E820_USABLE}}, 0},
    {"RAM inside one page is lost", {RAM(0x1001, 0xFFF)}, {{0}}, 0},
    {"RAM across one border is lost", {RAM(0x1800, 0x1000)}, {{0}}, 0},
    {"everything else grows outward", {ACPI(0x1FFF, 2)}, {{0x1000, 0x3000, E820_ACPI}}, 0},
    {"one reserved byte costs a page",
     {RAM(0, 0x3000), OTHER(0x1800, 1)},
     {{0, 0x1000, E820_USABLE}, {0x1000, 0x2000, E820_RESERVED}, {0x2000, 0x3000, E820_USABLE}},
     0},
    {"two halves make a page",
     {RAM(0x1000, 0x800), RAM(0x1800, 0x800)},
     {{0x1000, 0x2000, E820_USABLE}},
     0},
    {"three overlapping parts make a page, in any order",
     {RAM(0x1C00, 0x400), RAM(0x1000, 0x900), RAM(0x1700, 0x600)},
     {{0x1000, 0x2000, E820_USABLE}},
     0},
    {"a missing byte unmakes it", {RAM(0x1000, 0x7FF), RAM(0x1800, 0x800)}, {{0}}, 0},
    {"touching RAM joins", {RAM(0x2000, 0x1000), RAM(0, 0x2000)}, {{0, 0x3000, E820_USABLE}}, 0},
    {"same RAM twice", {RAM(0, 0x2000), RAM(0, 0x2000)}, {{0, 0x2000, E820_USABLE}}, 0},
    {"a hole of half a page stays a hole of a page",
     {RAM(0, 0x1800), RAM(0x2000, 0x1000)},
     {{0, 0x1000, E820_USABLE}, {0x2000, 0x3000, E820_USABLE}},
     0},
    {"ACPI that begins where RAM ends inside a page takes the page",
     {RAM(0, 0x1C00), ACPI(0x1C00, 0x2000), NVS(0x3C00, 0x400)},
     {{0, 0x1000, E820_USABLE}, {0x1000, 0x3000, E820_ACPI}, {0x3000, 0x4000, E820_NVS}},
     0},
    {"all kinds in one page: the strictest",
     {RAM(0x1000, 0x1000), NVS(0x1100, 1), BAD(0x1FFF, 1), ACPI(0x1000, 0x1000), OTHER(0x1200, 9)},
     {{0x1000, 0x2000, E820_BAD}},
     0},
    {"strictness, pairwise",
     {RAM(0, 0x5000), ACPI(0x1000, 0x4000), NVS(0x2000, 0x3000), OTHER(0x3000, 0x2000),
      BAD(0x4000, 0x1000)},
     {{0, 0x1000, E820_USABLE},
      {0x1000, 0x2000, E820_ACPI},
      {0x2000, 0x3000, E820_NVS},
      {0x3000, 0x4000, E820_RESERVED},
      {0x4000, 0x5000, E820_BAD}},
     0},
    {"a wide stricter claim hides what is inside",
     {OTHER(0, 0x10000), RAM(0x2000, 0x1000), ACPI(0x4000, 0x1000), NVS(0x6000, 0x1000)},
     {{0, 0x10000, E820_RESERVED}},
     0},
    {"unknown types are reserved, and so joined",
     {{0, 0x1000, 0, 1},
      {0x1000, 0x1000, 7, 1},
      {0x2000, 0x1000, 12, 1},
      {0x3000, 0x1000, 16, 1},
      {0x4000, 0x1000, 20, 1},
      {0x5000, 0x1000, 6, 1},
      {0x6000, 0x1000, 0xB0200000, 1},
      {0x7000, 0x1000, UINT32_MAX, 1}},
     {{0, 0x8000, E820_RESERVED}},
     0},
    {"length 0 claims nothing, nor splits",
     {RAM(0, 0x2000), OTHER(0x1000, 0), BAD(0x1800, 0), RAM(0x9000, 0)},
     {{0, 0x2000, E820_USABLE}},
     0},
    {"attribute bit 0 clear: as if not there, whatever the type",
     {RAM(0, 0x2000), {0, 0x1000, 5, 0}, {0x1000, 0x1000, 2, 0xFFFFFFFE}, IGNORED(0x2000, 0x1000)},
     {{0, 0x2000, E820_USABLE}},
     0},
    {"other attribute bits do not matter",
     {{0, 0x1000, 1, 3}, {0x1000, 0x1000, 1, UINT32_MAX}},
     {{0, 0x2000, E820_USABLE}},
     0},
    {"reserved that wraps is cut at the top",
     {RAM(0, 0x4000), OTHER(0xFFFFFFFFFFFFF000, 0x3000)},
     {{0, 0x4000, E820_USABLE}},
     0},
    {"RAM that wraps is cut at the top", {RAM(0xFFFFFFFFFFFFE000, 0x9000)}, {{0}}, 0x2000},
    {"RAM that ends at the top exactly", {RAM(0xFFFFFFFFFFFFF000, 0x1000)}, {{0}}, 0x1000},
    {"RAM that lacks the last byte", {RAM(0xFFFFFFFFFFFFE000, 0x1FFF)}, {{0}}, 0x1000},
    {"RAM of 2^64 - 1 bytes",
     {RAM(0, UINT64_MAX)},
     {{0, E820_LIMIT, E820_USABLE}},
     UINT64_MAX - 0xFFF - 64 * GIB},
    {"everything is bad, but for the last byte's page that RAM cannot take either",
     {BAD(0, UINT64_MAX), RAM(0, UINT64_MAX)},
     {{0, E820_LIMIT, E820_BAD}},
     0},
    {"reserved from inside a page to beyond everything",
     {RAM(0, 0x4000), OTHER(0x2345, UINT64_MAX)},
     {{0, 0x2000, E820_USABLE}, {0x2000, E820_LIMIT, E820_RESERVED}},
     0},
    {"RAM across 64 GiB is split there",
     {RAM(60 * GIB, 10 * GIB)},
     {{60 * GIB, 64 * GIB, E820_USABLE}},
     6 * GIB},
    {"RAM from 64 GiB on is left out", {RAM(64 * GIB, 0x1800)}, {{0}}, 0x1000},
    {"RAM up to 64 GiB stays", {RAM(63 * GIB, GIB)}, {{63 * GIB, 64 * GIB, E820_USABLE}}, 0},
    {"beyond 64 GiB the rule is the same",
     {RAM(64 * GIB, 8 * GIB), OTHER(65 * GIB, 1), BAD(71 * GIB, 9 * GIB)},
     {{0}},
     7 * GIB - 0x1000},
    {"the classic PC",
     {RAM(0, 0x9FC00), OTHER(0x9FC00, 0x400), OTHER(0xF0000, 0x10000), RAM(0x100000, 0x3EF0000),
      ACPI(0x3FF0000, 0xF800), NVS(0x3FFF800, 0x800), OTHER(0xFFFC0000, 0x40000)},
     {{0, 0x9F000, E820_USABLE},
      {0x9F000, 0xA0000, E820_RESERVED},
      {0xF0000, 0x100000, E820_RESERVED},
      {0x100000, 0x3FF0000, E820_USABLE},
      {0x3FF0000, 0x3FFF000, E820_ACPI},
      {0x3FFF000, 0x4000000, E820_NVS},
      {0xFFFC0000, 4 * GIB, E820_RESERVED}},
     0},
    {"RAM through the video hole, stolen graphics memory, remapped RAM, from high to low",
     {RAM(4 * GIB, GIB), OTHER(0xE0000000, 0x10000000), OTHER(0xCC000000, 0x4000000),
      RAM(0x100000, 0xCBF00000), RAM(0, 0xA0000), OTHER(0x9D800, 0x2800), OTHER(0xC0000, 0x40000)},
     {{0, 0x9D000, E820_USABLE},
      {0x9D000, 0xA0000, E820_RESERVED},
      {0xC0000, 0x100000, E820_RESERVED},
      {0x100000, 0xCC000000, E820_USABLE},
      {0xCC000000, 0xD0000000, E820_RESERVED},
      {0xE0000000, 0xF0000000, E820_RESERVED},
      {4 * GIB, 5 * GIB, E820_USABLE}},
     0},
    {"E801's two ranges", /* 15 MiB hole */
     {RAM(0, 640 * KIB), RAM(0x100000, 0xE00000), RAM(0x1000000, 0x3000000)},
     {{0, 0xA0000, E820_USABLE},
      {0x100000, 0xF00000, E820_USABLE},
      {0x1000000, 0x4000000, E820_USABLE}},
     0},
};

/* A map that nobody may read before it was resolved. */
static void spoil(struct e820_map *map)
{
    memset(map, 0xA5, sizeof(*map));
}

static void resolve_and_check(struct e820_map *map, const struct e820_entry *entries,
                              uint32_t count, const char *name)
{
    spoil(map);
    CHECK_EQUAL(e820_resolve(map, entries, count), 0);
    const char *fault = e820_oracle_fault(map, entries, count);
    if (fault != NULL)
        test_fail(__FILE__, __LINE__, "%s: %s", name, fault);
}

static uint32_t count_entries(const struct e820_entry *entries)
{
    static const struct e820_entry none;
    uint32_t count = 0;
    while (count < TABLE_MAX && memcmp(&entries[count], &none, sizeof(none)) != 0)
        count++;
    return count;
}

static bool is_as_expected(const struct e820_map *map, const struct example *example)
{
    uint64_t usable_bytes = 0;
    uint32_t i = 0;
    for (; i < TABLE_MAX && example->regions[i].end != 0; i++) {
        const struct expected_region *expected = &example->regions[i];
        if (i >= map->count || map->regions[i].start != expected->start ||
            map->regions[i].end != expected->end || map->regions[i].kind != expected->kind)
            return false;
        if (expected->kind == E820_USABLE)
            usable_bytes += expected->end - expected->start;
    }
    return map->count == i && map->usable_bytes == usable_bytes &&
           map->beyond_bytes == example->beyond_bytes;
}

static void print_map(const struct e820_map *map)
{
    for (uint32_t i = 0; i < map->count; i++)
        printf("  %" PRIx64 " %" PRIx64 " %s\n", map->regions[i].start, map->regions[i].end,
               e820_kind_name(map->regions[i].kind));
    printf("  usable 0x%" PRIx64 ", beyond 0x%" PRIx64 "\n", map->usable_bytes, map->beyond_bytes);
}

static void check_example(const struct example *example, const struct e820_entry *entries,
                          uint32_t count)
{
    static struct e820_map map;
    resolve_and_check(&map, entries, count, example->name);
    if (!is_as_expected(&map, example)) {
        print_map(&map);
        test_fail(__FILE__, __LINE__, "unexpected regions: %s", example->name);
    }
}

static void shuffle(struct e820_entry *entries, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = test_random_range(0, i - 1);
        struct e820_entry held = entries[i - 1];
        entries[i - 1] = entries[other];
        entries[other] = held;
    }
}

/* Each table as it stands, and in other orders: the result does not depend on it. */
TEST(tables)
{
    for (size_t i = 0; i < ARRAY_COUNT(examples); i++) {
        struct e820_entry entries[TABLE_MAX];
        uint32_t count = count_entries(examples[i].entries);
        CHECK(count > 0);
        memcpy(entries, examples[i].entries, sizeof(entries));
        check_example(&examples[i], entries, count);
        for (unsigned round = 0; round < 20; round++) {
            shuffle(entries, count);
            check_example(&examples[i], entries, count);
        }
    }
}

TEST(wrong_counts_are_refused)
{
    static struct e820_map map;
    static struct e820_entry entries[E820_ENTRIES_MAX + 1];
    static const uint32_t wrong[] = {0, E820_ENTRIES_MAX + 1, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        spoil(&map);
        CHECK_EQUAL(e820_resolve(&map, entries, wrong[i]), -EINVAL);
        CHECK_EQUAL(map.count, 0);
        CHECK_EQUAL(map.usable_bytes, 0);
        CHECK_EQUAL(map.beyond_bytes, 0);
    }
}

TEST(kinds_have_names)
{
    static const char *const names[] = {"usable", "acpi", "nvs", "reserved", "bad"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        CHECK(strcmp(e820_kind_name((enum e820_kind)i), names[i]) == 0);
    CHECK(strcmp(e820_kind_name((enum e820_kind)ARRAY_COUNT(names)), "unknown") == 0);
}

/* One claim with all others apart inside it: no input gives more regions. */
TEST(most_regions)
{
    static struct e820_map map;
    struct e820_entry entries[E820_ENTRIES_MAX];
    entries[0] = (struct e820_entry)RAM(0, 16 * GIB);
    for (uint32_t i = 1; i < E820_ENTRIES_MAX; i++)
        entries[i] = (struct e820_entry)OTHER((E820_ENTRIES_MAX - i) * 0x5000ull + 0x800, 0x1000);
    resolve_and_check(&map, entries, E820_ENTRIES_MAX, "most regions");
    CHECK_EQUAL(map.count, 2 * E820_ENTRIES_MAX - 1);
}

/* Each entry begins inside the one before it and outlives it: all are open at once. */
TEST(all_open_at_once)
{
    static struct e820_map map;
    struct e820_entry entries[E820_ENTRIES_MAX];
    for (uint32_t i = 0; i < E820_ENTRIES_MAX; i++)
        entries[i] = (struct e820_entry){i * 0x1234ull, 8 * GIB, 1 + i % 7, 1};
    resolve_and_check(&map, entries, E820_ENTRIES_MAX, "all open");
    shuffle(entries, E820_ENTRIES_MAX);
    resolve_and_check(&map, entries, E820_ENTRIES_MAX, "all open, shuffled");
}

/*
 * A small universe, byte by byte: each byte of 16 pages has a mask of the kinds that claim it. The
 * second opinion on the oracle as well.
 */
#define UNIVERSE_PAGES 16
#define UNIVERSE_BYTES (UNIVERSE_PAGES * FRAME_SIZE)

static uint8_t claimed[UNIVERSE_BYTES];

static void claim_bytes(uint32_t first, uint32_t length, enum e820_kind kind)
{
    for (uint32_t i = first; i < first + length && i < UNIVERSE_BYTES; i++)
        claimed[i] |= (uint8_t)(1u << kind);
}

static int kind_by_bytes(uint32_t page)
{
    unsigned any = 0, all = UINT8_MAX;
    for (uint32_t i = page * FRAME_SIZE; i < (page + 1) * FRAME_SIZE; i++) {
        any |= claimed[i];
        all &= claimed[i];
    }
    for (int kind = E820_BAD; kind > E820_USABLE; kind--)
        if ((any & 1u << kind) != 0)
            return kind;
    return (all & 1u << E820_USABLE) != 0 ? E820_USABLE : ORACLE_NONE;
}

/* Edges gather at page borders and at each other, where mistakes live. */
static uint32_t small_edge(void)
{
    uint32_t edge = test_random_range(0, UNIVERSE_PAGES - 1) * FRAME_SIZE;
    switch (test_random_range(0, 3)) {
    case 0:
        return edge + test_random_range(0, 2);
    case 1:
        return edge + test_random_range(1, 7) * 0x200;
    case 2:
        return edge + FRAME_SIZE - 1;
    default:
        return edge;
    }
}

static struct e820_entry small_entry(uint64_t origin)
{
    static const enum e820_kind kinds[] = {E820_USABLE, E820_USABLE, E820_USABLE, E820_RESERVED,
                                           E820_ACPI,   E820_NVS,    E820_BAD};
    static const uint32_t types[] = {1, 1, 1, 2, 3, 4, 5};
    uint32_t choice = test_random_range(0, ARRAY_COUNT(kinds) - 1);
    uint32_t first = small_edge(), end = small_edge();
    uint32_t length = end > first ? end - first : test_random_range(0, 2 * FRAME_SIZE);
    bool is_ignored = test_random_range(0, 9) == 0;
    if (!is_ignored)
        claim_bytes(first, length, kinds[choice]);
    return (struct e820_entry){origin + first, length, types[choice], is_ignored ? 2 : 1};
}

static void check_small(uint64_t origin)
{
    static struct e820_map map;
    struct e820_entry entries[TABLE_MAX];
    uint32_t count = test_random_range(1, TABLE_MAX);
    memset(claimed, 0, sizeof(claimed));
    for (uint32_t i = 0; i < count; i++)
        entries[i] = small_entry(origin);
    resolve_and_check(&map, entries, count, "small");
    for (uint32_t page = 0; page < UNIVERSE_PAGES; page++)
        CHECK_EQUAL(e820_oracle_page(entries, count, origin / FRAME_SIZE + page),
                    kind_by_bytes(page));
}

/* At the bottom, across 4 GiB, across 64 GiB, and where what ends beyond the universe wraps. */
TEST(every_byte_of_small_maps)
{
    static const uint64_t origins[] = {0, 4 * GIB - 0x8000, 64 * GIB - 0x8000,
                                       0 - (uint64_t)UNIVERSE_BYTES};
    for (unsigned round = 0; round < 600; round++)
        check_small(origins[round % ARRAY_COUNT(origins)]);
}

static uint64_t random_64(void)
{
    return (uint64_t)test_random() << 32 | test_random();
}

/* Near a round number, near an edge that is there already, or anywhere. */
static uint64_t large_edge(const struct e820_entry *entries, uint32_t count)
{
    static const uint64_t places[] = {0, 0x9FC00, 0x100000, 4 * GIB, 64 * GIB, 1ull << 52, 0};
    uint64_t offset = (uint64_t)test_random_range(0, 16) * 0x400 + test_random_range(0, 2) - 0x2001;
    const struct e820_entry *entry = count > 0 ? &entries[test_random_range(0, count - 1)] : NULL;
    switch (test_random_range(0, 4)) {
    case 0:
        return places[test_random_range(0, ARRAY_COUNT(places) - 1)] + offset;
    case 1:
        return entry != NULL ? entry->base + offset : offset;
    case 2:
        return entry != NULL ? entry->base + entry->length + offset : offset;
    case 3:
        return random_64() >> test_random_range(0, 52);
    default:
        return (uint64_t)test_random_range(0, 0xFFFFF) * FRAME_SIZE;
    }
}

static struct e820_entry large_entry(const struct e820_entry *entries, uint32_t count)
{
    uint64_t base = large_edge(entries, count);
    uint64_t end = large_edge(entries, count);
    struct e820_entry entry = {base, end - base, test_random_range(0, 7), 1};
    if (test_random_range(0, 1) == 0)
        entry.type = 1;
    if (test_random_range(0, 15) == 0)
        entry.type = test_random();
    if (end < base && test_random_range(0, 3) != 0) /* mostly no wrap */
        entry.length = test_random_range(0, 5) * 0x800;
    if (test_random_range(0, 7) == 0)
        entry.attributes = test_random();
    return entry;
}

TEST(random_maps)
{
    static struct e820_map map;
    struct e820_entry entries[E820_ENTRIES_MAX];
    for (unsigned round = 0; round < 2000; round++) {
        uint32_t most = round % 10 == 0 ? E820_ENTRIES_MAX : 16;
        uint32_t count = test_random_range(1, most);
        for (uint32_t i = 0; i < count; i++)
            entries[i] = large_entry(entries, i);
        resolve_and_check(&map, entries, count, "random");
    }
}

static void read_table(struct table *table, const char *path)
{
    static char text[TEXT_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        test_fail(__FILE__, __LINE__, "%s cannot be read", path);
    size_t bytes = fread(text, 1, sizeof(text), file);
    CHECK(bytes < sizeof(text));
    fclose(file);
    struct table_error error = table_parse(table, text, bytes);
    if (error.text != NULL)
        test_fail(__FILE__, __LINE__, "%s:%u: %s", path, error.line, error.text);
}

/* As given, reversed (firmware in the field is less orderly than what systems print), shuffled. */
static void check_fixture(const char *path)
{
    static struct table table;
    static struct e820_map map, again;
    read_table(&table, path);
    resolve_and_check(&map, table.entries, table.count, path);
    for (unsigned round = 0; round < 5; round++) {
        shuffle(table.entries, table.count);
        resolve_and_check(&again, table.entries, table.count, path);
        CHECK_EQUAL(again.count, map.count);
        CHECK_EQUAL(again.usable_bytes, map.usable_bytes);
        CHECK_EQUAL(again.beyond_bytes, map.beyond_bytes);
    }
}

static unsigned check_folder(const char *root, const char *folder)
{
    char path[1024];
    unsigned count = 0;
    snprintf(path, sizeof(path), "%s/%s", root, folder);
    DIR *directory = opendir(path);
    if (directory == NULL)
        test_fail(__FILE__, __LINE__, "%s is not there: set E820_DATA", path);
    for (struct dirent *file; (file = readdir(directory)) != NULL;) {
        const char *dot = strrchr(file->d_name, '.');
        if (dot == NULL || strcmp(dot, ".txt") != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s/%s", root, folder, file->d_name);
        check_fixture(path);
        count++;
    }
    closedir(directory);
    return count;
}

TEST(fixtures)
{
    const char *root = getenv("E820_DATA");
    if (root == NULL)
        root = "tests/data/e820";
    unsigned count = check_folder(root, "machines") + check_folder(root, "emulators");
    CHECK(count >= FIXTURES_MIN);
}
