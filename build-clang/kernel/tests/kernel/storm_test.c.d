build-clang/kernel/tests/kernel/storm_test.c.o: tests/kernel/storm_test.c \
  kernel/cpu/cpu.h kernel/include/types.h kernel/cpu/timer.h \
  kernel/lib/string.h kernel/memory/heap/heap.h kernel/memory/check.h \
  kernel/memory/memory.h kernel/memory/pageframe/pageframe.h \
  kernel/memory/bytemap/bytemap.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h \
  kernel/memory/system.h tests/kernel/selftest.h

kernel/cpu/cpu.h:

kernel/include/types.h:

kernel/cpu/timer.h:

kernel/lib/string.h:

kernel/memory/heap/heap.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/system.h:

tests/kernel/selftest.h:
