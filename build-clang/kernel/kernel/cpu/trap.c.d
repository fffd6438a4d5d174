build-clang/kernel/kernel/cpu/trap.c.o: kernel/cpu/trap.c \
  kernel/cpu/trap.h kernel/include/types.h kernel/cpu/fault.h \
  kernel/cpu/irq.h kernel/cpu/registers.h kernel/include/log.h \
  kernel/include/panic.h

kernel/cpu/trap.h:

kernel/include/types.h:

kernel/cpu/fault.h:

kernel/cpu/irq.h:

kernel/cpu/registers.h:

kernel/include/log.h:

kernel/include/panic.h:
