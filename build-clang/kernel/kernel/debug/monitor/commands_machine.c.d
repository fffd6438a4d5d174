build-clang/kernel/kernel/debug/monitor/commands_machine.c.o: \
  kernel/debug/monitor/commands_machine.c kernel/cpu/cpu.h \
  kernel/include/types.h kernel/cpu/irq.h kernel/cpu/timer.h \
  kernel/debug/monitor/commands.h kernel/debug/monitor/monitor.h \
  kernel/device/power/power.h kernel/device/serial/serial.h \
  kernel/include/errors.h kernel/include/log.h tests/kernel/selftest.h

kernel/cpu/cpu.h:

kernel/include/types.h:

kernel/cpu/irq.h:

kernel/cpu/timer.h:

kernel/debug/monitor/commands.h:

kernel/debug/monitor/monitor.h:

kernel/device/power/power.h:

kernel/device/serial/serial.h:

kernel/include/errors.h:

kernel/include/log.h:

tests/kernel/selftest.h:
