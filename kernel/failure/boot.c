#include "kernel/failure/failure.h"
#include "kernel/include/bootinfo.h"
#include "kernel/include/log.h"
#include "kernel/lib/commandline.h"
#include "kernel/lib/string.h"

/* The boot, from the first allocation to the prompt: between start and kernel_main, between
 * kernel_run and the monitor. */

_Noreturn void __real_kernel_main(const struct bootinfo *given);
_Noreturn void __wrap_kernel_main(const struct bootinfo *given);
_Noreturn void __real_monitor_run(const char *command_line);
_Noreturn void __wrap_monitor_run(const char *command_line);

/* One word, up to a blank. */
static void copy_word(char *copy, size_t size, const char *word)
{
    size_t length = 0;
    while (length + 1 < size && word[length] != '\0' && !commandline_is_blank(word[length]))
        length++;
    memcpy(copy, word, length);
    copy[length] = '\0';
}

_Noreturn void __wrap_kernel_main(const struct bootinfo *given)
{
    const char *value = commandline_value(given->command_line, "fail=");
    enum failure_extent extent = FAILURE_ONCE;
    uint32_t n = 0;
    char word[16];
    if (value != NULL) {
        copy_word(word, sizeof(word), value);
        if (!failure_parse(word, &n, &extent))
            n = 0;
    }
    failure_arm(n, extent);
    failure_record_begin();
    __real_kernel_main(given);
}

_Noreturn void __wrap_monitor_run(const char *command_line)
{
    struct failure_report report = failure_disarm();
    log_line("failure: boot asked for memory %u times, %u failed", report.allocations,
             report.failed);
    if (report.function != NULL)
        log_line("failure: the first was %s, called from %pS", report.function,
                 (void *)report.caller);
    __real_monitor_run(command_line);
}
