build-clang/kernel/kernel/start/provisional.c.o: \
  kernel/start/provisional.c kernel/cpu/registers.h \
  kernel/include/types.h kernel/memory/memory.h kernel/start/start.h \
  kernel/include/bootinfo.h

kernel/cpu/registers.h:

kernel/include/types.h:

kernel/memory/memory.h:

kernel/start/start.h:

kernel/include/bootinfo.h:
