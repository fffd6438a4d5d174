build-clang/kernel/kernel/debug/monitor/commands_bench.c.o: \
  kernel/debug/monitor/commands_bench.c kernel/debug/bench/bench.h \
  kernel/debug/monitor/commands.h kernel/include/types.h \
  kernel/debug/monitor/monitor.h kernel/include/errors.h

kernel/debug/bench/bench.h:

kernel/debug/monitor/commands.h:

kernel/include/types.h:

kernel/debug/monitor/monitor.h:

kernel/include/errors.h:
