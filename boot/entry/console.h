#ifndef BOOT_ENTRY_CONSOLE_H
#define BOOT_ENTRY_CONSOLE_H

#include "kernel/include/types.h"

/* Messages go to COM1 (set up by stage 2) and to the screen, through the BIOS's teletype. Formats
 * know %s, %u and %x (both uint32_t) only. */

/* One line, begun with the loader's name. */
void console_say(const char *format, ...) PRINTF_LIKE(1, 2);

/* One line; then an emulator ends (POWER_EXIT_REFUSED), and all others halt. */
_Noreturn void console_fail(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
