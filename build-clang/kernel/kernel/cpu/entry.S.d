build-clang/kernel/kernel/cpu/entry.S.o: kernel/cpu/entry.S \
  kernel/cpu/registers.h kernel/cpu/trap.h

kernel/cpu/registers.h:

kernel/cpu/trap.h:
