build-clang/kernel/kernel/main.c.o: kernel/main.c kernel/cpu/cpu.h \
  kernel/include/types.h kernel/cpu/irq.h kernel/cpu/timer.h \
  kernel/debug/monitor/monitor.h kernel/device/acpi/acpi.h \
  kernel/device/keyboard/keyboard.h kernel/device/screen/screen.h \
  kernel/include/bootinfo.h kernel/device/serial/serial.h \
  kernel/include/errors.h kernel/include/log.h kernel/include/panic.h \
  kernel/include/version.h kernel/memory/pageframe/pageframe.h \
  kernel/memory/bytemap/bytemap.h kernel/memory/check.h \
  kernel/memory/e820/e820.h kernel/memory/paging/paging.h \
  kernel/memory/memory.h kernel/memory/system.h kernel/start/start.h

kernel/cpu/cpu.h:

kernel/include/types.h:

kernel/cpu/irq.h:

kernel/cpu/timer.h:

kernel/debug/monitor/monitor.h:

kernel/device/acpi/acpi.h:

kernel/device/keyboard/keyboard.h:

kernel/device/screen/screen.h:

kernel/include/bootinfo.h:

kernel/device/serial/serial.h:

kernel/include/errors.h:

kernel/include/log.h:

kernel/include/panic.h:

kernel/include/version.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/check.h:

kernel/memory/e820/e820.h:

kernel/memory/paging/paging.h:

kernel/memory/memory.h:

kernel/memory/system.h:

kernel/start/start.h:
