#ifndef KERNEL_DEVICE_POWER_POWER_H
#define KERNEL_DEVICE_POWER_POWER_H

/*
 * The end of the machine. QEMU's isa-debug-exit device at POWER_EXIT_PORT ends the emulator with
 * status value << 1 | 1: 33 after a clean power-off, 35 after a panic, 37 where the loader or the
 * kernel's start refuses the machine. Scripts read these numbers here. On a PC nothing listens at
 * this port.
 */
#define POWER_EXIT_PORT    0xf4
#define POWER_EXIT_OFF     0x10
#define POWER_EXIT_PANIC   0x11
#define POWER_EXIT_REFUSED 0x12

/* Where QEMU's isa-debugcon device, or Bochs' port E9, takes the exit status of the program that
 * the machine ran, as text: POWER_EXIT_PORT has no room for eight bits. On a PC nothing listens
 * there. */
#define POWER_STATUS_PORT 0xe9

#ifndef __ASSEMBLER__

enum power_outcome { POWER_OFF, POWER_PANIC, POWER_REFUSED };

/*
 * Waits for the serial port to empty, then tries in this order: the debug-exit port, Bochs'
 * "Shutdown" port, for POWER_OFF the registered way (ACPI), and halts with interrupts off; after
 * POWER_OFF it says that it had to.
 */
_Noreturn void power_exit(enum power_outcome outcome);

/* Says the status of the program that the machine was for, and is POWER_OFF. */
_Noreturn void power_exit_status(unsigned char status);

/* How this machine is switched off, for who found out. The last call counts. */
void power_register_off(void (*off)(void));

/* By the keyboard controller, else by a triple fault. */
_Noreturn void power_reboot(void);

#endif
#endif
