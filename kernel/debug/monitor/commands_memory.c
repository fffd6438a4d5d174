/* `mem` and `mem check`: the rows of the map, and RAM by state and owner. */
#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/debug/monitor/picture.h"
#include "kernel/debug/monitor/rights.h"
#include "kernel/file/files.h"
#include "kernel/lib/format.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/platform.h"
#include "kernel/memory/system.h"

#define BAR_WIDTH 24

/* What page tables say about one row. */
struct row_use {
    uint64_t bytes;
    bool has_ram, has_other; /* frames that the books know as RAM, and frames that they do not */
    uint32_t rights;         /* bit RIGHTS_INDEX(flags) for each that occurs */
    uint32_t cache;          /* PAGING_WRITE_COMBINING and PAGING_UNCACHED, where they occur */
};

/* Rights are few: two bits make an index. */
static unsigned rights_index(uint32_t flags)
{
    return flags & (PAGING_WRITE | PAGING_EXECUTE);
}

static void note_frames(struct row_use *use, frame_t first, uint32_t count)
{
    for (frame_t frame = first, end = first + count; frame < end;) {
        bool is_known = frame < bytemap_frames();
        frame_t limit = is_known && end > bytemap_frames() ? bytemap_frames() : end;
        if (bytemap_tag_state(bytemap_get(frame)) != BYTEMAP_ABSENT)
            use->has_ram = true;
        else
            use->has_other = true;
        if (use->has_ram && use->has_other)
            return;
        frame = is_known ? bytemap_run_end(frame, limit) : end;
    }
}

/* A stretch may reach over the end of a row. The one row that begins inside a page has that page.
 */
static bool note_stretch(void *context, uint32_t start, uint64_t end,
                         const struct paging_translation *first)
{
    struct row_use *uses = context;
    for (uint64_t at = start; at < end;) {
        const struct memory_row *row = memory_row_of((uint32_t)at + PAGE_SIZE - 1);
        struct row_use *use = &uses[row - memory_rows];
        uint64_t limit = row->end / PAGE_SIZE * PAGE_SIZE;
        uint64_t stop = end < limit ? end : limit;
        use->bytes += stop - at;
        use->rights |= 1u << rights_index(first->flags);
        if (is_write_combining(first->flags, first->physical))
            use->cache |= PAGING_WRITE_COMBINING;
        else if (first->flags & PAGING_UNCACHED)
            use->cache |= PAGING_UNCACHED;
        note_frames(use, frame_of(first->physical + (at - start)),
                    (uint32_t)((stop - at) / PAGE_SIZE));
        at = stop;
    }
    return true;
}

static bool is_never_mapped(const struct memory_row *row)
{
    return row->start == MAP_NULL_START || row->start == MAP_GUARD_BELOW_START ||
           row->start == MAP_GUARD_ABOVE_START || row->start == MAP_TOP_START;
}

static void describe_backing(char *text, size_t size, const struct memory_row *row,
                             const struct row_use *use)
{
    const char *what = use->has_ram && use->has_other ? "mixed" : use->has_ram ? "RAM" : "device";
    int length;
    if (use->bytes == 0) {
        format_text(text, size, "%s", is_never_mapped(row) ? "never mapped" : "nothing");
        return;
    }
    length = format_text(text, size, "%s", what);
    for (unsigned i = 0; i < 4; i++)
        if (use->rights >> i & 1)
            length += format_text(text + length, size - (size_t)length, " %s", rights_name(i));
    if (use->cache & PAGING_WRITE_COMBINING)
        length += format_text(text + length, size - (size_t)length, " wc");
    if (use->cache & PAGING_UNCACHED)
        length += format_text(text + length, size - (size_t)length, " uc");
}

/* The last row ends where eight digits do. */
static void describe_end(char *text, uint64_t end)
{
    if (end >> 32)
        picture_size(text, end);
    else
        format_text(text, PICTURE_SIZE_SIZE, "0x%08x", (uint32_t)end);
}

static void print_rows(void)
{
    struct row_use uses[MEMORY_ROW_COUNT] = {0};
    char size[PICTURE_SIZE_SIZE], mapped[PICTURE_SIZE_SIZE], end[PICTURE_SIZE_SIZE], backing[48];
    paging_visit(&paging_kernel, note_stretch, uses);
    monitor_print("%-18s %-10s %-11s %9s %9s  %s\n", "region", "start", "end", "size", "mapped",
                  "backed by");
    for (unsigned i = 0; i < MEMORY_ROW_COUNT; i++) {
        const struct memory_row *row = &memory_rows[i];
        picture_size(size, row->end - row->start);
        picture_size(mapped, uses[i].bytes);
        describe_backing(backing, sizeof(backing), row, &uses[i]);
        describe_end(end, row->end);
        monitor_print("%-18s 0x%08x %-10s %10s %9s  %s\n", row->name, row->start, end, size,
                      uses[i].bytes == 0 ? "-" : mapped, backing);
    }
    if (!platform_features.no_execute)
        monitor_print(
            "This processor has no no-execute bit: whatever is mapped can be executed.\n");
}

static uint64_t bytes_of(uint32_t frames)
{
    return (uint64_t)frames * FRAME_SIZE;
}

static void print_tag(bytemap_tag_t tag, uint32_t ram_frames)
{
    char mebibytes[PICTURE_SIZE_SIZE], bar[BAR_WIDTH + 1];
    uint32_t frames = bytemap_count(tag);
    picture_mebibytes(mebibytes, bytes_of(frames));
    picture_bar(bar, BAR_WIDTH, frames, ram_frames);
    monitor_print(
        "%-11s %-8s %-6s %10u %11s  %s\n", bytemap_state_name(bytemap_tag_state(tag)),
        bytemap_tag_owner(tag) == BYTEMAP_NONE ? "-" : bytemap_owner_name(bytemap_tag_owner(tag)),
        bytemap_tag_is_locked(tag) ? "locked" : "", frames, mebibytes, bar);
}

static void print_states(uint32_t ram_frames)
{
    monitor_print("\n%-11s %-8s %-6s %10s %11s\n", "state", "owner", "", "frames", "MiB");
    for (unsigned state = BYTEMAP_FREE; state < BYTEMAP_STATE_COUNT; state++)
        for (unsigned owner = 0; owner < BYTEMAP_OWNER_COUNT; owner++)
            for (unsigned lock = 0; lock <= BYTEMAP_LOCKED_BIT; lock += BYTEMAP_LOCKED_BIT) {
                bytemap_tag_t tag = (bytemap_tag_t)(BYTEMAP_TAG(state, owner) | lock);
                if (bytemap_count(tag) != 0)
                    print_tag(tag, ram_frames);
            }
}

static void print_total(const char *name, uint32_t frames, const char *remark)
{
    char mebibytes[PICTURE_SIZE_SIZE];
    picture_mebibytes(mebibytes, bytes_of(frames));
    monitor_print("%-27s %10u %11s%s%s\n", name, frames, mebibytes, remark[0] != '\0' ? "  " : "",
                  remark);
}

static void print_zones(const struct pageframe_statistics *statistics)
{
    static const struct {
        const char *name;
        unsigned where;
    } zones[] = {{"free below 1 MiB", PAGEFRAME_BELOW_1M},
                 {"free below 16 MiB", PAGEFRAME_BELOW_16M},
                 {"free in the direct view", PAGEFRAME_DIRECT},
                 {"free below 4 GiB", PAGEFRAME_BELOW_4G}};
    for (unsigned i = 0; i < ARRAY_COUNT(zones); i++)
        print_total(zones[i].name, statistics->zone_free_frames[zones[i].where], "");
}

static void print_totals(const struct pageframe_statistics *statistics)
{
    static const char *const pressures[] = {
        [PAGEFRAME_PLENTY] = "plenty", [PAGEFRAME_SHORT] = "short", [PAGEFRAME_SCARCE] = "scarce"};
    uint32_t out_of_reach = memory_out_of_reach_frames();
    monitor_print("\n");
    print_total("all RAM", statistics->ram_frames, "");
    print_total("free", statistics->free_frames, pressures[pageframe_pressure()]);
    print_zones(statistics);
    print_total("zeroed ahead", bytemap_count_state(BYTEMAP_ZEROED), "");
    print_total("reserve", statistics->reserve_frames, "kept for who must not fail");
    print_total("page tables", paging_table_frames(), "");
    print_total("locked", bytemap_count_locked(), "");
    if (out_of_reach != 0)
        print_total("out of the processor's reach", out_of_reach, "in no use; part of all RAM");
    if (memory_map()->beyond_bytes != 0)
        print_total("above 64 GiB", frame_of(memory_map()->beyond_bytes), "left out");
}

bool command_mem(unsigned count, char **arguments)
{
    struct pageframe_statistics statistics;
    (void)count;
    (void)arguments;
    print_rows();
    pageframe_read_statistics(&statistics);
    print_states(statistics.ram_frames);
    print_totals(&statistics);
    return true;
}

static void print_fault(const char *sentence)
{
    monitor_print("%s\n", sentence);
}

bool command_mem_check(unsigned count, char **arguments)
{
    struct pageframe_statistics statistics;
    (void)count;
    (void)arguments;
    struct check check = {memory_check(print_fault), print_fault};
    files_check(&check);
    pageframe_read_statistics(&statistics);
    if (check.faults == 0)
        monitor_print("memory check: ok (%u frames)\n", statistics.ram_frames);
    else
        monitor_print("memory check: %u faults\n", check.faults);
    return true;
}
