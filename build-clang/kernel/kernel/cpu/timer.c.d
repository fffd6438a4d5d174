build-clang/kernel/kernel/cpu/timer.c.o: kernel/cpu/timer.c \
  kernel/cpu/timer.h kernel/include/types.h kernel/cpu/cpu.h \
  kernel/cpu/irq.h kernel/cpu/ports.h kernel/include/panic.h \
  kernel/memory/platform.h kernel/cpu/platform_inline.h \
  kernel/cpu/registers.h kernel/memory/memory.h

kernel/cpu/timer.h:

kernel/include/types.h:

kernel/cpu/cpu.h:

kernel/cpu/irq.h:

kernel/cpu/ports.h:

kernel/include/panic.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/memory.h:
