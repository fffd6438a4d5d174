build-clang/kernel/kernel/start/firmware.c.o: kernel/start/firmware.c \
  kernel/lib/rsdp.h kernel/include/types.h kernel/memory/memory.h \
  kernel/start/start.h kernel/include/bootinfo.h

kernel/lib/rsdp.h:

kernel/include/types.h:

kernel/memory/memory.h:

kernel/start/start.h:

kernel/include/bootinfo.h:
