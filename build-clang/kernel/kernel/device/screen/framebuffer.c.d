build-clang/kernel/kernel/device/screen/framebuffer.c.o: \
  kernel/device/screen/framebuffer.c kernel/cpu/mtrr.h \
  kernel/include/types.h kernel/cpu/mtrr_plan.h \
  kernel/device/screen/internal.h kernel/device/screen/terminal.h \
  kernel/include/bootinfo.h kernel/include/errors.h kernel/include/log.h \
  kernel/lib/string.h kernel/memory/bytemap/bytemap.h \
  kernel/memory/check.h kernel/memory/paging/paging.h \
  kernel/memory/memory.h kernel/memory/platform.h \
  kernel/cpu/platform_inline.h kernel/cpu/registers.h \
  kernel/memory/system.h kernel/memory/e820/e820.h

kernel/cpu/mtrr.h:

kernel/include/types.h:

kernel/cpu/mtrr_plan.h:

kernel/device/screen/internal.h:

kernel/device/screen/terminal.h:

kernel/include/bootinfo.h:

kernel/include/errors.h:

kernel/include/log.h:

kernel/lib/string.h:

kernel/memory/bytemap/bytemap.h:

kernel/memory/check.h:

kernel/memory/paging/paging.h:

kernel/memory/memory.h:

kernel/memory/platform.h:

kernel/cpu/platform_inline.h:

kernel/cpu/registers.h:

kernel/memory/system.h:

kernel/memory/e820/e820.h:
