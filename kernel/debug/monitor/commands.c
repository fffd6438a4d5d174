#include "kernel/debug/monitor/commands.h"

#include "kernel/debug/monitor/monitor.h"
#include "kernel/debug/monitor/parse.h"
#include "kernel/include/errors.h"
#include "kernel/lib/string.h"
#include "kernel/lib/words.h"

#define NAME_WORDS_MAX 2

static bool command_help(unsigned count, char **arguments);

/* A name of two words stands behind the one that is its first word. */
static const struct command commands[] = {
    {"help", "[COMMAND]", "this list, or how a command is used", 0, 2, command_help},
    {"mem", "[map|states|who|check]", "the rows of the map, RAM by state and owner, totals", 0, 0,
     command_mem},
    {"mem map", "", "the firmware's map, and the regions made of it", 0, 0, command_mem_map},
    {"mem states", "[ADDR]", "a picture of all frames, or those around an address", 0, 1,
     command_mem_states},
    {"mem who", "ADDR", "the frame at a physical address: state, owner, mappings", 1, 1,
     command_mem_who},
    {"mem check", "", "verify every frame, table and heap page", 0, 0, command_mem_check},
    {"page", "ADDR", "how a virtual address is translated, entry by entry", 1, 1, command_page},
    {"heap", "[top|guard|cost|mark|leaks]", "the kernel heap in figures", 0, 0, command_heap},
    {"heap top", "", "what the heap's pages are spent on, largest first", 0, 0, command_heap_top},
    {"heap guard", "[N]", "give every n-th object pages of its own; 0: none", 0, 1,
     command_heap_guard},
    {"heap cost", "", "what kmalloc and kfree of 64 bytes take in this kernel", 0, 0,
     command_heap_cost},
    {"heap mark", "", "the moment from which on `heap leaks` looks", 0, 0, command_heap_mark},
    {"heap leaks", "", "what was allocated since then and lives, by who did it", 0, 0,
     command_heap_leaks},
    {"cpu", "", "the processor, what it has and what is on; interrupts", 0, 0, command_cpu},
    {"log", "", "the lines that the log still holds", 0, 0, command_log},
    {"fault", "null|guard|rodata|nx|stack|heap|overrun|underrun|freed|double|leak",
     "do something forbidden, for real", 1, 1, command_fault},
    {"program", "PATH [ARGUMENT...]", "run a program of the archive, and say its status", 1,
     COMMAND_WORDS_MAX - 2, command_program},
    {"bench", "[NAME]", "what calls cost: frame, run, heap, page, interrupt, other", 0, 1,
     command_bench},
    {"selftest", "[NAME]", "run the kernel's own tests, or one of them", 0, 1, command_selftest},
    {"poweroff", "", "switch the machine off", 0, 0, command_poweroff},
    {"reboot", "", "start the machine again", 0, 0, command_reboot},
};

const char *command_name(unsigned index)
{
    return index < ARRAY_COUNT(commands) ? commands[index].name : NULL;
}

static void print_usage(const struct command *command)
{
    monitor_print("usage: %s%s%s\n", command->name, command->usage[0] != '\0' ? " " : "",
                  command->usage);
}

/* How many words of what was typed are the name; 0: it is another's. */
static unsigned match(const struct command *command, unsigned count, char **words)
{
    const char *name = command->name;
    for (unsigned used = 0; used < count && used < NAME_WORDS_MAX; used++) {
        size_t length = strlen(words[used]);
        if (strncmp(name, words[used], length) != 0)
            return 0;
        if (name[length] == '\0')
            return used + 1;
        if (name[length] != ' ')
            return 0;
        name += length + 1;
    }
    return 0;
}

static const struct command *find(unsigned count, char **words, unsigned *used)
{
    const struct command *found = NULL;
    *used = 0;
    for (unsigned i = 0; i < ARRAY_COUNT(commands); i++) {
        unsigned matched = match(&commands[i], count, words);
        if (matched > *used) {
            *used = matched;
            found = &commands[i];
        }
    }
    return found;
}

/* A line of the list; a usage that is too wide for its column is left to `help COMMAND`. */
static void print_help(const struct command *command)
{
    const int width = 21;
    int left = width - (int)strlen(command->name);
    const char *usage = (int)strlen(command->usage) < left ? command->usage : "...";
    monitor_print("%s %-*s%s\n", command->name, left, usage, command->help);
}

static bool command_help(unsigned count, char **arguments)
{
    unsigned used;
    const struct command *command = find(count, arguments, &used);
    if (count != 0 && (command == NULL || used != count)) {
        monitor_print("There is no command \"%s%s%s\".\n", arguments[0], count > 1 ? " " : "",
                      count > 1 ? arguments[1] : "");
        return false;
    }
    if (command != NULL) {
        print_usage(command);
        monitor_print("%s\n", command->help);
        return true;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(commands); i++)
        print_help(&commands[i]);
    monitor_print("Numbers are decimal, or hexadecimal with 0x. Tab completes.\n");
    return true;
}

static bool is_count_right(const struct command *command, unsigned count, char **arguments)
{
    if (count < command->arguments_min) {
        monitor_print("\"%s\" needs an argument.\n", command->name);
        return false;
    }
    if (count > command->arguments_max) {
        monitor_print("\"%s\" does not know what to do with \"%s\".\n", command->name,
                      arguments[command->arguments_max]);
        return false;
    }
    return true;
}

void command_execute(char *line)
{
    char *words[COMMAND_WORDS_MAX];
    unsigned used, count = words_split(line, words, COMMAND_WORDS_MAX);
    if (count == 0)
        return;
    const struct command *command =
        find(count < COMMAND_WORDS_MAX ? count : COMMAND_WORDS_MAX, words, &used);
    if (command == NULL) {
        monitor_print("There is no command \"%s\".\nusage: help\n", words[0]);
        return;
    }
    if (!is_count_right(command, count - used, words + used) ||
        !command->run(count - used, words + used))
        print_usage(command);
}

bool command_number(const char *text, uint64_t limit, uint64_t *value)
{
    int result = parse_number(text, value);
    if (result == -EINVAL)
        monitor_print("\"%s\" is not a number: decimal, or hexadecimal with 0x.\n", text);
    else if (result == -ERANGE || *value >= limit)
        monitor_print("%s is too large: the limit is 0x%llx.\n", text, (unsigned long long)limit);
    return result == 0 && *value < limit;
}
