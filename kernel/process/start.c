#include "kernel/process/start.h"

#include "kernel/device/power/power.h"
#include "kernel/file/console.h"
#include "kernel/file/jobs.h"
#include "kernel/file/path.h"
#include "kernel/file/table.h"
#include "kernel/include/bootinfo.h"
#include "kernel/include/errors.h"
#include "kernel/include/log.h"
#include "kernel/lib/string.h"
#include "kernel/lib/words.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/process/exec.h"

#define WORDS_MAX           64u
#define STATUS_CANNOT_START 127 /* as a shell has it */

static const char *const environment[] = {"HOME=/root", "PATH=/bin:/sbin:/usr/bin:/usr/sbin",
                                          "TERM=linux", "SHELL=/bin/sh", "USER=root"};

/* A shell that is the first program is a login's: it reads /etc/profile and ~/.profile. */
static const struct {
    const char *path, *line;
} defaults[] = {{"/sbin/init", "/sbin/init"}, {"/bin/sh", "/bin/sh -l"}};

static char line[BOOTINFO_COMMAND_LINE_SIZE];
static enum process_start_end end;

static int add_words(struct arguments *arguments, unsigned count, char *const *words)
{
    int error = 0;
    for (unsigned i = 0; i < count && error == 0; i++)
        error = arguments_add(arguments, words[i]);
    for (unsigned i = 0; i < ARRAY_COUNT(environment) && error == 0; i++)
        error = environment_add(arguments, environment[i]);
    return error;
}

/* Standard input, output and error: one open console. */
static int open_console(struct process *process)
{
    struct file *console;
    int error = path_open(process->paths, NULL, "/dev/console", O_RDWR, 0, &console);
    if (error < 0)
        return error;
    for (int i = 0; i < 3 && error >= 0; i++) {
        error = file_table_add(process->files, file_hold(console), 0, 0);
        if (error < 0)
            file_drop(console);
    }
    file_drop(console);
    return error < 0 ? error : 0;
}

static int start(struct process *process, unsigned count, char *const *words)
{
    struct arguments *arguments = arguments_create();
    int error = arguments != NULL ? add_words(arguments, count, words) : -ENOMEM;
    if (error == 0)
        error = open_console(process);
    tty_begin_session(process->session, process->group);
    if (error == 0)
        error = process_exec_first(process, words[0], arguments);
    arguments_destroy(arguments);
    return error;
}

/* As a shell has it: the exit status, or 128 and the signal. */
static uint8_t shell_status(int32_t status)
{
    return (uint8_t)(status & 0x7F ? 128 + (status & 0x7F) : status >> 8);
}

int32_t process_run(unsigned count, char *const *words)
{
    struct process *process = process_create_first();
    if (process == NULL)
        return -ENOMEM;
    int error = start(process, count, words);
    if (error != 0) {
        process_discard_first(process);
        return error;
    }
    return process_wait_first(process);
}

static int32_t run_line(void)
{
    static char copy[sizeof(line)];
    char *words[WORDS_MAX];
    memcpy(copy, line, sizeof(line));
    unsigned count = words_split(copy, words, WORDS_MAX);
    if (count == 0 || count > WORDS_MAX)
        return count == 0 ? -ENOENT : -E2BIG;
    return process_run(count, words);
}

static void run(void *unused)
{
    (void)unused;
    int32_t status = run_line();
    if (status < 0)
        log_line("the first program could not start: %s", error_text(status));
    else if (status & 0x7F)
        log_line("the first program was ended by signal %d", status & 0x7F);
    else
        log_line("the first program ended with status %d", status >> 8);
    if (end == PROCESS_START_LEAVES_MONITOR)
        log_line("`program %s` starts it anew", line);
    if (end == PROCESS_START_POWERS_OFF)
        power_exit_status(status < 0 ? STATUS_CANNOT_START : shell_status(status));
    console_call_monitor(); /* behind these lines, or its prompt stands among them */
}

int process_start(const char *given, enum process_start_end what)
{
    size_t length = strnlen(given, sizeof(line) - 1);
    memcpy(line, given, length);
    line[length] = '\0';
    end = what;
    struct thread *thread = thread_create("start", run, NULL);
    if (thread == NULL)
        return -ENOMEM;
    if (what == PROCESS_START_LEAVES_MONITOR)
        log_line("%s has the console; " CONSOLE_KEY_NAME " brings the monitor", line);
    console_set_user(CONSOLE_PROGRAMS);
    thread_start(thread);
    return 0;
}

const char *process_start_default(void)
{
    struct path_context *paths = path_context_create();
    const char *found = NULL;
    for (unsigned i = 0; i < ARRAY_COUNT(defaults) && found == NULL && paths != NULL; i++) {
        struct file *file;
        if (path_open_program(paths, defaults[i].path, &file) != 0)
            continue;
        file_drop(file);
        found = defaults[i].line;
    }
    path_context_drop(paths);
    return found;
}
