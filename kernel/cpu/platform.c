#include "kernel/memory/platform.h"

#include <stdarg.h>

#include "kernel/include/log.h"
#include "kernel/include/panic.h"
#include "kernel/lib/format.h"

struct platform_features platform_features;

void platform_log(const char *format, ...)
{
    char text[LOG_LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_text_arguments(text, sizeof(text), format, arguments);
    va_end(arguments);
    log_line("%s", text);
}

_Noreturn void platform_panic(const char *file, int line, const char *format, ...)
{
    char text[LOG_LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_text_arguments(text, sizeof(text), format, arguments);
    va_end(arguments);
    panic("%s:%d: %s", file, line, text);
}
