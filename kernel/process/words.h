#ifndef KERNEL_PROCESS_WORDS_H
#define KERNEL_PROCESS_WORDS_H

#include "kernel/include/types.h"

/*
 * Splits a line in place into words: blanks part them, '...' and "..." hold together, and a
 * backslash outside of '...' takes the next character as it is. How many words there are; of more
 * than `limit`, only so many are in `words`. An open quote ends with the line. Pure.
 */
unsigned words_split(char *line, char **words, unsigned limit);

#endif
