build-clang/kernel/kernel/lib/string.c.o: kernel/lib/string.c \
  kernel/lib/string.h kernel/include/types.h

kernel/lib/string.h:

kernel/include/types.h:
