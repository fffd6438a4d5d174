build-clang/kernel/kernel/lib/errors.c.o: kernel/lib/errors.c \
  kernel/include/errors.h

kernel/include/errors.h:
