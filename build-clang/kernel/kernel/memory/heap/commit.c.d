build-clang/kernel/kernel/memory/heap/commit.c.o: \
  kernel/memory/heap/commit.c kernel/lib/string.h kernel/include/types.h \
  kernel/memory/heap/internal.h kernel/memory/heap/heap.h \
  kernel/memory/check.h kernel/memory/memory.h \
  kernel/memory/paging/paging.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h \
  kernel/memory/pageframe/pageframe.h kernel/memory/bytemap/bytemap.h \
  kernel/memory/e820/e820.h kernel/include/bootinfo.h

kernel/lib/string.h:

kernel/include/types.h:

kernel/memory/heap/internal.h:

kernel/memory/heap/heap.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/paging/paging.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:
