#include "kernel/debug/monitor/monitor.h"

#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/editor.h"
#include "kernel/debug/monitor/parse.h"
#include "kernel/device/screen/screen.h"
#include "kernel/device/serial/serial.h"
#include "kernel/file/console.h"
#include "kernel/include/bootinfo.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

#define PROMPT "32rtos> "

static struct editor editor;
static char run_list[BOOTINFO_COMMAND_LINE_SIZE];
static char command[BOOTINFO_COMMAND_LINE_SIZE];

_Static_assert(sizeof(editor.line) <= sizeof(command), "a typed line fits as one command");

void monitor_write(const char *text, size_t length)
{
    serial_write(text, length);
    screen_write(text, length);
}

void monitor_print(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = format_text_arguments(text, sizeof(text), format, arguments);
    va_end(arguments);
    monitor_write(text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

/* What the command line passes, shown as if it had been typed. The list is copied: it may lie in
 * memory that a command gives away. */
static void run_commands(const char *list)
{
    size_t length = strnlen(list, sizeof(run_list) - 1);
    memcpy(run_list, list, length);
    run_list[length] = '\0';
    list = run_list;
    while ((list = parse_next_command(list, command, sizeof(command))) != NULL) {
        monitor_write(PROMPT, strlen(PROMPT));
        monitor_write(command, strlen(command));
        monitor_write("\n", 1);
        command_execute(command);
    }
}

static void read_command(void)
{
    editor_begin(&editor);
    while (editor_feed(&editor, console_monitor_read()) == EDITOR_MORE)
        ;
    for (const char *list = editor.line;
         (list = parse_next_command(list, command, sizeof(command))) != NULL;)
        command_execute(command);
}

_Noreturn void monitor_run(const char *command_line)
{
    const char *list = parse_run_part(command_line);
    if (console_user() == CONSOLE_NOBODY)
        console_set_user(CONSOLE_MONITOR);
    if (list != NULL)
        run_commands(list);
    editor_init(&editor);
    editor.prompt = PROMPT;
    editor.write = monitor_write;
    editor.candidate = command_name;
    if (console_user() != CONSOLE_MONITOR)
        (void)console_monitor_read(); /* the first prompt comes with the console */
    for (;;)
        read_command();
}
