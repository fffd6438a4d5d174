build-clang/kernel/kernel/memory/bytemap/bytemap.c.o: \
  kernel/memory/bytemap/bytemap.c kernel/memory/bytemap/bytemap.h \
  kernel/include/types.h kernel/memory/check.h kernel/lib/string.h \
  kernel/memory/bytemap/internal.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h \
  kernel/memory/memory.h

kernel/memory/bytemap/bytemap.h:

kernel/include/types.h:

kernel/memory/check.h:

kernel/lib/string.h:

kernel/memory/bytemap/internal.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/memory.h:
