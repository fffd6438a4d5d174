#include "bench/user/bench.h"

#define BUFFER_BYTES 16384

static char buffer[BUFFER_BYTES];
static uint32_t used;

void print_flush(void)
{
    for (uint32_t at = 0; at < used;) {
        uint32_t written = call3(SYS_write, 1, word(buffer + at), used - at);
        if (is_error(written) || written == 0)
            break;
        at += written;
    }
    used = 0;
}

static void print_letter(char letter)
{
    if (used == BUFFER_BYTES)
        print_flush();
    buffer[used++] = letter;
}

void print_text(const char *text)
{
    while (*text != '\0')
        print_letter(*text++);
}

void print_number(uint64_t number)
{
    char digits[24];
    unsigned count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count > 0)
        print_letter(digits[--count]);
}

void print_tenths(uint64_t tenths)
{
    print_number(tenths / 10);
    if (tenths % 10 != 0) {
        print_letter('.');
        print_number(tenths % 10);
    }
}

void print_line_end(void)
{
    print_letter('\n');
    if (settings.at_once)
        print_flush();
}

void print_result(const char *name, uint64_t number, const char *unit)
{
    print_text(name);
    print_text(" ");
    print_number(number);
    print_text(" ");
    print_text(unit);
    print_line_end();
}
