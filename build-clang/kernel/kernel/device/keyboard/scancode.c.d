build-clang/kernel/kernel/device/keyboard/scancode.c.o: \
  kernel/device/keyboard/scancode.c kernel/device/keyboard/scancode.h \
  kernel/include/types.h kernel/lib/string.h

kernel/device/keyboard/scancode.h:

kernel/include/types.h:

kernel/lib/string.h:
