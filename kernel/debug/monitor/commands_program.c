#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/file/console.h"
#include "kernel/include/errors.h"
#include "kernel/process/start.h"

bool command_program(unsigned count, char **arguments)
{
    enum console_user before = console_user();
    console_set_user(CONSOLE_PROGRAMS);
    int32_t status = process_run(count, arguments);
    console_set_user(before);
    if (status < 0)
        monitor_print("%s cannot start: %s.\n", arguments[0], error_text(status));
    else if (status & 0x7F)
        monitor_print("%s was ended by signal %d.\n", arguments[0], status & 0x7F);
    else
        monitor_print("%s ended with status %d.\n", arguments[0], status >> 8);
    return true;
}
