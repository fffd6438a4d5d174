#ifndef KERNEL_DEBUG_MONITOR_COMMANDS_H
#define KERNEL_DEBUG_MONITOR_COMMANDS_H

#include "kernel/include/types.h"

/* Of a line so many words are looked at, the first one that is too many among them. */
#define COMMAND_WORDS_MAX 64

/*
 * A command. Its name is one word or two ("mem map"); what is typed belongs to the longest name
 * that it begins with. `run` gets the words after the name, of which there are at least
 * arguments_min and at most arguments_max; it returns false after a sentence about an argument that
 * makes no sense, and the usage is shown behind it.
 */
struct command {
    const char *name;
    const char *usage; /* of the arguments; "" without any */
    const char *help;  /* one line */
    unsigned arguments_min, arguments_max;
    bool (*run)(unsigned count, char **arguments);
};

/* Executes one line, which it cuts into words. */
void command_execute(char *line);

/* The names of the commands, NULL behind the last: for completion. */
const char *command_name(unsigned index);

/* A number that must be below `limit`; false after a sentence. */
bool command_number(const char *text, uint64_t limit, uint64_t *value);

/* Mistakes with objects of the heap, made for real (commands_mistakes.c). */
void mistake_overrun(void);
void mistake_underrun(void);
void mistake_freed(void);
void mistake_double(void);
void mistake_leak(void);

bool command_mem(unsigned count, char **arguments);
bool command_mem_map(unsigned count, char **arguments);
bool command_mem_states(unsigned count, char **arguments);
bool command_mem_who(unsigned count, char **arguments);
bool command_mem_check(unsigned count, char **arguments);
bool command_page(unsigned count, char **arguments);
bool command_heap(unsigned count, char **arguments);
bool command_heap_top(unsigned count, char **arguments);
bool command_heap_guard(unsigned count, char **arguments);
bool command_heap_cost(unsigned count, char **arguments);
bool command_heap_mark(unsigned count, char **arguments);
bool command_heap_leaks(unsigned count, char **arguments);
bool command_program(unsigned count, char **arguments);
bool command_cpu(unsigned count, char **arguments);
bool command_log(unsigned count, char **arguments);
bool command_fault(unsigned count, char **arguments);
bool command_bench(unsigned count, char **arguments);
bool command_selftest(unsigned count, char **arguments);
bool command_poweroff(unsigned count, char **arguments);
bool command_reboot(unsigned count, char **arguments);

#endif
