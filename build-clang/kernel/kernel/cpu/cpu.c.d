build-clang/kernel/kernel/cpu/cpu.c.o: kernel/cpu/cpu.c kernel/cpu/cpu.h \
  kernel/include/types.h kernel/cpu/cache.h kernel/cpu/registers.h \
  kernel/memory/platform.h kernel/cpu/platform_inline.h \
  kernel/memory/memory.h kernel/cpu/fault.h kernel/cpu/trap.h \
  kernel/cpu/segments.h kernel/include/log.h kernel/lib/format.h \
  kernel/lib/string.h

kernel/cpu/cpu.h:

kernel/include/types.h:

kernel/cpu/cache.h:

kernel/cpu/registers.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/memory/memory.h:

kernel/cpu/fault.h:

kernel/cpu/trap.h:

kernel/cpu/segments.h:

kernel/include/log.h:

kernel/lib/format.h:

kernel/lib/string.h:
