build-clang/kernel/kernel/memory/heap/heap.c.o: kernel/memory/heap/heap.c \
  kernel/memory/heap/heap.h kernel/memory/check.h kernel/include/types.h \
  kernel/memory/memory.h kernel/include/errors.h kernel/lib/string.h \
  kernel/memory/heap/internal.h kernel/memory/paging/paging.h \
  kernel/memory/platform.h kernel/cpu/platform_inline.h \
  kernel/cpu/registers.h

kernel/memory/heap/heap.h:

kernel/memory/check.h:

kernel/include/types.h:

kernel/memory/memory.h:

kernel/include/errors.h:

kernel/lib/string.h:

kernel/memory/heap/internal.h:

kernel/memory/paging/paging.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:
