build-clang/kernel/kernel/memory/paging/query.c.o: \
  kernel/memory/paging/query.c kernel/memory/paging/internal.h \
  kernel/include/errors.h kernel/lib/string.h kernel/include/types.h \
  kernel/memory/bytemap/bytemap.h kernel/memory/check.h \
  kernel/memory/pageframe/pageframe.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h kernel/memory/paging/entry.h \
  kernel/memory/paging/paging.h kernel/memory/memory.h \
  kernel/memory/platform.h kernel/cpu/platform_inline.h \
  kernel/cpu/registers.h

kernel/memory/paging/internal.h:

kernel/include/errors.h:

kernel/lib/string.h:

kernel/include/types.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/check.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/memory/paging/entry.h:

kernel/memory/paging/paging.h:

kernel/memory/memory.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:
