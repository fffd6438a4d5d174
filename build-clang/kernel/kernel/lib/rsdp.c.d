build-clang/kernel/kernel/lib/rsdp.c.o: kernel/lib/rsdp.c \
  kernel/lib/rsdp.h kernel/include/types.h kernel/lib/string.h

kernel/lib/rsdp.h:

kernel/include/types.h:

kernel/lib/string.h:
