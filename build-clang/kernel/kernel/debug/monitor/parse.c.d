build-clang/kernel/kernel/debug/monitor/parse.c.o: \
  kernel/debug/monitor/parse.c kernel/debug/monitor/parse.h \
  kernel/include/types.h kernel/include/errors.h \
  kernel/lib/commandline.h kernel/lib/string.h

kernel/debug/monitor/parse.h:

kernel/include/types.h:

kernel/include/errors.h:

kernel/lib/commandline.h:

kernel/lib/string.h:
