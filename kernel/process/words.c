#include "kernel/process/words.h"

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\n';
}

/* Copies one word to `to`, without what quotes it, and closes it; where the line goes on. */
static char *take_word(char *from, char *to)
{
    char quote = '\0';
    for (; *from != '\0' && (quote != '\0' || !is_blank(*from)); from++) {
        if (*from == quote)
            quote = '\0';
        else if (quote == '\0' && (*from == '\'' || *from == '"'))
            quote = *from;
        else if (*from == '\\' && quote != '\'' && from[1] != '\0')
            *to++ = *++from;
        else
            *to++ = *from;
    }
    char *next = *from != '\0' ? from + 1 : from;
    *to = '\0';
    return next;
}

unsigned words_split(char *line, char **words, unsigned limit)
{
    unsigned count = 0;
    for (;;) {
        while (is_blank(*line))
            line++;
        if (*line == '\0')
            return count;
        if (count < limit)
            words[count] = line;
        count++;
        line = take_word(line, line);
    }
}
