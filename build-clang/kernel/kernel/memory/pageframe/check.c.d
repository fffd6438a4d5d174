build-clang/kernel/kernel/memory/pageframe/check.c.o: \
  kernel/memory/pageframe/check.c kernel/memory/pageframe/internal.h \
  kernel/memory/bytemap/internal.h kernel/lib/string.h \
  kernel/include/types.h kernel/memory/bytemap/bytemap.h \
  kernel/memory/check.h kernel/memory/memory.h \
  kernel/memory/pageframe/pageframe.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h

kernel/memory/pageframe/internal.h:

kernel/memory/bytemap/internal.h:

kernel/lib/string.h:

kernel/include/types.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:
