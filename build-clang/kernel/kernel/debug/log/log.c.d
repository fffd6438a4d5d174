build-clang/kernel/kernel/debug/log/log.c.o: kernel/debug/log/log.c \
  kernel/include/log.h kernel/include/types.h kernel/cpu/timer.h \
  kernel/include/errors.h kernel/lib/format.h kernel/lib/string.h \
  kernel/memory/platform.h kernel/cpu/platform_inline.h \
  kernel/cpu/registers.h kernel/memory/memory.h

kernel/include/log.h:

kernel/include/types.h:

kernel/cpu/timer.h:

kernel/include/errors.h:

kernel/lib/format.h:

kernel/lib/string.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/memory.h:
