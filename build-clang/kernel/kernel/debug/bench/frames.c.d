build-clang/kernel/kernel/debug/bench/frames.c.o: \
  kernel/debug/bench/frames.c kernel/debug/bench/internal.h \
  kernel/include/types.h kernel/include/panic.h \
  kernel/memory/pageframe/pageframe.h kernel/memory/bytemap/bytemap.h \
  kernel/memory/check.h kernel/memory/e820/e820.h \
  kernel/include/bootinfo.h

kernel/debug/bench/internal.h:

kernel/include/types.h:

kernel/include/panic.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/check.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:
