#include "kernel/device/power/power.h"

#include "kernel/cpu/ports.h"
#include "kernel/device/serial/serial.h"
#include "kernel/include/log.h"
#include "kernel/include/types.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

#define BOCHS_SHUTDOWN_PORT 0x8900

/* 8042 keyboard controller: its output line 0 resets the processor. */
#define KEYBOARD_STATUS     0x64
#define KEYBOARD_COMMAND    0x64
#define KEYBOARD_BUSY       (1u << 1)
#define KEYBOARD_RESET      0xFE
#define KEYBOARD_WAIT_READS 100000u

static void (*registered_off)(void);

void power_register_off(void (*off)(void))
{
    registered_off = off;
}

static void bochs_shutdown(void)
{
    static const char word[] = "Shutdown";
    for (size_t i = 0; i < strlen(word); i++)
        port_write8(BOCHS_SHUTDOWN_PORT, (uint8_t)word[i]);
}

static uint8_t exit_value(enum power_outcome outcome)
{
    switch (outcome) {
    case POWER_OFF:
        return POWER_EXIT_OFF;
    case POWER_REFUSED:
        return POWER_EXIT_REFUSED;
    case POWER_PANIC:
        break;
    }
    return POWER_EXIT_PANIC;
}

_Noreturn void power_exit(enum power_outcome outcome)
{
    __asm__ volatile("cli");
    serial_drain();
    port_write8(POWER_EXIT_PORT, exit_value(outcome));
    bochs_shutdown();
    if (outcome == POWER_OFF && registered_off != NULL)
        registered_off();
    if (outcome == POWER_OFF)
        log_line("this machine cannot be switched off from here: it is halted, use its switch");
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

_Noreturn void power_exit_status(unsigned char status)
{
    char text[32];
    int length = format_text(text, sizeof(text), "status %u\n", status);
    for (int i = 0; i < length; i++)
        port_write8(POWER_STATUS_PORT, (uint8_t)text[i]);
    power_exit(POWER_OFF);
}

/* A breakpoint without a table to find its handler in. */
static void triple_fault(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) nothing = {0, 0};
    __asm__ volatile("lidt %0\n\tint3" : : "m"(nothing) : "memory");
}

_Noreturn void power_reboot(void)
{
    __asm__ volatile("cli");
    serial_drain();
    for (uint32_t reads = 0; reads < KEYBOARD_WAIT_READS; reads++)
        if (!(port_read8(KEYBOARD_STATUS) & KEYBOARD_BUSY))
            break;
    port_write8(KEYBOARD_COMMAND, KEYBOARD_RESET);
    for (uint32_t reads = 0; reads < KEYBOARD_WAIT_READS; reads++)
        port_read8(KEYBOARD_STATUS);
    triple_fault();
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
