build-clang/kernel/kernel/device/keyboard/keyboard.c.o: \
  kernel/device/keyboard/keyboard.c kernel/device/keyboard/keyboard.h \
  kernel/include/types.h kernel/cpu/irq.h kernel/cpu/ports.h \
  kernel/device/keyboard/scancode.h kernel/include/log.h \
  kernel/memory/platform.h kernel/cpu/platform_inline.h \
  kernel/cpu/registers.h kernel/memory/memory.h

kernel/device/keyboard/keyboard.h:

kernel/include/types.h:

kernel/cpu/irq.h:

kernel/cpu/ports.h:

kernel/device/keyboard/scancode.h:

kernel/include/log.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/memory.h:
