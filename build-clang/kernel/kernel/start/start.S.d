build-clang/kernel/kernel/start/start.S.o: kernel/start/start.S \
  kernel/cpu/registers.h kernel/start/start.h

kernel/cpu/registers.h:

kernel/start/start.h:
