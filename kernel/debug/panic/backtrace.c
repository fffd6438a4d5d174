#include "kernel/debug/panic/backtrace.h"

#include "kernel/cpu/cpu.h"
#include "kernel/debug/symbols/symbols.h"
#include "kernel/include/log.h"

/* kernel.ld.S. The table of symbols lies before this part, so it cannot name what is in it. */
extern const char image_boot_start[], image_boot_end[];

static const char *nameless(uint32_t address)
{
    bool is_boot = address >= (uint32_t)image_boot_start && address < (uint32_t)image_boot_end;
    return is_boot ? " (start-up code)" : "";
}

void backtrace_log(uint32_t eip, uint32_t ebp)
{
    char place[80];
    log_line("backtrace:");
    log_line("  #0  0x%08x %s", eip, symbols_describe(eip, place, sizeof(place)));
    for (unsigned number = 1; number < BACKTRACE_FRAMES_MAX; number++) {
        uint32_t caller, next;
        if (ebp == 0 || ebp % sizeof(uint32_t) != 0 || !cpu_try_read((const void *)ebp, &next) ||
            !cpu_try_read((const void *)(ebp + sizeof(uint32_t)), &caller) || caller == 0)
            return;
        log_line("  #%-2u %pS%s", number, (void *)caller, nameless(caller));
        if (next <= ebp) /* callers' frames lie above; anything else is an end, or a loop */
            return;
        ebp = next;
    }
    log_line("  ... (cut after %u)", BACKTRACE_FRAMES_MAX);
}
