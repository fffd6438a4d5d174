build-clang/kernel/kernel/debug/monitor/commands_memory.c.o: \
  kernel/debug/monitor/commands_memory.c kernel/debug/monitor/commands.h \
  kernel/include/types.h kernel/debug/monitor/monitor.h \
  kernel/debug/monitor/picture.h kernel/debug/monitor/rights.h \
  kernel/cpu/mtrr.h kernel/memory/paging/paging.h kernel/memory/check.h \
  kernel/memory/memory.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h \
  kernel/lib/format.h kernel/memory/pageframe/pageframe.h \
  kernel/memory/bytemap/bytemap.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h kernel/memory/system.h

kernel/debug/monitor/commands.h:

kernel/include/types.h:

kernel/debug/monitor/monitor.h:

kernel/debug/monitor/picture.h:

kernel/debug/monitor/rights.h:

kernel/cpu/mtrr.h:

kernel/memory/paging/paging.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/lib/format.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/memory/system.h:
