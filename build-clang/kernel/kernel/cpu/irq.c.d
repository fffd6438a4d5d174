build-clang/kernel/kernel/cpu/irq.c.o: kernel/cpu/irq.c kernel/cpu/irq.h \
  kernel/include/types.h kernel/cpu/ports.h kernel/include/errors.h \
  kernel/include/log.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h \
  kernel/memory/memory.h

kernel/cpu/irq.h:

kernel/include/types.h:

kernel/cpu/ports.h:

kernel/include/errors.h:

kernel/include/log.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/memory.h:
