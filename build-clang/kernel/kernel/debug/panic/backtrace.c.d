build-clang/kernel/kernel/debug/panic/backtrace.c.o: \
  kernel/debug/panic/backtrace.c kernel/debug/panic/backtrace.h \
  kernel/include/types.h kernel/cpu/cpu.h kernel/debug/symbols/symbols.h \
  kernel/include/log.h

kernel/debug/panic/backtrace.h:

kernel/include/types.h:

kernel/cpu/cpu.h:

kernel/debug/symbols/symbols.h:

kernel/include/log.h:
