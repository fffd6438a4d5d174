build-clang/kernel/kernel/start/refuse.c.o: kernel/start/refuse.c \
  kernel/cpu/ports.h kernel/include/types.h kernel/device/power/power.h \
  kernel/device/serial/serial.h kernel/include/version.h \
  kernel/lib/processor.h kernel/memory/memory.h kernel/start/start.h \
  kernel/include/bootinfo.h

kernel/cpu/ports.h:

kernel/include/types.h:

kernel/device/power/power.h:

kernel/device/serial/serial.h:

kernel/include/version.h:

kernel/lib/processor.h:

kernel/memory/memory.h:

kernel/start/start.h:

kernel/include/bootinfo.h:
