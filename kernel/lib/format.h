#ifndef KERNEL_LIB_FORMAT_H
#define KERNEL_LIB_FORMAT_H

#include <stdarg.h>

#include "kernel/include/types.h"

/*
 * Formatted print into a buffer: %d %i %u %x %X %c %s %p %%, with flags '-' '0' ' ' '+' '#', width,
 * precision (also
 * '*'), and lengths h hh l ll z j t. No floating point. Always ends the buffer with a zero when
 * size > 0. Returns the length that the whole text has (so result >= size means it was cut). Pure;
 * may be called anywhere. An unknown conversion is copied as it stands.
 */
int format_text(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
int format_text_arguments(char *buffer, size_t size, const char *format, va_list arguments)
    PRINTF_LIKE(3, 0);

#endif
