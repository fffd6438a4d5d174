#include "kernel/device/serial/serial.h"

#include "kernel/cpu/irq.h"
#include "kernel/cpu/ports.h"
#include "kernel/cpu/timer.h"

/* National Semiconductor PC16550D data sheet, section 8. */
#define SERIAL_PORT         0x3F8
#define SERIAL_DATA         (SERIAL_PORT + 0)
#define SERIAL_INTERRUPTS   (SERIAL_PORT + 1)
#define SERIAL_FIFO         (SERIAL_PORT + 2)
#define SERIAL_LINE         (SERIAL_PORT + 3)
#define SERIAL_MODEM        (SERIAL_PORT + 4)
#define SERIAL_STATUS       (SERIAL_PORT + 5)
#define SERIAL_SCRATCH      (SERIAL_PORT + 7)

#define INTERRUPT_RECEIVED  0x01
#define FIFO_ON_AND_CLEARED 0xC7 /* interrupt at 14 bytes, or when the line is quiet */
#define LINE_8N1            0x03
#define LINE_DIVISOR        0x80
#define MODEM_READY         0x0B /* DTR, RTS, and OUT2, which lets interrupts through */
#define STATUS_RECEIVED     0x01
#define STATUS_HOLDING_FREE 0x20
#define STATUS_ALL_SENT     0x40

#define SERIAL_DIVISOR      1u /* 115200 baud */

/*
 * A byte takes 87 microseconds on a line, but an emulator's port is busy for as long as whoever
 * reads it pauses. So much patience there is; where no tick passes meanwhile (interrupts are off,
 * or the timer does not run yet), it is counted in reads of the port, of about a microsecond each.
 */
#define SERIAL_WAIT_TICKS  (15u * TIMER_HZ)
#define SERIAL_STILL_READS 1000000u

#define SERIAL_RING_SIZE   1024u /* bytes; a power of two */

static bool is_present;

/* Patience was over: bytes are dropped, without waiting, until the port is free again. */
static bool is_stuck;
static uint32_t dropped_bytes; /* and not yet reported */

/* Written by the interrupt alone at `ring_in`, read by serial_read alone at `ring_out`; both only
 * grow. */
static volatile uint8_t ring[SERIAL_RING_SIZE];
static volatile uint32_t ring_in, ring_out;
static volatile uint32_t lost_bytes;
static void (*heard)(void);

/* Nothing there reads as all ones, and the scratch register keeps what was written only where there
 * is one. Line status bit 7 may be set with a FIFO, so the status alone says little. */
static bool probe(void)
{
    port_write8(SERIAL_SCRATCH, 0x5A);
    if (port_read8(SERIAL_SCRATCH) == 0x5A)
        return true;
    return port_read8(SERIAL_STATUS) != 0xFF;
}

void serial_init(void)
{
    is_present = probe();
    if (!is_present)
        return;
    port_write8(SERIAL_INTERRUPTS, 0);
    port_write8(SERIAL_LINE, LINE_DIVISOR | LINE_8N1);
    port_write8(SERIAL_DATA, SERIAL_DIVISOR & 0xFF);
    port_write8(SERIAL_INTERRUPTS, SERIAL_DIVISOR >> 8);
    port_write8(SERIAL_LINE, LINE_8N1);
    port_write8(SERIAL_FIFO, FIFO_ON_AND_CLEARED);
    port_write8(SERIAL_MODEM, MODEM_READY);
}

bool serial_is_present(void)
{
    return is_present;
}

static bool is_status(uint8_t bits)
{
    return (port_read8(SERIAL_STATUS) & bits) == bits;
}

/* True when all of `bits` are set in the status; false after a bounded time. */
static bool wait_for(uint8_t bits)
{
    uint64_t start = timer_ticks(), last = start, now = start;
    for (uint32_t reads = 0; reads < SERIAL_STILL_READS; reads = now == last ? reads + 1 : 0) {
        if (is_status(bits))
            return true;
        last = now;
        now = timer_ticks();
        if (now - start >= SERIAL_WAIT_TICKS)
            return false;
    }
    return false;
}

static void send(char byte)
{
    is_stuck = is_stuck ? !is_status(STATUS_HOLDING_FREE) : !wait_for(STATUS_HOLDING_FREE);
    if (is_stuck)
        dropped_bytes++;
    else
        port_write8(SERIAL_DATA, (uint8_t)byte);
}

/* Once the port is free again. Without kernel/lib: that needs a newer processor than this file. */
static void report_dropped(void)
{
    static const char before[] = "\r\n[COM1 was stuck: ", after[] = " bytes lost]\r\n";
    char digits[10];
    unsigned count = 0;
    for (uint32_t number = dropped_bytes; number != 0 && count < sizeof(digits); number /= 10)
        digits[count++] = (char)('0' + number % 10);
    dropped_bytes = 0;
    for (unsigned i = 0; i < sizeof(before) - 1; i++)
        send(before[i]);
    while (count > 0)
        send(digits[--count]);
    for (unsigned i = 0; i < sizeof(after) - 1; i++)
        send(after[i]);
}

static void send_or_report(char byte)
{
    if (dropped_bytes != 0 && is_status(STATUS_HOLDING_FREE))
        report_dropped();
    send(byte);
}

void serial_write(const char *text, size_t length)
{
    if (!is_present)
        return;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            send_or_report('\r');
        send_or_report(text[i]);
    }
}

void serial_send(const char *bytes, size_t count)
{
    if (!is_present)
        return;
    for (size_t i = 0; i < count; i++)
        send_or_report(bytes[i]);
}

void serial_drain(void)
{
    if (is_present && !is_stuck)
        wait_for(STATUS_ALL_SENT | STATUS_HOLDING_FREE);
}

static void keep(uint8_t byte)
{
    if (ring_in - ring_out == SERIAL_RING_SIZE) {
        lost_bytes++;
        return;
    }
    ring[ring_in % SERIAL_RING_SIZE] = byte;
    ring_in++;
}

/* At most what the hardware FIFO and the line can hold meanwhile: a stuck status bit ends too. */
static void on_interrupt(void)
{
    for (unsigned bytes = 0; bytes < 64; bytes++) {
        if (!(port_read8(SERIAL_STATUS) & STATUS_RECEIVED))
            break;
        keep(port_read8(SERIAL_DATA));
    }
    if (heard != NULL && ring_in != ring_out)
        heard();
}

void serial_set_listener(void (*listener)(void))
{
    heard = listener;
}

void serial_start_receiving(void)
{
    if (!is_present || irq_register(IRQ_COM1, on_interrupt) != 0)
        return;
    port_write8(SERIAL_INTERRUPTS, INTERRUPT_RECEIVED);
}

int serial_read(void)
{
    if (ring_out == ring_in)
        return -1;
    uint8_t byte = ring[ring_out % SERIAL_RING_SIZE];
    ring_out++;
    return byte;
}

uint32_t serial_lost_bytes(void)
{
    return lost_bytes;
}
