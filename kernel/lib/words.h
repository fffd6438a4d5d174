#ifndef KERNEL_LIB_WORDS_H
#define KERNEL_LIB_WORDS_H

#include "kernel/include/types.h"

/*
 * Words of a line as a shell has them: blanks part them, '...' and "..." hold together, and a
 * backslash outside of '...' takes the next character as it is. An open quote ends with the line.
 * Pure; bounded by the line.
 */

/* Splits a line in place. How many words there are; of more than `limit`, only so many are in
 * `words`. */
unsigned words_split(char *line, char **words, unsigned limit);

/*
 * What the character at `*at` is, which is not the end of the line: one that stands for itself, one
 * that is quoted (and `*at` moved to it, from its backslash), or a quote. `*open` is the quote that
 * is open; '\0' at first.
 */
enum words_kind { WORDS_PLAIN, WORDS_QUOTED, WORDS_QUOTE };
enum words_kind words_kind(const char **at, char *open);

#endif
