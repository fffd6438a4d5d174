build-clang/kernel/kernel/debug/monitor/commands_fault.c.o: \
  kernel/debug/monitor/commands_fault.c kernel/debug/monitor/commands.h \
  kernel/include/types.h kernel/debug/monitor/monitor.h \
  kernel/lib/string.h kernel/memory/heap/heap.h kernel/memory/check.h \
  kernel/memory/memory.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h

kernel/debug/monitor/commands.h:

kernel/include/types.h:

kernel/debug/monitor/monitor.h:

kernel/lib/string.h:

kernel/memory/heap/heap.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:
