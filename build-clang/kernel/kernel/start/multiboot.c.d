build-clang/kernel/kernel/start/multiboot.c.o: kernel/start/multiboot.c \
  kernel/lib/string.h kernel/include/types.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h kernel/memory/memory.h kernel/start/start.h

kernel/lib/string.h:

kernel/include/types.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/memory/memory.h:

kernel/start/start.h:
