#ifndef KERNEL_LIB_COMMANDLINE_H
#define KERNEL_LIB_COMMANDLINE_H

#include "kernel/include/types.h"
#include "kernel/lib/string.h"

/*
 * The grammar of the command line, for the loader and the kernel: words with blanks between them; a
 * word that begins with "run=" (commands for the monitor) or "program=" (what runs first, with its
 * arguments) takes everything to the end of the line, and so is the last. Pure.
 */
#define COMMANDLINE_RUN     "run="
#define COMMANDLINE_PROGRAM "program="

static inline bool commandline_is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

/* What stands in the word behind the key, or NULL: it begins otherwise. */
static inline const char *commandline_behind(const char *word, const char *key)
{
    while (*key != '\0')
        if (*word++ != *key++)
            return NULL;
    return word;
}

static inline bool commandline_is_last(const char *word)
{
    return commandline_behind(word, COMMANDLINE_RUN) != NULL ||
           commandline_behind(word, COMMANDLINE_PROGRAM) != NULL;
}

/* The first word, or NULL. */
static inline const char *commandline_first(const char *text)
{
    while (commandline_is_blank(*text))
        text++;
    return *text != '\0' ? text : NULL;
}

/* The word after one of them, or NULL. */
static inline const char *commandline_next(const char *word)
{
    if (commandline_is_last(word))
        return NULL;
    while (*word != '\0' && !commandline_is_blank(*word))
        word++;
    return commandline_first(word);
}

/* What stands behind `name` ("video=") in the last word that begins with it, to the next blank;
 * NULL: there is no such word. */
static inline const char *commandline_value(const char *text, const char *name)
{
    const char *value = NULL;
    for (const char *word = commandline_first(text); word != NULL; word = commandline_next(word))
        if (strncmp(word, name, strlen(name)) == 0)
            value = word + strlen(name);
    return value;
}

#endif
