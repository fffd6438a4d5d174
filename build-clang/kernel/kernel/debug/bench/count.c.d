build-clang/kernel/kernel/debug/bench/count.c.o: \
  kernel/debug/bench/count.c kernel/cpu/cpu.h kernel/include/types.h \
  kernel/cpu/trap.h kernel/debug/bench/internal.h \
  kernel/debug/bench/lengths.h kernel/debug/monitor/monitor.h \
  kernel/lib/string.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h \
  kernel/memory/memory.h

kernel/cpu/cpu.h:

kernel/include/types.h:

kernel/cpu/trap.h:

kernel/debug/bench/internal.h:

kernel/debug/bench/lengths.h:

kernel/debug/monitor/monitor.h:

kernel/lib/string.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/memory.h:
