#include "bench/user/bench.h"

const char *value_of(const char *argument, const char *key)
{
    while (*key != '\0')
        if (*argument++ != *key++)
            return NULL;
    return argument;
}

uint32_t number_in(const char *text)
{
    uint32_t number = 0;
    while (*text >= '0' && *text <= '9')
        number = number * 10 + (uint32_t)(*text++ - '0');
    return number;
}

bool has_part(const char *text, const char *part)
{
    for (; *text != '\0'; text++)
        if (value_of(text, part) != NULL)
            return true;
    return *part == '\0';
}
