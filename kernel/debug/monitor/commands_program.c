#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/file/console.h"
#include "kernel/include/bootinfo.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/process/start.h"

/* The words again as a line, which the start of programs splits by its own rules (quotes). */
static void join(unsigned count, char **words, char line[BOOTINFO_COMMAND_LINE_SIZE])
{
    size_t length = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t bytes = strlen(words[i]);
        memcpy(line + length, words[i], bytes);
        length += bytes;
        line[length++] = ' ';
    }
    line[length] = '\0';
}

/* What was typed was no longer. */
bool command_program(unsigned count, char **arguments)
{
    static char line[BOOTINFO_COMMAND_LINE_SIZE + 1];
    join(count, arguments, line);
    enum console_user before = console_user();
    console_set_user(CONSOLE_PROGRAMS);
    int32_t status = process_run(line);
    console_set_user(before);
    if (status < 0)
        monitor_print("%s cannot start: %s.\n", arguments[0], error_text(status));
    else if (status & 0x7F)
        monitor_print("%s was ended by signal %d.\n", arguments[0], status & 0x7F);
    else
        monitor_print("%s ended with status %d.\n", arguments[0], status >> 8);
    return true;
}
