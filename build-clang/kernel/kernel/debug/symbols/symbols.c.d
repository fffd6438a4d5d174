build-clang/kernel/kernel/debug/symbols/symbols.c.o: \
  kernel/debug/symbols/symbols.c kernel/debug/symbols/symbols.h \
  kernel/include/types.h kernel/lib/format.h

kernel/debug/symbols/symbols.h:

kernel/include/types.h:

kernel/lib/format.h:
