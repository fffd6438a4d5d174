#include "kernel/include/panic.h"

#include <stdarg.h>

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/registers.h"
#include "kernel/cpu/trap.h"
#include "kernel/debug/monitor/rights.h"
#include "kernel/debug/panic/backtrace.h"
#include "kernel/debug/symbols/symbols.h"
#include "kernel/device/power/power.h"
#include "kernel/device/screen/screen.h"
#include "kernel/include/log.h"
#include "kernel/lib/format.h"
#include "kernel/memory/bytemap/bytemap.h"
#include "kernel/memory/heap/debug.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/paging/paging.h"

/*
 * The report has stages. A fault inside one of them comes back here, is mentioned, and the report
 * goes on with the next: so it ends, whatever is broken.
 */
struct report {
    char what[LOG_LINE_SIZE];
    uint32_t eip, ebp;
    const struct trap_frame *frame; /* NULL: no trap */
    bool has_address;
    uint32_t address;
};

static struct report report;
static bool is_panicking;
static unsigned next_stage;

static void log_frame(frame_t frame)
{
    bytemap_tag_t tag = bytemap_get(frame);
    log_line("  frame 0x%05x: %s, owner %s%s, references %u, locks %u", frame,
             bytemap_state_name(bytemap_tag_state(tag)), bytemap_owner_name(bytemap_tag_owner(tag)),
             bytemap_tag_is_locked(tag) ? ", locked" : "", pageframe_references(frame),
             pageframe_locks(frame));
}

static void log_mapping(uint32_t address)
{
    struct paging_translation page = paging_query(&paging_kernel, address);
    if (page.present) {
        log_line("  page: mapped to 0x%09llx, %s %s, %s, %s", (unsigned long long)page.physical,
                 rights_name(page.flags), page.flags & PAGING_USER ? "user" : "supervisor",
                 rights_cache_name(page.flags, page.physical), page.large ? "2 MiB" : "4 KiB");
        log_frame(frame_of(page.physical));
    } else {
        log_line("  page: not mapped");
        if (address >= MAP_DIRECT_START && address < MAP_DIRECT_END)
            log_frame(frame_of(address - MAP_DIRECT_START));
    }
}

static void stage_headline(void)
{
    char place[80];
    log_line("*** panic: %s", report.what);
    log_line("  at 0x%08x %s", report.eip, symbols_describe(report.eip, place, sizeof(place)));
}

/* Of guarded objects, and of all in a build that keeps who has them. */
static void log_object(uint32_t address)
{
    struct heap_owner owner;
    char place[HEAP_PLACE_SIZE];
    if (!heap_owner_of(address, &owner))
        return;
    log_line("  %s%s", heap_owner_place(&owner, address, place, sizeof(place)),
             owner.freed_by != 0 ? ", which was freed" : "");
    log_line("  allocated by %pS (number %u)", (void *)owner.allocated_by, owner.number);
    if (owner.freed_by != 0)
        log_line("  freed by %pS", (void *)owner.freed_by);
}

static void stage_memory(void)
{
    if (!report.has_address)
        return;
    const struct memory_row *row = memory_row_of(report.address);
    log_line("  address 0x%08x: row '%s', 0x%08x to 0x%08llx", report.address, row->name,
             row->start, (unsigned long long)row->end);
    if (paging_kernel.root != 0)
        log_mapping(report.address);
    else
        log_line("  page: the provisional tables of boot are in use");
    log_object(report.address);
}

/* The double fault's frame is made up, and lies on another stack. */
static uint32_t interrupted_esp(const struct trap_frame *frame)
{
    return frame->vector == TRAP_DOUBLE_FAULT ? frame->user_esp : trap_stack_pointer(frame);
}

static void stage_registers(void)
{
    const struct trap_frame *frame = report.frame;
    if (frame != NULL) {
        log_line("  eax %08x  ebx %08x  ecx %08x  edx %08x", frame->eax, frame->ebx, frame->ecx,
                 frame->edx);
        log_line("  esi %08x  edi %08x  ebp %08x  esp %08x", frame->esi, frame->edi, frame->ebp,
                 interrupted_esp(frame));
        log_line("  eip %08x  eflags %08x  cs %04x  ds %04x  es %04x  fs %04x  gs %04x  error %x",
                 frame->eip, frame->eflags, frame->cs & 0xFFFF, frame->ds & 0xFFFF,
                 frame->es & 0xFFFF, frame->fs & 0xFFFF, frame->gs & 0xFFFF, frame->error);
    }
    log_line("  cr0 %08x  cr2 %08x  cr3 %08x  cr4 %08x", read_cr0(),
             report.has_address ? report.address : read_cr2(), read_cr3(), read_cr4());
}

/* A wild call leaves its return address on the stack, and no frame. */
static void log_wild_call(uint32_t esp)
{
    char place[80];
    uint32_t caller;
    if (symbols_find(report.eip).name == NULL && cpu_try_read((const void *)esp, &caller) &&
        symbols_find(caller).name != NULL)
        log_line("  perhaps called from 0x%08x %s", caller,
                 symbols_describe(caller, place, sizeof(place)));
}

static void stage_backtrace(void)
{
    if (report.frame != NULL)
        log_wild_call(interrupted_esp(report.frame));
    backtrace_log(report.eip, report.ebp);
}

static void stage_end(void)
{
    log_line("*** the system is halted.");
}

static void (*const stages[])(void) = {stage_headline, stage_memory, stage_registers,
                                       stage_backtrace, stage_end};

static _Noreturn void go_on(void)
{
    log_take_over();
    screen_set_alarm(report.what);
    while (next_stage < ARRAY_COUNT(stages))
        stages[next_stage++]();
    power_exit(POWER_PANIC);
}

/* The first caller's report is the one that is given. */
static _Noreturn void begin(const struct report *given)
{
    __asm__ volatile("cli");
    if (is_panicking) {
        if (next_stage < ARRAY_COUNT(stages)) {
            log_take_over();
            log_line("  (while reporting this, at 0x%08x: %s)", given->eip, given->what);
        }
        go_on();
    }
    is_panicking = true;
    report = *given;
    go_on();
}

_Noreturn void panic(const char *format, ...)
{
    struct report given = {.eip = (uint32_t)__builtin_return_address(0)};
    va_list arguments;
    given.ebp = *(const uint32_t *)__builtin_frame_address(0);
    va_start(arguments, format);
    format_text_arguments(given.what, sizeof(given.what), format, arguments);
    va_end(arguments);
    begin(&given);
}

_Noreturn void refuse(const char *format, ...)
{
    char sentence[LOG_LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_text_arguments(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    __asm__ volatile("cli");
    log_take_over();
    screen_set_alarm(sentence);
    log_line("cannot start: %s", sentence);
    power_exit(POWER_REFUSED);
}

static const char *access_words(uint32_t error)
{
    return error & PAGE_FAULT_INSTRUCTION ? "instruction fetch from"
           : error & PAGE_FAULT_WRITE     ? "write to"
                                          : "read from";
}

static const char *reason_words(uint32_t error)
{
    return !(error & PAGE_FAULT_PRESENT)    ? "page not present"
           : error & PAGE_FAULT_RESERVED    ? "reserved bit set in a page-table entry"
           : error & PAGE_FAULT_INSTRUCTION ? "page is not executable"
           : error & PAGE_FAULT_WRITE       ? "page is read-only"
                                            : "page is not accessible";
}

_Noreturn void panic_trap(const struct trap_frame *frame, uint32_t address)
{
    struct report given = {.eip = frame->eip, .ebp = frame->ebp, .frame = frame};
    if (frame->vector == TRAP_PAGE_FAULT) {
        given.has_address = true;
        given.address = address;
        format_text(given.what, sizeof(given.what), "page fault: %s 0x%08x, row '%s', %s",
                    access_words(frame->error), address, memory_row_of(address)->name,
                    reason_words(frame->error));
    } else {
        format_text(given.what, sizeof(given.what), "%s (exception %u), error code 0x%x",
                    trap_name(frame->vector), frame->vector, frame->error);
    }
    begin(&given);
}

/* A push below the stack faults, and so does the push of that fault's own frame. Boot and idle have
 * a row of their own with a guard; each thread's stack ends at an unmapped page. */
static bool is_stack_overflow(const struct trap_frame *frame, uint32_t address)
{
    const struct memory_row *row = memory_row_of(address);
    uint32_t distance = frame->user_esp - address;
    if (row == &memory_rows[MEMORY_ROW_GUARD_BELOW])
        return true;
    return row == &memory_rows[MEMORY_ROW_STACKS] && distance < PAGE_SIZE &&
           paging_kernel.root != 0 && !paging_query(&paging_kernel, address).present;
}

_Noreturn void panic_double_fault(const struct trap_frame *frame, uint32_t address)
{
    struct report given = {.eip = frame->eip,
                           .ebp = frame->ebp,
                           .frame = frame,
                           .has_address = true,
                           .address = address};
    if (is_stack_overflow(frame, address))
        format_text(given.what, sizeof(given.what),
                    "kernel stack overflow: stack pointer 0x%08x, guard hit at 0x%08x, row '%s'",
                    frame->user_esp, address, memory_row_of(address)->name);
    else
        format_text(given.what, sizeof(given.what),
                    "double fault; the last page fault was at 0x%08x, row '%s'", address,
                    memory_row_of(address)->name);
    begin(&given);
}
