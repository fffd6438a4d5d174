build-clang/kernel/kernel/debug/monitor/commands_map.c.o: \
  kernel/debug/monitor/commands_map.c kernel/debug/monitor/commands.h \
  kernel/include/types.h kernel/debug/monitor/monitor.h \
  kernel/lib/format.h kernel/memory/system.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h kernel/memory/memory.h

kernel/debug/monitor/commands.h:

kernel/include/types.h:

kernel/debug/monitor/monitor.h:

kernel/lib/format.h:

kernel/memory/system.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/memory/memory.h:
