build-clang/kernel/kernel/memory/check.c.o: kernel/memory/check.c \
  kernel/memory/check.h kernel/include/types.h kernel/lib/format.h

kernel/memory/check.h:

kernel/include/types.h:

kernel/lib/format.h:
