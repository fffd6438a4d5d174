#include "kernel/file/proc_internal.h"
#include "kernel/include/errors.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"

/* Texts about one process, in the form that Linux's have. */

#define PAGE         4096u
#define KIB_PER_PAGE (PAGE / 1024)
#define PIECE        256u

static unsigned long long ull(uint64_t value)
{
    return value;
}

static int read_facts(uint32_t id, struct proc_facts *facts)
{
    memset(facts, 0, sizeof(*facts));
    return proc_source() != NULL && proc_source()->read(id, facts) ? 0 : -ESRCH;
}

/* As Linux counts: 20 + nice, and below 0 for the real-time policies. */
static int shown_priority(const struct proc_facts *facts)
{
    return facts->priority > 0 ? -1 - (int)facts->priority : 20 + facts->nice;
}

static int print_stat(struct proc_text *text, uint32_t id)
{
    struct proc_facts facts;
    int error = read_facts(id, &facts);
    if (error != 0)
        return error;
    proc_text_print(text, "%u (%s) %c %u %u %u %u %d 0 ", facts.id, facts.name, facts.state,
                    facts.parent, facts.group, facts.session, facts.terminal,
                    facts.terminal == 0 ? -1 : (int)facts.terminal_group);
    proc_text_print(text, "%llu 0 %llu 0 %llu %llu %llu %llu ", ull(facts.minor_faults),
                    ull(facts.major_faults), ull(facts.user_ticks), ull(facts.system_ticks),
                    ull(facts.children_user_ticks), ull(facts.children_system_ticks));
    proc_text_print(text, "%d %d %u 0 %llu %llu %u 4294967295 ", shown_priority(&facts), facts.nice,
                    facts.threads, ull(facts.start_ticks), ull((uint64_t)facts.size * PAGE),
                    facts.resident);
    proc_text_print(text, "%u %u %u 0 0 %u %u %u %u 0 0 0 17 0 %u %u 0 0 0 ", facts.code_start,
                    facts.code_end, facts.stack_start, (unsigned)facts.pending & 0x7FFFFFFF,
                    (unsigned)facts.blocked & 0x7FFFFFFF, (unsigned)facts.ignored & 0x7FFFFFFF,
                    (unsigned)facts.caught & 0x7FFFFFFF, facts.priority, facts.policy);
    proc_text_print(text, "%u %u %u 0 0 0 0 %d\n", facts.data_start, facts.data_end,
                    facts.heap_start, facts.exit_code);
    return 0;
}

static int print_statm(struct proc_text *text, uint32_t id)
{
    struct proc_facts facts;
    int error = read_facts(id, &facts);
    if (error == 0)
        proc_text_print(text, "%u %u %u %u 0 %u 0\n", facts.size, facts.resident, facts.shared,
                        facts.text, facts.data + facts.stack);
    return error;
}

static const char *state_name(char state)
{
    switch (state) {
    case 'R':
        return "running";
    case 'D':
        return "disk sleep";
    case 'T':
        return "stopped";
    case 'Z':
        return "zombie";
    default:
        return "sleeping";
    }
}

static void print_pages(struct proc_text *text, const char *name, uint32_t pages)
{
    proc_text_print(text, "%s\t%8u kB\n", name, pages * KIB_PER_PAGE);
}

static void print_memory(struct proc_text *text, const struct proc_facts *facts)
{
    print_pages(text, "VmPeak:", facts->size_peak);
    print_pages(text, "VmSize:", facts->size);
    print_pages(text, "VmLck:", facts->locked);
    print_pages(text, "VmHWM:", facts->resident_peak);
    print_pages(text, "VmRSS:", facts->resident);
    print_pages(text, "RssAnon:", facts->resident - facts->shared);
    print_pages(text, "RssFile:", facts->shared);
    print_pages(text, "VmData:", facts->data);
    print_pages(text, "VmStk:", facts->stack);
    print_pages(text, "VmExe:", facts->text);
    print_pages(text, "VmLib:", facts->libraries);
    print_pages(text, "VmPTE:", facts->page_tables);
    print_pages(text, "VmSwap:", 0);
}

static int print_status(struct proc_text *text, uint32_t id)
{
    struct proc_facts facts;
    int error = read_facts(id, &facts);
    if (error != 0)
        return error;
    proc_text_print(text, "Name:\t%s\nState:\t%c (%s)\nTgid:\t%u\nPid:\t%u\nPPid:\t%u\n",
                    facts.name, facts.state, state_name(facts.state), facts.id, facts.id,
                    facts.parent);
    proc_text_print(text, "TracerPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
    if (facts.state != 'Z')
        print_memory(text, &facts);
    proc_text_print(text, "Threads:\t%u\nSigPnd:\t%016llx\nSigBlk:\t%016llx\n", facts.threads,
                    ull(facts.pending), ull(facts.blocked));
    proc_text_print(text, "SigIgn:\t%016llx\nSigCgt:\t%016llx\n", ull(facts.ignored),
                    ull(facts.caught));
    proc_text_print(text, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
                    ull(facts.voluntary_switches), ull(facts.involuntary_switches));
    return 0;
}

/* ---- what lies in the process's memory ---- */

typedef uint32_t (*string_source)(uint32_t id, uint32_t offset, char *buffer, uint32_t bytes);

static int print_strings(struct proc_text *text, uint32_t id, string_source read)
{
    struct proc_facts facts;
    char piece[PIECE];
    uint32_t offset = 0, bytes;
    int error = read_facts(id, &facts);
    while (error == 0 && (bytes = read(id, offset, piece, sizeof(piece))) > 0) {
        proc_text_put(text, piece, bytes);
        offset += bytes;
    }
    return error;
}

static int print_cmdline(struct proc_text *text, uint32_t id)
{
    return proc_source() == NULL ? -ESRCH : print_strings(text, id, proc_source()->arguments);
}

static int print_environ(struct proc_text *text, uint32_t id)
{
    return proc_source() == NULL ? -ESRCH : print_strings(text, id, proc_source()->environment);
}

static int print_comm(struct proc_text *text, uint32_t id)
{
    struct proc_facts facts;
    int error = read_facts(id, &facts);
    if (error == 0)
        proc_text_print(text, "%s\n", facts.name);
    return error;
}

/* ---- areas ---- */

static void print_area(struct proc_text *text, const struct proc_area *area)
{
    char line[96];
    int length =
        format_text(line, sizeof(line), "%08x-%08x %c%c%c%c %08llx %02x:%02x %llu", area->start,
                    area->end, area->is_readable ? 'r' : '-', area->is_writable ? 'w' : '-',
                    area->is_executable ? 'x' : '-', area->is_shared ? 's' : 'p', ull(area->offset),
                    area->device >> 8, area->device & 0xFF, ull(area->inode));
    proc_text_put(text, line, (size_t)length);
    if (area->name != NULL && area->name[0] != '\0') {
        for (; length < 73; length++)
            proc_text_put(text, " ", 1);
        proc_text_put(text, area->name, strlen(area->name));
    }
    proc_text_put(text, "\n", 1);
}

static bool print_maps_line(void *context, const struct proc_area *area)
{
    struct proc_text *text = context;
    print_area(text, area);
    return text->error == 0;
}

static void print_kib(struct proc_text *text, const char *name, uint64_t kib)
{
    proc_text_print(text, "%-15s %8llu kB\n", name, ull(kib));
}

static bool print_smaps_paragraph(void *context, const struct proc_area *area)
{
    struct proc_text *text = context;
    const struct {
        const char *name;
        uint32_t pages;
    } counts[] = {{"Shared_Clean:", area->shared_clean},   {"Shared_Dirty:", area->shared_dirty},
                  {"Private_Clean:", area->private_clean}, {"Private_Dirty:", area->private_dirty},
                  {"Referenced:", area->referenced},       {"Anonymous:", area->anonymous}};
    print_area(text, area);
    print_kib(text, "Size:", (area->end - area->start) / 1024);
    print_kib(text, "KernelPageSize:", KIB_PER_PAGE);
    print_kib(text, "MMUPageSize:", KIB_PER_PAGE);
    print_kib(text, "Rss:", (uint64_t)area->resident * KIB_PER_PAGE);
    print_kib(text, "Pss:", area->proportional_bytes / 1024);
    for (unsigned i = 0; i < ARRAY_COUNT(counts); i++)
        print_kib(text, counts[i].name, (uint64_t)counts[i].pages * KIB_PER_PAGE);
    print_kib(text, "Swap:", 0);
    print_kib(text, "Locked:", (uint64_t)area->locked * KIB_PER_PAGE);
    proc_text_print(text, "VmFlags:%s%s%s%s%s%s\n", area->is_readable ? " rd" : "",
                    area->is_writable ? " wr" : "", area->is_executable ? " ex" : "",
                    area->is_shared ? " sh" : "", area->grows_down ? " gd" : "",
                    area->is_locked ? " lo" : "");
    return text->error == 0;
}

static int print_areas(struct proc_text *text, uint32_t id, proc_area_visitor print)
{
    struct proc_facts facts;
    int error = read_facts(id, &facts);
    if (error == 0)
        proc_source()->areas(id, 0, print, text);
    return error;
}

static int print_maps(struct proc_text *text, uint32_t id)
{
    return print_areas(text, id, print_maps_line);
}

static int print_smaps(struct proc_text *text, uint32_t id)
{
    return print_areas(text, id, print_smaps_paragraph);
}

/* ---- limits ---- */

static const struct {
    const char *name, *unit;
} limits[PROC_LIMIT_COUNT] = {
    {"Max cpu time", "seconds"},     {"Max file size", "bytes"},
    {"Max data size", "bytes"},      {"Max stack size", "bytes"},
    {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
    {"Max processes", "processes"},  {"Max open files", "files"},
    {"Max locked memory", "bytes"},  {"Max address space", "bytes"},
    {"Max file locks", "locks"},     {"Max pending signals", "signals"},
    {"Max msgqueue size", "bytes"},  {"Max nice priority", ""},
    {"Max realtime priority", ""},   {"Max realtime timeout", "us"},
};

static void print_limit(struct proc_text *text, uint32_t limit)
{
    if (limit == PROC_UNLIMITED)
        proc_text_print(text, "%-20s ", "unlimited");
    else
        proc_text_print(text, "%-20u ", limit);
}

static int print_limits(struct proc_text *text, uint32_t id)
{
    struct proc_facts facts;
    uint32_t soft, hard;
    int error = read_facts(id, &facts);
    if (error != 0)
        return error;
    proc_text_print(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit",
                    "Units");
    for (unsigned i = 0; i < PROC_LIMIT_COUNT; i++) {
        if (!proc_source()->limit(id, i, &soft, &hard))
            continue;
        proc_text_print(text, "%-25s ", limits[i].name);
        print_limit(text, soft);
        print_limit(text, hard);
        proc_text_print(text, "%-10s\n", limits[i].unit);
    }
    return 0;
}

const struct proc_node proc_process_nodes[] = {
    {"cmdline", S_IFREG | 0444, print_cmdline, NULL},
    {"comm", S_IFREG | 0444, print_comm, NULL},
    {"environ", S_IFREG | 0400, print_environ, NULL},
    {"limits", S_IFREG | 0444, print_limits, NULL},
    {"maps", S_IFREG | 0444, print_maps, NULL},
    {"smaps", S_IFREG | 0444, print_smaps, NULL},
    {"stat", S_IFREG | 0444, print_stat, NULL},
    {"statm", S_IFREG | 0444, print_statm, NULL},
    {"status", S_IFREG | 0444, print_status, NULL},
    {NULL, 0, NULL, NULL},
};
