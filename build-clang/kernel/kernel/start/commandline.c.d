build-clang/kernel/kernel/start/commandline.c.o: \
  kernel/start/commandline.c kernel/lib/format.h kernel/include/types.h \
  kernel/lib/string.h kernel/start/start.h kernel/include/bootinfo.h

kernel/lib/format.h:

kernel/include/types.h:

kernel/lib/string.h:

kernel/start/start.h:

kernel/include/bootinfo.h:
