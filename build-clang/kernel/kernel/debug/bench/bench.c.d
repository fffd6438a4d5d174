build-clang/kernel/kernel/debug/bench/bench.c.o: \
  kernel/debug/bench/bench.c kernel/debug/bench/bench.h \
  kernel/debug/bench/internal.h kernel/include/types.h \
  kernel/debug/monitor/monitor.h kernel/include/errors.h \
  kernel/lib/string.h kernel/memory/heap/heap.h kernel/memory/check.h \
  kernel/memory/memory.h kernel/memory/pageframe/pageframe.h \
  kernel/memory/bytemap/bytemap.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h kernel/memory/paging/paging.h \
  kernel/memory/system.h

kernel/debug/bench/bench.h:

kernel/debug/bench/internal.h:

kernel/include/types.h:

kernel/debug/monitor/monitor.h:

kernel/include/errors.h:

kernel/lib/string.h:

kernel/memory/heap/heap.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/memory/paging/paging.h:

kernel/memory/system.h:
