build-clang/kernel/kernel/device/power/power.c.o: \
  kernel/device/power/power.c kernel/device/power/power.h \
  kernel/cpu/ports.h kernel/include/types.h \
  kernel/device/serial/serial.h kernel/include/log.h kernel/lib/string.h

kernel/device/power/power.h:

kernel/cpu/ports.h:

kernel/include/types.h:

kernel/device/serial/serial.h:

kernel/include/log.h:

kernel/lib/string.h:
