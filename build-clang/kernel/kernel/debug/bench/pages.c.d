build-clang/kernel/kernel/debug/bench/pages.c.o: \
  kernel/debug/bench/pages.c kernel/debug/bench/internal.h \
  kernel/include/types.h kernel/debug/monitor/monitor.h \
  kernel/include/panic.h kernel/memory/memory.h \
  kernel/memory/paging/paging.h kernel/memory/check.h

kernel/debug/bench/internal.h:

kernel/include/types.h:

kernel/debug/monitor/monitor.h:

kernel/include/panic.h:

kernel/memory/memory.h:

kernel/memory/paging/paging.h:

kernel/memory/check.h:
