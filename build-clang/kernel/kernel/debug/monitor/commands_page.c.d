build-clang/kernel/kernel/debug/monitor/commands_page.c.o: \
  kernel/debug/monitor/commands_page.c kernel/debug/monitor/commands.h \
  kernel/include/types.h kernel/debug/monitor/monitor.h \
  kernel/debug/monitor/rights.h kernel/cpu/mtrr.h \
  kernel/memory/paging/paging.h kernel/memory/check.h \
  kernel/memory/memory.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h \
  kernel/memory/bytemap/bytemap.h

kernel/debug/monitor/commands.h:

kernel/include/types.h:

kernel/debug/monitor/monitor.h:

kernel/debug/monitor/rights.h:

kernel/cpu/mtrr.h:

kernel/memory/paging/paging.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/bytemap/bytemap.h:
