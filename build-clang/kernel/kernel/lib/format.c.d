build-clang/kernel/kernel/lib/format.c.o: kernel/lib/format.c \
  kernel/lib/format.h kernel/include/types.h

kernel/lib/format.h:

kernel/include/types.h:
