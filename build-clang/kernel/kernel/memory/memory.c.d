build-clang/kernel/kernel/memory/memory.c.o: kernel/memory/memory.c \
  kernel/memory/memory.h kernel/include/types.h

kernel/memory/memory.h:

kernel/include/types.h:
