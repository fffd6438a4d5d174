build-clang/kernel/kernel/cpu/platform.c.o: kernel/cpu/platform.c \
  kernel/memory/platform.h kernel/include/types.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h \
  kernel/memory/memory.h kernel/include/log.h kernel/include/panic.h \
  kernel/lib/format.h

kernel/memory/platform.h:

kernel/include/types.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/memory.h:

kernel/include/log.h:

kernel/include/panic.h:

kernel/lib/format.h:
