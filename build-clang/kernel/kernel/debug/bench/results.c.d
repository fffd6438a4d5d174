build-clang/kernel/kernel/debug/bench/results.c.o: \
  kernel/debug/bench/results.c kernel/debug/bench/internal.h \
  kernel/include/types.h kernel/debug/monitor/monitor.h \
  kernel/lib/string.h

kernel/debug/bench/internal.h:

kernel/include/types.h:

kernel/debug/monitor/monitor.h:

kernel/lib/string.h:
