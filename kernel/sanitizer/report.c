#include <stdarg.h>

#include "kernel/cpu/trap.h"
#include "kernel/debug/panic/backtrace.h"
#include "kernel/include/log.h"
#include "kernel/include/panic.h"
#include "kernel/lib/format.h"
#include "kernel/memory/heap/debug.h"
#include "kernel/memory/platform.h"
#include "kernel/sanitizer/internal.h"

static bool is_reporting; /* what goes wrong meanwhile is not reported */
static bool is_expecting;
static unsigned expected;
static struct sanitizer_report report;

void sanitizer_expect_begin(void)
{
    expected = 0;
    is_expecting = true;
}

unsigned sanitizer_expect_end(struct sanitizer_report *last)
{
    is_expecting = false;
    *last = report;
    return expected;
}

static void log_place(const char *what, uint32_t address)
{
    if (address != 0)
        log_line("  %s %pS", what, (void *)address);
}

static const char *const kind_names[SANITIZER_KINDS] = {
    [SANITIZER_HEAP_OVERFLOW] = "heap overflow",    [SANITIZER_HEAP_FREED] = "use after free",
    [SANITIZER_HEAP_UNUSED] = "use of unused heap", [SANITIZER_STACK_OVERFLOW] = "stack overflow",
    [SANITIZER_STACK_SCOPE] = "use after scope",    [SANITIZER_GLOBAL_OVERFLOW] = "global overflow",
    [SANITIZER_DOUBLE_FREE] = "double free",        [SANITIZER_UNDEFINED] = "undefined behaviour",
};

/* Of a granule that may be used in part, the next one says what is behind. */
static enum sanitizer_kind kind_at(uint32_t address)
{
    const uint8_t *shadow = shadow_of(address);
    switch (*shadow < SHADOW_GRANULE ? shadow[1] : *shadow) {
    case SHADOW_GLOBAL:
        return SANITIZER_GLOBAL_OVERFLOW;
    case SHADOW_HEAP_FREED:
        return SANITIZER_HEAP_FREED;
    case SHADOW_HEAP_UNUSED:
        return SANITIZER_HEAP_UNUSED;
    case SHADOW_STACK_SCOPE:
        return SANITIZER_STACK_SCOPE;
    case SHADOW_STACK_LEFT:
    case SHADOW_STACK_MID:
    case SHADOW_STACK_RIGHT:
        return SANITIZER_STACK_OVERFLOW;
    default:
        return address >= MAP_HEAP_START && address < MAP_HEAP_END ? SANITIZER_HEAP_OVERFLOW
                                                                   : SANITIZER_GLOBAL_OVERFLOW;
    }
}

static void log_object(uint32_t address)
{
    struct heap_owner owner;
    char place[HEAP_PLACE_SIZE];
    if (!heap_owner_of(address, &owner)) {
        log_line("  no object is there, nor in quarantine");
        return;
    }
    log_line("  %s", heap_owner_place(&owner, address, place, sizeof(place)));
    report.allocated_by = owner.allocated_by;
    report.freed_by = owner.freed_by;
    log_place("allocated by", owner.allocated_by);
    log_place("freed by", owner.freed_by);
}

/* False: a report is being made already. Interrupts stay off until finish. */
static bool begin(enum sanitizer_kind kind, uint32_t address, struct sanitizer_place place,
                  unsigned long *saved)
{
    *saved = platform_interrupts_save();
    if (is_reporting) {
        platform_interrupts_restore(*saved);
        return false;
    }
    is_reporting = true;
    report = (struct sanitizer_report){.kind = kind, .address = address, .instruction = place.eip};
    return true;
}

static void log_report(struct sanitizer_place place)
{
    log_line("sanitizer: %s: %s", kind_names[report.kind], report.what);
    log_place("at", place.eip);
    if (report.address == 0)
        return;
    log_line("  address 0x%08x: row '%s', shadow %02x", report.address,
             memory_row_of(report.address)->name, *shadow_of(report.address));
    if (report.address >= MAP_HEAP_START && report.address < MAP_HEAP_END)
        log_object(report.address);
}

static void finish(struct sanitizer_place place, unsigned long saved)
{
    log_report(place);
    backtrace_log(place.eip, place.ebp);
    if (is_expecting)
        expected++;
    else if (report.kind != SANITIZER_DOUBLE_FREE)
        panic("sanitizer: %s: %s", kind_names[report.kind], report.what);
    is_reporting = false;
    platform_interrupts_restore(saved);
}

void sanitizer_report_access(uint32_t address, uint32_t bytes, enum sanitizer_access access,
                             struct sanitizer_place place)
{
    unsigned long saved;
    uint32_t wrong = shadow_find_wrong(address, bytes);
    if (wrong == 0) /* the shadow changed between the compiler's look and ours: an interrupt */
        wrong = address;
    if (!begin(kind_at(wrong), wrong, place, &saved))
        return;
    format_text(report.what, sizeof(report.what), "%s of %u byte%s at 0x%08x",
                access == SANITIZER_WRITE ? "write" : "read", bytes, bytes == 1 ? "" : "s",
                address);
    finish(place, saved);
}

void sanitizer_report_double_free(uint32_t object, struct sanitizer_place place)
{
    unsigned long saved;
    if (!begin(SANITIZER_DOUBLE_FREE, object, place, &saved))
        return;
    format_text(report.what, sizeof(report.what), "of the object at 0x%08x", object);
    finish(place, saved);
}

void sanitizer_report_undefined(struct sanitizer_place place, const char *format, ...)
{
    unsigned long saved;
    va_list arguments;
    if (!begin(SANITIZER_UNDEFINED, 0, place, &saved))
        return;
    va_start(arguments, format);
    format_text_arguments(report.what, sizeof(report.what), format, arguments);
    va_end(arguments);
    finish(place, saved);
}

/* Most of the map has a shadow, if only one of zeros. Where it has none there is nothing to
 * access, and it is the look at the shadow that faults. */
_Noreturn WRAP(void, panic_trap, const struct trap_frame *frame, uint32_t address)
{
    if (frame->vector == TRAP_PAGE_FAULT && address >= MAP_SANITIZER_START &&
        address < MAP_SANITIZER_END) {
        uint32_t wild = shadow_address(address);
        log_line("sanitizer: wild access: somewhere from 0x%08x to 0x%08x, row '%s'", wild,
                 wild + SHADOW_GRANULE, memory_row_of(wild)->name);
    }
    __real_panic_trap(frame, address);
}
