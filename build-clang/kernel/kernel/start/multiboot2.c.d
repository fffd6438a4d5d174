build-clang/kernel/kernel/start/multiboot2.c.o: kernel/start/multiboot2.c \
  kernel/start/start.h kernel/include/bootinfo.h kernel/include/types.h

kernel/start/start.h:

kernel/include/bootinfo.h:

kernel/include/types.h:
