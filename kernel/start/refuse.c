#include <cpuid.h>

#include "kernel/cpu/ports.h"
#include "kernel/device/power/power.h"
#include "kernel/device/serial/serial.h"
#include "kernel/include/version.h"
#include "kernel/memory/memory.h"
#include "kernel/start/start.h"

/* This file is compiled for the 80386: it has to run where the rest cannot. */

#define SCREEN_COLUMNS   80
#define SCREEN_ROWS      25
#define SCREEN_ATTRIBUTE 0x4F00 /* white on red */

#define EFLAGS_ID        (1u << 21)

/* CPUID 1, EDX (Intel SDM 2A, CPUID). */
#define CPUID_PAE  (1u << 6)
#define CPUID_CX8  (1u << 8)
#define CPUID_CMOV (1u << 15)

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

/* CPUID exists where the ID flag can be changed (Intel SDM 1, 3.4.3.3). */
static bool has_cpuid(void)
{
    uint32_t before, after;
    __asm__ volatile("pushfl\n\t"
                     "popl %0\n\t"
                     "movl %0, %1\n\t"
                     "xorl %2, %1\n\t"
                     "pushl %1\n\t"
                     "popfl\n\t"
                     "pushfl\n\t"
                     "popl %1"
                     : "=&r"(before), "=&r"(after)
                     : "i"(EFLAGS_ID)
                     : "cc");
    return (before ^ after) & EFLAGS_ID;
}

void start_require_processor(void)
{
    uint32_t eax, ebx, ecx, edx;
    if (!has_cpuid())
        start_refuse("this processor has no CPUID instruction; an i686 with PAE is needed.");
    __cpuid(1, eax, ebx, ecx, edx);
    if (!(edx & CPUID_PAE))
        start_refuse("this processor has no physical address extension (PAE), which is needed.");
    if (!(edx & CPUID_CX8) || !(edx & CPUID_CMOV))
        start_refuse("this processor is older than the i686 that is needed.");
}
