build-clang/kernel/kernel/memory/heap/run.c.o: kernel/memory/heap/run.c \
  kernel/memory/heap/internal.h kernel/memory/heap/heap.h \
  kernel/memory/check.h kernel/include/types.h kernel/memory/memory.h \
  kernel/memory/paging/paging.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h

kernel/memory/heap/internal.h:

kernel/memory/heap/heap.h:

kernel/memory/check.h:

kernel/include/types.h:

kernel/memory/memory.h:

kernel/memory/paging/paging.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:
