#include "kernel/cpu/irq.h"

#include "kernel/cpu/ports.h"
#include "kernel/include/errors.h"
#include "kernel/include/log.h"
#include "kernel/memory/platform.h"

/* Intel 8259A data sheet; the second controller hangs on line 2 of the first. */
#define FIRST_COMMAND        0x20
#define FIRST_DATA           0x21
#define SECOND_COMMAND       0xA0
#define SECOND_DATA          0xA1
#define COMMAND_INIT         0x11 /* ICW1: cascaded, ICW4 follows */
#define COMMAND_END          0x20 /* end of the interrupt in service */
#define COMMAND_READ_SERVICE 0x0B
#define MODE_8086            0x01
#define DELAY_PORT           0x80
#define LINES                8u /* of one controller */
#define CASCADE_LINE         2u
#define SPURIOUS_LINE        7u /* a line that went away is reported as this one */

static irq_handler handlers[IRQ_COUNT];
static uint32_t counts[IRQ_COUNT];
static uint32_t spurious_count;

const struct trap_frame *irq_interrupted;

/* Old controllers need a moment between two writes, which a write to the port of the power-on
 * self-test takes. */
static void write_slowly(uint16_t port, uint8_t value)
{
    port_write8(port, value);
    port_write8(DELAY_PORT, 0);
}

static void init_controller(uint16_t command, uint16_t data, uint8_t vector, uint8_t cascade)
{
    write_slowly(command, COMMAND_INIT);
    write_slowly(data, vector);
    write_slowly(data, cascade);
    write_slowly(data, MODE_8086);
    write_slowly(data, 0xFF);
}

void irq_init(void)
{
    init_controller(FIRST_COMMAND, FIRST_DATA, IRQ_VECTOR, 1u << CASCADE_LINE);
    init_controller(SECOND_COMMAND, SECOND_DATA, IRQ_VECTOR + LINES, CASCADE_LINE);
    port_write8(FIRST_DATA, (uint8_t) ~(1u << CASCADE_LINE));
}

static void unmask(unsigned irq)
{
    uint16_t port = irq < LINES ? FIRST_DATA : SECOND_DATA;
    port_write8(port, (uint8_t)(port_read8(port) & ~(1u << irq % LINES)));
}

int irq_register(unsigned irq, irq_handler handler)
{
    if (irq >= IRQ_COUNT || irq == CASCADE_LINE || handler == NULL)
        return -EINVAL;
    unsigned long saved = platform_interrupts_save();
    int error = handlers[irq] != NULL ? -EBUSY : 0;
    if (error == 0) {
        handlers[irq] = handler;
        unmask(irq);
    }
    platform_interrupts_restore(saved);
    return error;
}

/* A spurious interrupt is not in service, and gets no end: it would end another one's. */
static bool is_spurious(unsigned irq)
{
    uint16_t command = irq < LINES ? FIRST_COMMAND : SECOND_COMMAND;
    port_write8(command, COMMAND_READ_SERVICE);
    return !(port_read8(command) & 1u << SPURIOUS_LINE);
}

static void ignore_spurious(unsigned irq)
{
    if (spurious_count++ == 0)
        log_line("interrupt line %u: spurious, ignored (further ones are counted)", irq);
    if (irq >= LINES)
        port_write8(FIRST_COMMAND, COMMAND_END); /* the cascade's line was in service */
}

void irq_dispatch(unsigned irq, const struct trap_frame *frame)
{
    if (irq % LINES == SPURIOUS_LINE && is_spurious(irq)) {
        ignore_spurious(irq);
        return;
    }
    irq_interrupted = frame;
    counts[irq]++;
    if (handlers[irq] != NULL)
        handlers[irq]();
    if (irq >= LINES)
        port_write8(SECOND_COMMAND, COMMAND_END);
    port_write8(FIRST_COMMAND, COMMAND_END);
}

uint32_t irq_count(unsigned irq)
{
    return irq < IRQ_COUNT ? counts[irq] : 0;
}

uint32_t irq_spurious_count(void)
{
    return spurious_count;
}
