#ifndef KERNEL_LIB_FORMAT_H
#define KERNEL_LIB_FORMAT_H

#include <stdarg.h>

#include "kernel/include/types.h"

/*
 * Formatted print into a buffer: %d %i %u %x %X %c %s %p %%, with flags '-' '0' ' ' '+' '#', width,
 * precision (also '*'), and lengths h hh l ll z j t. No floating point. Always ends the buffer with
 * a zero when size > 0. Returns the length that the whole text has (so result >= size means it was
 * cut). May be called anywhere. An unknown conversion is copied as it stands.
 *
 * %pS is a return address with the name of who called, "0x00194d17 kmalloc+0x17", as far as
 * somebody knows names; compilers take it for %p and an S.
 */
int format_text(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
int format_text_arguments(char *buffer, size_t size, const char *format, va_list arguments)
    PRINTF_LIKE(3, 0);

/* Who knows the names of functions: writes "name+0x17" for a return address, or leaves `name`,
 * which is empty, as it is. NULL until the kernel sets it. */
#define FORMAT_NAME_SIZE 64
extern void (*format_name_caller)(uintptr_t address, char *name, size_t size);

#endif
