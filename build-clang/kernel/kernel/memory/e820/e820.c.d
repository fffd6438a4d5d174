build-clang/kernel/kernel/memory/e820/e820.c.o: kernel/memory/e820/e820.c \
  kernel/memory/e820/e820.h kernel/include/bootinfo.h \
  kernel/include/types.h kernel/include/errors.h

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/include/types.h:

kernel/include/errors.h:
