build-clang/kernel/kernel/debug/monitor/picture.c.o: \
  kernel/debug/monitor/picture.c kernel/debug/monitor/picture.h \
  kernel/include/types.h kernel/lib/format.h

kernel/debug/monitor/picture.h:

kernel/include/types.h:

kernel/lib/format.h:
