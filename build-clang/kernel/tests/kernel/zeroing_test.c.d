build-clang/kernel/tests/kernel/zeroing_test.c.o: \
  tests/kernel/zeroing_test.c kernel/memory/bytemap/bytemap.h \
  kernel/include/types.h kernel/memory/check.h \
  kernel/memory/pageframe/pageframe.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h \
  kernel/memory/memory.h tests/kernel/selftest.h

kernel/memory/bytemap/bytemap.h:

kernel/include/types.h:

kernel/memory/check.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/memory.h:

tests/kernel/selftest.h:
