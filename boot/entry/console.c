#include "boot/entry/console.h"

#include <stdarg.h>

#include "boot/entry/bios.h"
#include "kernel/device/power/power.h"

#define LINE_STATUS      (COM1 + 5)
#define TRANSMITTER_WAIT 0x10000 /* polls, then it goes on regardless */

static void port_write(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t port_read(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void line_wait(uint8_t status)
{
    for (uint32_t i = 0; i < TRANSMITTER_WAIT && !(port_read(LINE_STATUS) & status); i++)
        ;
}

static void put(char character)
{
    line_wait(COM1_FREE);
    port_write(COM1, (uint8_t)character);
    struct bios_registers registers = {.eax = 0x0E00u | (uint8_t)character, .ebx = 7};
    bios_call(0x10, &registers);
}

static void put_text(const char *text)
{
    while (*text)
        put(*text++);
}

static void put_number(uint32_t number, uint32_t base)
{
    char digits[11];
    char *first = digits + sizeof(digits) - 1;
    *first = 0;
    do {
        *--first = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    put_text(first);
}

static void put_line(const char *format, va_list arguments)
{
    put_text("32RTOS: ");
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            put_text(va_arg(arguments, const char *));
            break;
        case 'x':
            put_text("0x");
            put_number(va_arg(arguments, uint32_t), 16);
            break;
        default:
            put_number(va_arg(arguments, uint32_t), 10);
        }
    }
    put_text("\r\n");
}

void console_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put_line(format, arguments);
    va_end(arguments);
}

void console_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put_line(format, arguments);
    va_end(arguments);
    line_wait(COM1_SENT);
    port_write(POWER_EXIT_PORT, POWER_EXIT_REFUSED);
    for (;;)
        __asm__ volatile("cli; hlt");
}
