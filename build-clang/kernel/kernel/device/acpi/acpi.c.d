build-clang/kernel/kernel/device/acpi/acpi.c.o: kernel/device/acpi/acpi.c \
  kernel/device/acpi/acpi.h kernel/include/types.h kernel/cpu/cpu.h \
  kernel/cpu/ports.h kernel/cpu/registers.h kernel/device/acpi/tables.h \
  kernel/device/power/power.h kernel/include/log.h \
  kernel/memory/paging/paging.h kernel/memory/check.h \
  kernel/memory/memory.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h

kernel/device/acpi/acpi.h:

kernel/include/types.h:

kernel/cpu/cpu.h:

kernel/cpu/ports.h:

kernel/cpu/registers.h:

kernel/device/acpi/tables.h:

kernel/device/power/power.h:

kernel/include/log.h:

kernel/memory/paging/paging.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:
