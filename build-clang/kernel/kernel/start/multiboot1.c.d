build-clang/kernel/kernel/start/multiboot1.c.o: kernel/start/multiboot1.c \
  kernel/start/start.h kernel/include/bootinfo.h kernel/include/types.h

kernel/start/start.h:

kernel/include/bootinfo.h:

kernel/include/types.h:
