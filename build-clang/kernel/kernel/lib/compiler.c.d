build-clang/kernel/kernel/lib/compiler.c.o: kernel/lib/compiler.c \
  kernel/include/types.h

kernel/include/types.h:
