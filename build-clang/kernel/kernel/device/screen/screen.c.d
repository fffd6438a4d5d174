build-clang/kernel/kernel/device/screen/screen.c.o: \
  kernel/device/screen/screen.c kernel/device/screen/screen.h \
  kernel/include/bootinfo.h kernel/include/types.h \
  kernel/device/screen/internal.h kernel/device/screen/terminal.h \
  kernel/include/log.h kernel/include/version.h kernel/lib/string.h \
  kernel/memory/heap/heap.h kernel/memory/check.h kernel/memory/memory.h \
  kernel/memory/platform.h kernel/cpu/platform_inline.h \
  kernel/cpu/registers.h

kernel/device/screen/screen.h:

kernel/include/bootinfo.h:

kernel/include/types.h:

kernel/device/screen/internal.h:

kernel/device/screen/terminal.h:

kernel/include/log.h:

kernel/include/version.h:

kernel/lib/string.h:

kernel/memory/heap/heap.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:
