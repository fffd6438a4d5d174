build-clang/kernel/tests/kernel/log_test.c.o: tests/kernel/log_test.c \
  kernel/cpu/irq.h kernel/include/types.h kernel/cpu/timer.h \
  kernel/include/log.h kernel/lib/format.h kernel/lib/string.h \
  kernel/memory/platform.h kernel/cpu/platform_inline.h \
  kernel/cpu/registers.h kernel/memory/memory.h tests/kernel/selftest.h

kernel/cpu/irq.h:

kernel/include/types.h:

kernel/cpu/timer.h:

kernel/include/log.h:

kernel/lib/format.h:

kernel/lib/string.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/memory.h:

tests/kernel/selftest.h:
