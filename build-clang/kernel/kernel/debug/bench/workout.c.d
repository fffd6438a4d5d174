build-clang/kernel/kernel/debug/bench/workout.c.o: \
  kernel/debug/bench/workout.c kernel/debug/bench/internal.h \
  kernel/include/types.h kernel/debug/monitor/monitor.h \
  kernel/lib/string.h kernel/memory/heap/heap.h kernel/memory/check.h \
  kernel/memory/memory.h kernel/memory/pageframe/pageframe.h \
  kernel/memory/bytemap/bytemap.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h

kernel/debug/bench/internal.h:

kernel/include/types.h:

kernel/debug/monitor/monitor.h:

kernel/lib/string.h:

kernel/memory/heap/heap.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:
