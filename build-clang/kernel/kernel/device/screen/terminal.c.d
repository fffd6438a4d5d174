build-clang/kernel/kernel/device/screen/terminal.c.o: \
  kernel/device/screen/terminal.c kernel/device/screen/terminal.h \
  kernel/include/types.h kernel/lib/string.h

kernel/device/screen/terminal.h:

kernel/include/types.h:

kernel/lib/string.h:
