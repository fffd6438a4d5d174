#include "kernel/debug/monitor/parse.h"

#include "kernel/include/errors.h"
#include "kernel/lib/commandline.h"
#include "kernel/lib/string.h"

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

static bool is_separator(char character)
{
    return character == ';' || character == '\n' || character == '\r';
}

/* The value of a digit, or 16 for what is none in any base. */
static unsigned digit_of(char character)
{
    if (character >= '0' && character <= '9')
        return (unsigned)(character - '0');
    if (character >= 'a' && character <= 'f')
        return (unsigned)(character - 'a') + 10;
    if (character >= 'A' && character <= 'F')
        return (unsigned)(character - 'A') + 10;
    return 16;
}

int parse_number(const char *text, uint64_t *value)
{
    unsigned base = 10;
    uint64_t number = 0;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (*text == '\0')
        return -EINVAL;
    for (const char *at = text; *at != '\0'; at++)
        if (digit_of(*at) >= base)
            return -EINVAL;
    for (; *text != '\0'; text++) {
        unsigned digit = digit_of(*text);
        if (number > (UINT64_MAX - digit) / base)
            return -ERANGE;
        number = number * base + digit;
    }
    *value = number;
    return 0;
}

unsigned parse_words(char *line, char **words, unsigned limit)
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
        while (*line != '\0' && !is_blank(*line))
            line++;
        if (*line != '\0')
            *line++ = '\0';
    }
}

const char *parse_run_part(const char *command_line)
{
    return commandline_value(command_line, COMMANDLINE_RUN);
}

const char *parse_next_command(const char *list, char *command, size_t size)
{
    size_t length = 0;
    while (is_blank(*list) || is_separator(*list))
        list++;
    if (*list == '\0')
        return NULL;
    for (; *list != '\0' && !is_separator(*list); list++)
        if (length + 1 < size)
            command[length++] = *list;
    while (is_blank(command[length - 1]))
        length--;
    command[length] = '\0';
    return list;
}
