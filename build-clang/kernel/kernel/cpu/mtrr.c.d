build-clang/kernel/kernel/cpu/mtrr.c.o: kernel/cpu/mtrr.c \
  kernel/cpu/mtrr.h kernel/include/types.h kernel/cpu/cache.h \
  kernel/cpu/registers.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/memory/memory.h kernel/cpu/cpu.h \
  kernel/cpu/mtrr_plan.h kernel/include/errors.h

kernel/cpu/mtrr.h:

kernel/include/types.h:

kernel/cpu/cache.h:

kernel/cpu/registers.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/memory/memory.h:

kernel/cpu/cpu.h:

kernel/cpu/mtrr_plan.h:

kernel/include/errors.h:
