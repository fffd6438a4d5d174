#include "kernel/cpu/ports.h"
#include "kernel/device/power/power.h"
#include "kernel/device/serial/serial.h"
#include "kernel/include/version.h"
#include "kernel/lib/processor.h"
#include "kernel/memory/memory.h"
#include "kernel/start/start.h"

/* This file is compiled for the 80386: it has to run where the rest cannot. */

#define SCREEN_COLUMNS   80
#define SCREEN_ROWS      25
#define SCREEN_ATTRIBUTE 0x4F00 /* white on red */

static void say(const char *text)
{
    static unsigned column;
    volatile uint16_t *screen = (volatile uint16_t *)MAP_VIDEO_TEXT;
    for (; *text != '\0' && column < SCREEN_COLUMNS * SCREEN_ROWS; text++) {
        serial_write(text, 1);
        screen[column++] = SCREEN_ATTRIBUTE | (uint8_t)*text;
    }
}

_Noreturn void start_refuse(const char *sentence)
{
    serial_init();
    say(VERSION_NAME ": ");
    say(sentence);
    serial_write("\n", 1);
    serial_drain();
    port_write8(POWER_EXIT_PORT, POWER_EXIT_REFUSED);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

void start_require_processor(void)
{
    const char *refusal = processor_refusal();
    if (refusal != NULL)
        start_refuse(refusal);
}
