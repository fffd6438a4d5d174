build-clang/kernel/kernel/debug/monitor/editor.c.o: \
  kernel/debug/monitor/editor.c kernel/debug/monitor/editor.h \
  kernel/include/types.h kernel/lib/format.h kernel/lib/string.h

kernel/debug/monitor/editor.h:

kernel/include/types.h:

kernel/lib/format.h:

kernel/lib/string.h:
