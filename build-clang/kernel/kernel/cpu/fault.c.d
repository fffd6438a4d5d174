build-clang/kernel/kernel/cpu/fault.c.o: kernel/cpu/fault.c \
  kernel/cpu/fault.h kernel/cpu/trap.h kernel/include/types.h \
  kernel/cpu/cpu.h kernel/cpu/ports.h kernel/cpu/registers.h \
  kernel/include/log.h kernel/include/panic.h kernel/lib/string.h

kernel/cpu/fault.h:

kernel/cpu/trap.h:

kernel/include/types.h:

kernel/cpu/cpu.h:

kernel/cpu/ports.h:

kernel/cpu/registers.h:

kernel/include/log.h:

kernel/include/panic.h:

kernel/lib/string.h:
