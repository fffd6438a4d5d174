#ifndef BOOT_ENTRY_PROCESSOR_H
#define BOOT_ENTRY_PROCESSOR_H

/* Does not return on a processor that cannot run the kernel. Until it has been called, only 386
 * instructions may run: the stub is compiled for that. */
void processor_check(void);

#endif
