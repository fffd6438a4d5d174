build-clang/kernel/kernel/debug/panic/panic.c.o: \
  kernel/debug/panic/panic.c kernel/include/panic.h \
  kernel/include/types.h kernel/cpu/cpu.h kernel/cpu/registers.h \
  kernel/cpu/trap.h kernel/debug/monitor/rights.h kernel/cpu/mtrr.h \
  kernel/memory/paging/paging.h kernel/memory/check.h \
  kernel/memory/memory.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/debug/panic/backtrace.h \
  kernel/debug/symbols/symbols.h kernel/device/power/power.h \
  kernel/device/screen/screen.h kernel/include/bootinfo.h \
  kernel/include/log.h kernel/lib/format.h \
  kernel/memory/bytemap/bytemap.h kernel/memory/pageframe/pageframe.h \
  kernel/memory/e820/e820.h

kernel/include/panic.h:

kernel/include/types.h:

kernel/cpu/cpu.h:

kernel/cpu/registers.h:

kernel/cpu/trap.h:

kernel/debug/monitor/rights.h:

kernel/cpu/mtrr.h:

kernel/memory/paging/paging.h:

kernel/memory/check.h:

kernel/memory/memory.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/debug/panic/backtrace.h:

kernel/debug/symbols/symbols.h:

kernel/device/power/power.h:

kernel/device/screen/screen.h:

kernel/include/bootinfo.h:

kernel/include/log.h:

kernel/lib/format.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/pageframe/pageframe.h:

kernel/memory/e820/e820.h:
