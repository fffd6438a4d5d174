#ifndef KERNEL_INCLUDE_LOG_H
#define KERNEL_INCLUDE_LOG_H

#include "kernel/include/types.h"

/*
 * The system's log: lines "[    0.123] text" in a bounded ring, which is also what the sinks
 * (COM1, the screen) are fed from. Every call may be made from interrupt handlers and before
 * anything else is initialised.
 *
 * A line is put into the ring with interrupts off, for a time bounded by LOG_LINE_SIZE. Sinks are
 * fed outside of that, by whoever finds nobody else feeding: a line logged by an interrupt that
 * came while another was being written follows it, and never lands in its middle. A sink that falls
 * behind by more than the ring loses the oldest lines, and only those.
 */
#define LOG_RING_SIZE 16384u /* bytes */
#define LOG_LINE_SIZE 256u   /* bytes, with the time and the newline; longer lines are cut */
#define LOG_SINKS_MAX 4u

/* Appends a line. The text has no newline of its own. */
void log_line(const char *format, ...) PRINTF_LIKE(1, 2);

/* Appends the text as it stands to the ring and the sinks: no time, no newline; at most
 * LOG_LINE_SIZE bytes of it. */
void log_text(const char *text, size_t length);

/* From now on `write` gets everything that is logged, whole lines or parts of them, newlines as
 * '\n', and first what the ring still holds. 0, or -ENOSPC. */
int log_add_sink(void (*write)(const char *text, size_t length)) MUST_CHECK;

/* Visits the lines that the ring holds, oldest first, without their newline, until it returns
 * false. Lines that are logged meanwhile are not visited. */
typedef bool (*log_visitor)(void *context, const char *line, size_t length);
void log_visit(log_visitor visit, void *context);

/* The same from a position on, which counts the bytes ever logged, modulo 2^32; lines that the ring
 * has lost are left out. */
void log_visit_since(uint32_t position, log_visitor visit, void *context);
uint32_t log_position(void);

/* The panic path: whoever was feeding the sinks will not come back. */
void log_take_over(void);

#endif
