#ifndef KERNEL_DEVICE_SERIAL_SERIAL_H
#define KERNEL_DEVICE_SERIAL_SERIAL_H

#include "kernel/include/types.h"

/*
 * The first serial port (COM1: a 16550 at port 0x3F8, IRQ 4), 115200 baud, 8 data bits, no parity,
 * 1 stop bit. Waits are bounded: a machine without the port loses the output and nothing else; a
 * port that is busy for longer loses what is sent meanwhile, and says how much once it is free
 * again.
 */

/* Programs every register of the port; polled from here on. May be called with paging off, on any
 * 80386. */
void serial_init(void);
bool serial_is_present(void);

/* Received bytes are kept from here on, by interrupt. After irq_init(). */
void serial_start_receiving(void);

/* Sends all of it; '\n' goes out as "\r\n". From anywhere; O(length) times the line's speed. */
void serial_write(const char *text, size_t length);

/* The same, every byte as it stands. */
void serial_send(const char *bytes, size_t count);

/* The oldest received byte, or -1: nothing there. */
int serial_read(void);

/* Called from the interrupt when bytes have come. One at a time; NULL: nobody. */
void serial_set_listener(void (*listener)(void));

/* How many received bytes were lost because nobody read them. */
uint32_t serial_lost_bytes(void);

/* Returns when the last byte has left the port, or after a bounded time. Before power-off. */
void serial_drain(void);

#endif
