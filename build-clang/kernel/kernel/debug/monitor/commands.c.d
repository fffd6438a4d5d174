build-clang/kernel/kernel/debug/monitor/commands.c.o: \
  kernel/debug/monitor/commands.c kernel/debug/monitor/commands.h \
  kernel/include/types.h kernel/debug/monitor/monitor.h \
  kernel/debug/monitor/parse.h kernel/include/errors.h \
  kernel/lib/string.h

kernel/debug/monitor/commands.h:

kernel/include/types.h:

kernel/debug/monitor/monitor.h:

kernel/debug/monitor/parse.h:

kernel/include/errors.h:

kernel/lib/string.h:
