#ifndef KERNEL_DEVICE_ACPI_ACPI_H
#define KERNEL_DEVICE_ACPI_ACPI_H

#include "kernel/include/types.h"

/*
 * What the firmware's ACPI tables say about the machine: maps the registers of the local APIC, the
 * I/O APICs and the HPET into the MMIO row, says in the log what is there, and registers how the
 * machine is switched off. `rsdp` is the physical address of the root pointer; 0: looks for it
 * where a BIOS puts it. A machine without ACPI, or with broken tables, gets a line in the log and
 * nothing else. Once, after memory_init().
 */
void acpi_init(uint32_t rsdp);

/* The mapped registers; NULL where there are none. */
volatile void *acpi_local_apic(void);
volatile void *acpi_hpet(void);

#endif
