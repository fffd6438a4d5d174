#include "kernel/device/keyboard/keyboard.h"

#include "kernel/cpu/irq.h"
#include "kernel/cpu/ports.h"
#include "kernel/device/keyboard/scancode.h"
#include "kernel/include/log.h"
#include "kernel/memory/platform.h"

/* The 8042: its ports, status bits, commands, and the bits of its command byte. */
#define PORT_DATA          0x60
#define PORT_STATUS        0x64
#define PORT_COMMAND       0x64
#define STATUS_HAS_DATA    (1u << 0)
#define STATUS_IS_BUSY     (1u << 1)
#define COMMAND_READ_BYTE  0x20
#define COMMAND_WRITE_BYTE 0x60
#define BYTE_INTERRUPT     (1u << 0)
#define BYTE_DISABLED      (1u << 4)
#define BYTE_TRANSLATION   (1u << 6) /* the keyboard's own codes become set 1 */
#define READS_MAX          100000u   /* a tenth of a second */
#define FLUSH_MAX          64u

#define RING_SIZE          64u

/* Positions count characters, modulo 2^32: written - read <= RING_SIZE. */
static char ring[RING_SIZE];
static uint32_t written, read;
static struct scancode_state state;
static void (*heard)(void);

int keyboard_read(void)
{
    unsigned long saved = platform_interrupts_save();
    int character = written == read ? -1 : (unsigned char)ring[read++ % RING_SIZE];
    platform_interrupts_restore(saved);
    return character;
}

/* A key gives all of its characters or none. */
static void handle(void)
{
    char text[SCANCODE_TEXT_MAX];
    if (!(port_read8(PORT_STATUS) & STATUS_HAS_DATA))
        return;
    unsigned count = scancode_take(&state, port_read8(PORT_DATA), text);
    if (written - read + count > RING_SIZE)
        return;
    for (unsigned i = 0; i < count; i++)
        ring[written++ % RING_SIZE] = text[i];
    if (count != 0 && heard != NULL)
        heard();
}

void keyboard_set_listener(void (*listener)(void))
{
    heard = listener;
}

static bool wait_for(uint8_t mask, uint8_t value)
{
    for (uint32_t i = 0; i < READS_MAX; i++)
        if ((port_read8(PORT_STATUS) & mask) == value)
            return true;
    return false;
}

static bool send_command(uint8_t command)
{
    if (!wait_for(STATUS_IS_BUSY, 0))
        return false;
    port_write8(PORT_COMMAND, command);
    return true;
}

/* Interrupts on, translation on; the firmware leaves it so, but not every one does. */
static bool set_up_controller(void)
{
    for (uint32_t i = 0; i < FLUSH_MAX && port_read8(PORT_STATUS) & STATUS_HAS_DATA; i++)
        (void)port_read8(PORT_DATA);
    if (!send_command(COMMAND_READ_BYTE) || !wait_for(STATUS_HAS_DATA, STATUS_HAS_DATA))
        return false;
    uint8_t byte = port_read8(PORT_DATA);
    byte = (uint8_t)((byte | BYTE_INTERRUPT | BYTE_TRANSLATION) & ~BYTE_DISABLED);
    if (!send_command(COMMAND_WRITE_BYTE) || !wait_for(STATUS_IS_BUSY, 0))
        return false;
    port_write8(PORT_DATA, byte);
    return wait_for(STATUS_IS_BUSY, 0);
}

void keyboard_init(void)
{
    if (!set_up_controller() || irq_register(IRQ_KEYBOARD, handle) != 0)
        log_line("keyboard: no controller, or its interrupt is taken");
}
