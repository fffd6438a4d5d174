build-clang/kernel/kernel/debug/bench/others.c.o: \
  kernel/debug/bench/others.c kernel/cpu/irq.h kernel/include/types.h \
  kernel/cpu/ports.h kernel/cpu/registers.h \
  kernel/debug/bench/internal.h kernel/device/serial/serial.h \
  kernel/include/log.h kernel/lib/string.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/memory/memory.h \
  kernel/memory/system.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h

kernel/cpu/irq.h:

kernel/include/types.h:

kernel/cpu/ports.h:

kernel/cpu/registers.h:

kernel/debug/bench/internal.h:

kernel/device/serial/serial.h:

kernel/include/log.h:

kernel/lib/string.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/memory/memory.h:

kernel/memory/system.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:
