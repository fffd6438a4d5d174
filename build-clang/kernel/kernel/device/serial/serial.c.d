build-clang/kernel/kernel/device/serial/serial.c.o: \
  kernel/device/serial/serial.c kernel/device/serial/serial.h \
  kernel/include/types.h kernel/cpu/irq.h kernel/cpu/ports.h \
  kernel/cpu/timer.h

kernel/device/serial/serial.h:

kernel/include/types.h:

kernel/cpu/irq.h:

kernel/cpu/ports.h:

kernel/cpu/timer.h:
