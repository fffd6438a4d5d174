build-clang/kernel/kernel/device/acpi/tables.c.o: \
  kernel/device/acpi/tables.c kernel/device/acpi/tables.h \
  kernel/include/types.h kernel/include/errors.h kernel/lib/string.h

kernel/device/acpi/tables.h:

kernel/include/types.h:

kernel/include/errors.h:

kernel/lib/string.h:
