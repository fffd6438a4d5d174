build-clang/kernel/kernel/cpu/segments.c.o: kernel/cpu/segments.c \
  kernel/cpu/segments.h kernel/include/types.h kernel/cpu/cpu.h \
  kernel/cpu/registers.h kernel/cpu/trap.h kernel/include/panic.h

kernel/cpu/segments.h:

kernel/include/types.h:

kernel/cpu/cpu.h:

kernel/cpu/registers.h:

kernel/cpu/trap.h:

kernel/include/panic.h:
