build-clang/kernel/kernel/memory/heap/check.c.o: \
  kernel/memory/heap/check.c kernel/memory/bytemap/bytemap.h \
  kernel/include/types.h kernel/memory/check.h \
  kernel/memory/heap/internal.h kernel/memory/heap/heap.h \
  kernel/memory/memory.h kernel/memory/paging/paging.h \
  kernel/memory/platform.h kernel/cpu/platform_inline.h \
  kernel/cpu/registers.h

kernel/memory/bytemap/bytemap.h:

kernel/include/types.h:

kernel/memory/check.h:

kernel/memory/heap/internal.h:

kernel/memory/heap/heap.h:

kernel/memory/memory.h:

kernel/memory/paging/paging.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:
