build-clang/kernel/kernel/memory/pageframe/index.c.o: \
  kernel/memory/pageframe/index.c kernel/lib/string.h \
  kernel/include/types.h kernel/memory/pageframe/internal.h \
  kernel/memory/bytemap/internal.h kernel/memory/bytemap/bytemap.h \
  kernel/memory/check.h kernel/memory/memory.h \
  kernel/memory/pageframe/pageframe.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h

kernel/lib/string.h:

kernel/include/types.h:

kernel/memory/pageframe/internal.h:

kernel/memory/bytemap/internal.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:
