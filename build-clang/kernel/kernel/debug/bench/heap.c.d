build-clang/kernel/kernel/debug/bench/heap.c.o: kernel/debug/bench/heap.c \
  kernel/memory/heap/heap.h kernel/memory/check.h kernel/include/types.h \
  kernel/memory/memory.h kernel/debug/bench/internal.h \
  kernel/memory/pageframe/pageframe.h kernel/memory/bytemap/bytemap.h \
  kernel/memory/e820/e820.h kernel/include/bootinfo.h

kernel/memory/heap/heap.h:

kernel/memory/check.h:

kernel/include/types.h:

kernel/memory/memory.h:

kernel/debug/bench/internal.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/e820/e820.h:

kernel/include/bootinfo.h:
