build-clang/kernel/kernel/device/screen/text.c.o: \
  kernel/device/screen/text.c kernel/cpu/ports.h kernel/include/types.h \
  kernel/device/screen/internal.h kernel/device/screen/terminal.h \
  kernel/include/bootinfo.h kernel/memory/memory.h

kernel/cpu/ports.h:

kernel/include/types.h:

kernel/device/screen/internal.h:

kernel/device/screen/terminal.h:

kernel/include/bootinfo.h:

kernel/memory/memory.h:
