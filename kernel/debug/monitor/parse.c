#include "kernel/debug/monitor/parse.h"

#include "kernel/include/errors.h"
#include "kernel/lib/commandline.h"
#include "kernel/lib/string.h"
#include "kernel/lib/words.h"

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

const char *parse_run_part(const char *command_line)
{
    return commandline_value(command_line, COMMANDLINE_RUN);
}

const char *parse_next_command(const char *list, char *command, size_t size)
{
    size_t length = 0;
    char open = '\0';
    while (commandline_is_blank(*list) || is_separator(*list))
        list++;
    if (*list == '\0')
        return NULL;
    for (; *list != '\0'; list++) {
        const char *character = list;
        if (words_kind(&list, &open) == WORDS_PLAIN && is_separator(*list))
            break;
        for (; character <= list; character++)
            if (length + 1 < size)
                command[length++] = *character;
    }
    while (commandline_is_blank(command[length - 1]))
        length--;
    command[length] = '\0';
    return list;
}
