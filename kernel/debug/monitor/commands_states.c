/* `mem states` and `mem who`: frames and what they are used for. */
#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/debug/monitor/picture.h"
#include "kernel/debug/monitor/rights.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/system.h"

#define GRID_COLUMNS   64u
#define GRID_ROWS_MAX  32u
#define NEAR_FRAMES    1024u /* an address's neighbourhood: 4 MiB, aligned */
#define NEAR_RUNS      12u   /* shown on either side */
#define MAPPINGS_SHOWN 16u

static const char state_letters[BYTEMAP_STATE_COUNT] = {
    [BYTEMAP_ABSENT] = ' ',     [BYTEMAP_FREE] = '.', [BYTEMAP_ZEROED] = '0',
    [BYTEMAP_RESERVED] = 'R',   [BYTEMAP_BAD] = 'X',  [BYTEMAP_ALLOCATED] = 'A',
    [BYTEMAP_PAGE_TABLE] = 'T', [BYTEMAP_HEAP] = 'H', [BYTEMAP_CACHE] = 'C',
};

/* One character for the frames [first, end): their state if they share one. */
static char letter_of(frame_t first, frame_t end)
{
    bool has_free = false, has_absent = false;
    char letter = state_letters[bytemap_tag_state(bytemap_get(first)) % BYTEMAP_STATE_COUNT];
    bool is_mixed = false;
    for (frame_t frame = first; frame < end; frame = bytemap_run_end(frame, end)) {
        bytemap_tag_t tag = bytemap_get(frame);
        has_free |= bytemap_tag_is_free(tag);
        has_absent |= bytemap_tag_state(tag) == BYTEMAP_ABSENT;
        is_mixed |= state_letters[bytemap_tag_state(tag) % BYTEMAP_STATE_COUNT] != letter;
    }
    if (!is_mixed)
        return letter;
    return has_free ? '+' : has_absent ? '-' : '#';
}

/* A power of two of frames a character, so that everything fits GRID_ROWS_MAX rows. */
static uint32_t grid_scale(uint32_t frames)
{
    uint32_t scale = 1;
    while ((frames - 1) / (scale * GRID_COLUMNS) >= GRID_ROWS_MAX)
        scale *= 2;
    return scale;
}

static void print_grid_row(frame_t first, uint32_t scale, uint32_t frames)
{
    char row[GRID_COLUMNS + 1];
    unsigned column = 0;
    for (frame_t frame = first; column < GRID_COLUMNS && frame < frames; frame += scale)
        row[column++] = letter_of(frame, frames - frame < scale ? frames : frame + scale);
    row[column] = '\0';
    monitor_print("0x%09llx |%-64s|\n", (unsigned long long)frame_address(first), row);
}

/* A row that is all absent is not worth a line, a hole of them is. */
static bool is_absent(frame_t first, frame_t end)
{
    return bytemap_tag_state(bytemap_get(first)) == BYTEMAP_ABSENT &&
           bytemap_run_end(first, end) == end;
}

static void print_grid(void)
{
    uint32_t frames = bytemap_frames(), scale = grid_scale(frames);
    uint32_t row_frames = scale * GRID_COLUMNS, absent_rows = 0;
    char size[PICTURE_SIZE_SIZE];
    picture_size(size, (uint64_t)scale * FRAME_SIZE);
    monitor_print(
        "a character is %s: . free, 0 zeroed, R reserved, X bad, A allocated,\n"
        "T page tables, H heap, C cache; + partly free, # several uses, - partly absent\n",
        size);
    for (frame_t first = 0; first < frames; first += row_frames) {
        if (is_absent(first, frames - first < row_frames ? frames : first + row_frames)) {
            absent_rows++;
            continue;
        }
        if (absent_rows != 0)
            monitor_print("%11s  ... no RAM ...\n", "");
        absent_rows = 0;
        print_grid_row(first, scale, frames);
    }
}

static void print_tag(bytemap_tag_t tag)
{
    monitor_print("%s", bytemap_state_name(bytemap_tag_state(tag)));
    if (bytemap_tag_owner(tag) != BYTEMAP_NONE)
        monitor_print(", %s", bytemap_owner_name(bytemap_tag_owner(tag)));
    if (bytemap_tag_is_locked(tag))
        monitor_print(", locked");
}

static void print_run(frame_t first, frame_t end, frame_t target)
{
    monitor_print("%c 0x%09llx 0x%09llx %7u  ", target >= first && target < end ? '>' : ' ',
                  (unsigned long long)frame_address(first), (unsigned long long)frame_address(end),
                  end - first);
    print_tag(bytemap_get(first));
    monitor_print("\n");
}

/* Which of the runs in [from, to) has the target. */
static unsigned run_index(frame_t from, frame_t to, frame_t target)
{
    unsigned index = 0;
    for (frame_t end = bytemap_run_end(from, to); end <= target; end = bytemap_run_end(end, to))
        index++;
    return index;
}

static void print_near(frame_t target)
{
    frame_t from = target / NEAR_FRAMES * NEAR_FRAMES;
    frame_t to = bytemap_frames() - from < NEAR_FRAMES ? bytemap_frames() : from + NEAR_FRAMES;
    unsigned middle = run_index(from, to, target), index = 0, hidden = 0;
    monitor_print("  %-11s %-11s %7s  state\n", "start", "end", "frames");
    for (frame_t first = from; first < to; index++) {
        frame_t end = bytemap_run_end(first, to);
        if (index + NEAR_RUNS < middle || index > middle + NEAR_RUNS)
            hidden++;
        else
            print_run(first, end, target);
        first = end;
    }
    if (hidden != 0)
        monitor_print("  and %u more between 0x%llx and 0x%llx\n", hidden,
                      (unsigned long long)frame_address(from),
                      (unsigned long long)frame_address(to));
}

bool command_mem_states(unsigned count, char **arguments)
{
    uint64_t address;
    if (count == 0) {
        print_grid();
        return true;
    }
    if (!command_number(arguments[0], frame_address(bytemap_frames()), &address))
        return false;
    print_near(frame_of(address));
    return true;
}

/* Looking for the places where a frame is mapped. */
struct search {
    frame_t frame;
    unsigned found;
};

static bool match_stretch(void *context, uint32_t start, uint64_t end,
                          const struct paging_translation *first)
{
    struct search *search = context;
    frame_t mapped = frame_of(first->physical);
    uint32_t frames = (uint32_t)((end - start) / PAGE_SIZE);
    if (search->frame < mapped || search->frame - mapped >= frames)
        return true;
    uint32_t address = start + (search->frame - mapped) * PAGE_SIZE;
    if (search->found++ < MAPPINGS_SHOWN)
        monitor_print("%-12s 0x%08x  %s %s, %s page, %s\n", search->found == 1 ? "mapped" : "",
                      address, rights_name(first->flags),
                      rights_cache_name(first->flags, first->physical),
                      first->large ? "2 MiB" : "4 KiB", memory_row_of(address)->name);
    return true;
}

static const char *region_name(paddr_t address)
{
    const struct e820_map *map = memory_map();
    for (uint32_t i = 0; i < map->count; i++)
        if (address >= map->regions[i].start && address < map->regions[i].end)
            return e820_kind_name(map->regions[i].kind);
    return "not mentioned";
}

bool command_mem_who(unsigned count, char **arguments)
{
    uint64_t address;
    (void)count;
    if (!command_number(arguments[0], E820_LIMIT, &address))
        return false;
    struct search search = {frame_of(address), 0};
    monitor_print("%-12s %u, physical 0x%llx to 0x%llx\n", "frame", search.frame,
                  (unsigned long long)frame_address(search.frame),
                  (unsigned long long)frame_address(search.frame + 1));
    monitor_print("%-12s %s\n", "firmware", region_name(address));
    monitor_print("%-12s ", "state");
    print_tag(bytemap_get(search.frame));
    monitor_print("\n%-12s %u\n%-12s %u\n", "references", pageframe_references(search.frame),
                  "locks", pageframe_locks(search.frame));
    paging_visit(&paging_kernel, match_stretch, &search);
    if (search.found == 0)
        monitor_print("%-12s nowhere in the kernel's space\n", "mapped");
    if (search.found > MAPPINGS_SHOWN)
        monitor_print("%-12s and %u more\n", "", search.found - MAPPINGS_SHOWN);
    return true;
}
