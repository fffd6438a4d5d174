#include "kernel/include/log.h"

#include <stdarg.h>

#include "kernel/cpu/timer.h"
#include "kernel/include/errors.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/memory/platform.h"

/*
 * Positions count the bytes that were ever logged, modulo 2^32; a byte lies at its position modulo
 * the ring's size. The ring holds positions [head - stored, head). Invariant: stored <=
 * LOG_RING_SIZE. Each sink has a position of its own, so a new one starts with the oldest line and
 * needs no other replay.
 */
static char ring[LOG_RING_SIZE];
static uint32_t head;
static uint32_t stored;

static struct sink {
    void (*write)(const char *text, size_t length);
    uint32_t position;
} sinks[LOG_SINKS_MAX];
static unsigned sink_count;

static volatile bool is_feeding;

#define CHUNK_SIZE 128u

_Static_assert((LOG_RING_SIZE & (LOG_RING_SIZE - 1)) == 0, "positions wrap with the ring");

static char at(uint32_t position)
{
    return ring[position % LOG_RING_SIZE];
}

/* Between a place in the ring and a piece of memory that is no longer than the ring: interrupts are
 * off, so it goes in two pieces at most instead of byte by byte. */
static void copy_in(uint32_t position, const char *text, size_t length)
{
    size_t at = position % LOG_RING_SIZE;
    size_t first = length < LOG_RING_SIZE - at ? length : LOG_RING_SIZE - at;
    memcpy(ring + at, text, first);
    memcpy(ring, text + first, length - first);
}

static void copy_out(char *text, uint32_t position, size_t length)
{
    size_t at = position % LOG_RING_SIZE;
    size_t first = length < LOG_RING_SIZE - at ? length : LOG_RING_SIZE - at;
    memcpy(text, ring + at, first);
    memcpy(text + first, ring, length - first);
}

/* Room is claimed before it is filled, so that a non-maskable interrupt's line comes behind. */
static void append(const char *text, size_t length)
{
    unsigned long saved = platform_interrupts_save();
    uint32_t position = head;
    head += length;
    stored = stored + length < LOG_RING_SIZE ? stored + length : LOG_RING_SIZE;
    copy_in(position, text, length);
    platform_interrupts_restore(saved);
}

/* The start of the oldest whole line: once the ring has gone round, its first line is cut. */
static uint32_t oldest(void)
{
    uint32_t position = head - stored;
    if (stored < LOG_RING_SIZE)
        return position;
    while (position != head && at(position) != '\n')
        position++;
    return position == head ? position : position + 1;
}

/* The next bytes from *position on, which moves behind them. 0: there are none. */
static size_t take(uint32_t *position, char *chunk, size_t size)
{
    unsigned long saved = platform_interrupts_save();
    if (head - *position > stored)
        *position = oldest();
    size_t length = head - *position < size ? head - *position : size;
    copy_out(chunk, *position, length);
    *position += length;
    platform_interrupts_restore(saved);
    return length;
}

static bool become_feeder(void)
{
    unsigned long saved = platform_interrupts_save();
    bool won = !is_feeding;
    is_feeding = true;
    platform_interrupts_restore(saved);
    return won;
}

static bool is_anything_left(void)
{
    for (unsigned i = 0; i < sink_count; i++)
        if (sinks[i].position != head)
            return true;
    return false;
}

/* Asks again after it has stepped down: an interrupt just before that left its line to us. */
static void feed(void)
{
    char chunk[CHUNK_SIZE];
    size_t length;
    while (is_anything_left() && become_feeder()) {
        for (unsigned i = 0; i < sink_count; i++)
            while ((length = take(&sinks[i].position, chunk, sizeof(chunk))) > 0)
                sinks[i].write(chunk, length);
        is_feeding = false;
    }
}

void log_text(const char *text, size_t length)
{
    append(text, length < LOG_LINE_SIZE ? length : LOG_LINE_SIZE);
    feed();
}

void log_line(const char *format, ...)
{
    char line[LOG_LINE_SIZE];
    va_list arguments;
    uint64_t ticks = timer_ticks();
    int length = format_text(line, sizeof(line), "[%5u.%03u] ", (unsigned)(ticks / TIMER_HZ),
                             (unsigned)(ticks % TIMER_HZ * 1000 / TIMER_HZ));
    va_start(arguments, format);
    length +=
        format_text_arguments(line + length, sizeof(line) - (size_t)length, format, arguments);
    va_end(arguments);
    if ((size_t)length > sizeof(line) - 1)
        length = sizeof(line) - 1;
    line[length] = '\n';
    log_text(line, (size_t)length + 1);
}

int log_add_sink(void (*write)(const char *text, size_t length))
{
    unsigned long saved = platform_interrupts_save();
    bool has_room = sink_count < LOG_SINKS_MAX;
    if (has_room) {
        sinks[sink_count] = (struct sink){write, oldest()};
        sink_count++;
    }
    platform_interrupts_restore(saved);
    feed();
    return has_room ? 0 : -ENOSPC;
}

/* The line at *position, without its newline; false behind the last one. */
static bool take_line(uint32_t *position, char *line, size_t *length)
{
    unsigned long saved = platform_interrupts_save();
    if (head - *position > stored)
        *position = oldest();
    bool is_there = *position != head;
    *length = 0;
    while (*position != head && *length < LOG_LINE_SIZE) {
        char character = at((*position)++);
        if (character == '\n')
            break;
        line[(*length)++] = character;
    }
    platform_interrupts_restore(saved);
    return is_there;
}

uint32_t log_position(void)
{
    return head;
}

void log_visit(log_visitor visit, void *context)
{
    log_visit_since(oldest(), visit, context);
}

void log_visit_since(uint32_t position, log_visitor visit, void *context)
{
    char line[LOG_LINE_SIZE];
    size_t length;
    uint32_t end = head;
    while ((int32_t)(end - position) > 0 && take_line(&position, line, &length))
        if (!visit(context, line, length))
            return;
}

void log_take_over(void)
{
    is_feeding = false;
}
