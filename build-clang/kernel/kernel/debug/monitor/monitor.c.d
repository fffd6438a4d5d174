build-clang/kernel/kernel/debug/monitor/monitor.c.o: \
  kernel/debug/monitor/monitor.c kernel/debug/monitor/monitor.h \
  kernel/include/types.h kernel/cpu/cpu.h \
  kernel/debug/monitor/commands.h kernel/debug/monitor/editor.h \
  kernel/debug/monitor/parse.h kernel/device/keyboard/keyboard.h \
  kernel/device/screen/screen.h kernel/include/bootinfo.h \
  kernel/device/serial/serial.h kernel/lib/format.h kernel/lib/string.h \
  kernel/memory/pageframe/pageframe.h kernel/memory/bytemap/bytemap.h \
  kernel/memory/check.h kernel/memory/e820/e820.h \
  kernel/memory/platform.h kernel/cpu/platform_inline.h \
  kernel/cpu/registers.h kernel/memory/memory.h

kernel/debug/monitor/monitor.h:

kernel/include/types.h:

kernel/cpu/cpu.h:

kernel/debug/monitor/commands.h:

kernel/debug/monitor/editor.h:

kernel/debug/monitor/parse.h:

kernel/device/keyboard/keyboard.h:

kernel/device/screen/screen.h:

kernel/include/bootinfo.h:

kernel/device/serial/serial.h:

kernel/lib/format.h:

kernel/lib/string.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/check.h:

kernel/memory/e820/e820.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/memory.h:
