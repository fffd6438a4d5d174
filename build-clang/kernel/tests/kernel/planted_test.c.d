build-clang/kernel/tests/kernel/planted_test.c.o: \
  tests/kernel/planted_test.c kernel/include/log.h \
  kernel/include/types.h kernel/lib/string.h \
  kernel/memory/bytemap/internal.h kernel/memory/bytemap/bytemap.h \
  kernel/memory/check.h kernel/memory/heap/internal.h \
  kernel/memory/heap/heap.h kernel/memory/memory.h \
  kernel/memory/paging/paging.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h \
  kernel/memory/pageframe/internal.h kernel/memory/pageframe/pageframe.h \
  kernel/memory/e820/e820.h kernel/include/bootinfo.h \
  kernel/memory/paging/internal.h kernel/include/errors.h \
  kernel/memory/paging/entry.h kernel/memory/system.h \
  tests/kernel/selftest.h

kernel/include/log.h:

kernel/include/types.h:

kernel/lib/string.h:

kernel/memory/bytemap/internal.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/check.h:

kernel/memory/heap/internal.h:

kernel/memory/heap/heap.h:

kernel/memory/memory.h:

kernel/memory/paging/paging.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/pageframe/internal.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/memory/paging/internal.h:

kernel/include/errors.h:

kernel/memory/paging/entry.h:

kernel/memory/system.h:

tests/kernel/selftest.h:
