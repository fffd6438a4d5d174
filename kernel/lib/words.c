#include "kernel/lib/words.h"

#include "kernel/lib/commandline.h"

enum words_kind words_kind(const char **at, char *open)
{
    const char character = **at;
    const bool can_open = *open == '\0' && (character == '\'' || character == '"');
    if (can_open || character == *open) {
        *open = can_open ? character : '\0';
        return WORDS_QUOTE;
    }
    if (character == '\\' && *open != '\'' && (*at)[1] != '\0') {
        ++*at;
        return WORDS_QUOTED;
    }
    return *open != '\0' ? WORDS_QUOTED : WORDS_PLAIN;
}

/* Closes the word that begins at `word`, without what quotes it; where the line goes on. */
static char *take_word(char *word)
{
    char open = '\0', *to = word;
    const char *from = word;
    for (; *from != '\0'; from++) {
        enum words_kind kind = words_kind(&from, &open);
        if (kind == WORDS_PLAIN && commandline_is_blank(*from))
            break;
        if (kind != WORDS_QUOTE)
            *to++ = *from;
    }
    char *next = word + (from - word) + (*from != '\0');
    *to = '\0';
    return next;
}

unsigned words_split(char *line, char **words, unsigned limit)
{
    unsigned count = 0;
    for (;;) {
        while (commandline_is_blank(*line))
            line++;
        if (*line == '\0')
            return count;
        if (count < limit)
            words[count] = line;
        count++;
        line = take_word(line);
    }
}
