build-clang/kernel/kernel/debug/monitor/commands_heap.c.o: \
  kernel/debug/monitor/commands_heap.c kernel/debug/monitor/commands.h \
  kernel/include/types.h kernel/debug/monitor/monitor.h \
  kernel/debug/monitor/picture.h kernel/memory/heap/heap.h \
  kernel/memory/check.h kernel/memory/memory.h

kernel/debug/monitor/commands.h:

kernel/include/types.h:

kernel/debug/monitor/monitor.h:

kernel/debug/monitor/picture.h:

kernel/memory/heap/heap.h:

kernel/memory/check.h:

kernel/memory/memory.h:
