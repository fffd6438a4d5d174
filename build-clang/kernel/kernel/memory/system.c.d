build-clang/kernel/kernel/memory/system.c.o: kernel/memory/system.c \
  kernel/memory/system.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h kernel/include/types.h \
  kernel/memory/memory.h kernel/include/errors.h kernel/lib/string.h \
  kernel/memory/heap/heap.h kernel/memory/check.h \
  kernel/memory/pageframe/pageframe.h kernel/memory/bytemap/bytemap.h \
  kernel/memory/paging/paging.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h

kernel/memory/system.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/include/types.h:

kernel/memory/memory.h:

kernel/include/errors.h:

kernel/lib/string.h:

kernel/memory/heap/heap.h:

kernel/memory/check.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/paging/paging.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:
