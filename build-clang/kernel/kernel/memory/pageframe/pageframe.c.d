build-clang/kernel/kernel/memory/pageframe/pageframe.c.o: \
  kernel/memory/pageframe/pageframe.c \
  kernel/memory/pageframe/pageframe.h kernel/memory/bytemap/bytemap.h \
  kernel/include/types.h kernel/memory/check.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h kernel/include/errors.h kernel/lib/string.h \
  kernel/memory/pageframe/internal.h kernel/memory/bytemap/internal.h \
  kernel/memory/memory.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h

kernel/memory/pageframe/pageframe.h:

kernel/memory/bytemap/bytemap.h:

kernel/include/types.h:

kernel/memory/check.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:

kernel/include/errors.h:

kernel/lib/string.h:

kernel/memory/pageframe/internal.h:

kernel/memory/bytemap/internal.h:

kernel/memory/memory.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:
