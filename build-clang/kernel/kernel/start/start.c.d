build-clang/kernel/kernel/start/start.c.o: kernel/start/start.c \
  kernel/start/start.h kernel/include/bootinfo.h kernel/include/types.h \
  kernel/include/log.h kernel/lib/string.h

kernel/start/start.h:

kernel/include/bootinfo.h:

kernel/include/types.h:

kernel/include/log.h:

kernel/lib/string.h:
