build-clang/kernel/tests/kernel/cpu_test.c.o: tests/kernel/cpu_test.c \
  kernel/cpu/cpu.h kernel/include/types.h kernel/cpu/irq.h \
  kernel/cpu/registers.h kernel/cpu/timer.h kernel/cpu/trap.h \
  kernel/include/errors.h kernel/memory/memory.h \
  kernel/memory/paging/paging.h kernel/memory/check.h \
  kernel/memory/platform.h kernel/cpu/platform_inline.h \
  tests/kernel/selftest.h

kernel/cpu/cpu.h:

kernel/include/types.h:

kernel/cpu/irq.h:

kernel/cpu/registers.h:

kernel/cpu/timer.h:

kernel/cpu/trap.h:

kernel/include/errors.h:

kernel/memory/memory.h:

kernel/memory/paging/paging.h:

kernel/memory/check.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

tests/kernel/selftest.h:
