#include "kernel/debug/monitor/monitor.h"
#include "kernel/debug/monitor/parse.h"
#include "kernel/failure/failure.h"
#include "kernel/include/bootinfo.h"
#include "kernel/lib/commandline.h"
#include "kernel/lib/string.h"
#include "kernel/memory/bytemap/bytemap.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/paging/paging.h"
#include "kernel/memory/system.h"
#include "kernel/thread/clock.h"
#include "kernel/thread/wait.h"

/* `fail N COMMAND` and `fail all COMMAND`: between the monitor and its commands. */

void __real_command_execute(char *line);
void __wrap_command_execute(char *line);

#define SETTLE_TRIES 200u
#define SETTLE_NS    10000000u

/* What must be as before. Page tables that a command made necessary stay. */
struct books {
    uint32_t frames; /* free, or a page table */
    uint32_t objects;
    size_t bytes;
};

static struct books read_books(void)
{
    struct heap_statistics heap;
    heap_trim();
    heap_read_statistics(&heap);
    return (struct books){bytemap_count_state(BYTEMAP_FREE) + bytemap_count_state(BYTEMAP_ZEROED) +
                              paging_table_frames(),
                          heap.objects, heap.live_bytes};
}

static void say(const char *sentence)
{
    monitor_print("fail: %s\n", sentence);
}

static bool is_balanced(const struct books *before, const struct books *after)
{
    return after->frames == before->frames && after->objects == before->objects &&
           after->bytes == before->bytes;
}

/* What a program leaves behind may still be ending. */
static struct books read_settled_books(const struct books *before)
{
    struct books books = read_books();
    for (unsigned tries = 0; tries < SETTLE_TRIES && !is_balanced(before, &books); tries++) {
        (void)!wait_until(clock_monotonic_ns() + SETTLE_NS, 0);
        books = read_books();
    }
    return books;
}

/* Prints one line; true if everything is as it should be. */
static bool judge(uint32_t n, const struct failure_report *report, const struct books *before)
{
    struct books after = read_settled_books(before);
    uint32_t faults = memory_check(say);
    bool balances = is_balanced(before, &after);
    if (report->function != NULL)
        monitor_print("fail: %u: %s by %pS, ", n, report->function, (void *)report->caller);
    else
        monitor_print("fail: %u: nothing (%u allocations), ", n, report->allocations);
    if (balances)
        monitor_print("the books balance, ");
    else
        monitor_print("FAILED: frames %u, were %u; objects %u, were %u; bytes %zu, were %zu, ",
                      after.frames, before->frames, after.objects, before->objects, after.bytes,
                      before->bytes);
    monitor_print("%s%u faults\n", faults != 0 ? "FAILED: " : "", faults);
    return balances && faults == 0;
}

/* Runs the command once; whether it was judged well. */
static bool try(const char *command, uint32_t n, enum failure_extent extent,
                struct failure_report *report)
{
    static char line[BOOTINFO_COMMAND_LINE_SIZE];
    struct books before = read_books();
    memcpy(line, command, strlen(command) + 1);
    failure_arm(n, extent);
    __real_command_execute(line);
    *report = failure_disarm();
    return judge(n, report, &before);
}

static void try_all(const char *command, enum failure_extent extent)
{
    struct failure_report report;
    uint32_t n = 1, bad = 0;
    for (;; n++) {
        bad += !try(command, n, extent, &report);
        if (report.failed == 0)
            break;
    }
    monitor_print("fail: \"%s\": %u allocations, each failed once, %u times wrongly\n", command,
                  n - 1, bad);
}

/* The word that begins at text ends here. */
static const char *word_end(const char *text)
{
    while (*text != '\0' && !commandline_is_blank(*text))
        text++;
    return text;
}

static const char *skip_blanks(const char *text)
{
    while (commandline_is_blank(*text))
        text++;
    return text;
}

static bool is_word(const char *text, const char *word)
{
    size_t length = (size_t)(word_end(text) - text);
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

bool failure_parse(const char *text, uint32_t *n, enum failure_extent *extent)
{
    char digits[12];
    uint64_t value;
    size_t length = strlen(text);
    const char last = length != 0 ? text[length - 1] : '\0';
    *extent = last == '+' ? FAILURE_ON : last == '*' ? FAILURE_EVERY : FAILURE_ONCE;
    length -= *extent != FAILURE_ONCE;
    if (length == 0 || length >= sizeof(digits))
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (parse_number(digits, &value) != 0 || value > UINT32_MAX)
        return false;
    *n = (uint32_t)value;
    return true;
}

static void usage(void)
{
    monitor_print("usage: fail N|N+|N*|all|all+ COMMAND\n"
                  "runs a command while its n-th allocation fails (+: and all after it; *: every "
                  "n-th); all: each in turn\n");
}

/* `record` prints what was recorded since boot, or since it was last said; `record COMMAND` what a
 * command did. */
static bool record_command(const char *line)
{
    static char command[BOOTINFO_COMMAND_LINE_SIZE];
    const char *text;
    size_t length;
    if (!is_word(line, "record"))
        return false;
    line = skip_blanks(word_end(line));
    if (*line != '\0') {
        memcpy(command, line, strlen(line) + 1);
        failure_record_begin();
        __real_command_execute(command);
    }
    text = failure_record_end(&length);
    monitor_print("# record: %zu bytes\n", length);
    monitor_write(text, length);
    monitor_print("# end\n");
    return true;
}

bool failure_command(const char *line)
{
    struct failure_report report;
    enum failure_extent extent;
    uint32_t n;
    char word[16] = "";
    const char *which, *command;
    line = skip_blanks(line);
    if (!is_word(line, "fail"))
        return record_command(line);
    which = skip_blanks(word_end(line));
    command = skip_blanks(word_end(which));
    if (word_end(which) - which < (ptrdiff_t)sizeof(word))
        memcpy(word, which, (size_t)(word_end(which) - which));
    if (*command == '\0')
        usage();
    else if (is_word(which, "all") || is_word(which, "all+"))
        try_all(command, is_word(which, "all") ? FAILURE_ONCE : FAILURE_ON);
    else if (failure_parse(word, &n, &extent))
        try(command, n, extent, &report);
    else
        usage();
    return true;
}

void __wrap_command_execute(char *line)
{
    if (!failure_command(line))
        __real_command_execute(line);
}
