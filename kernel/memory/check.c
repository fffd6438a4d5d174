#include "kernel/memory/check.h"

#include "kernel/lib/format.h"

void check_fault(struct check *check, const char *format, ...)
{
    char sentence[256];
    va_list arguments;
    check->faults++;
    if (check->say == NULL)
        return;
    va_start(arguments, format);
    format_text_arguments(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    check->say(sentence);
}
