build-clang/kernel/kernel/cpu/mtrr_plan.c.o: kernel/cpu/mtrr_plan.c \
  kernel/cpu/mtrr_plan.h kernel/include/types.h kernel/include/errors.h

kernel/cpu/mtrr_plan.h:

kernel/include/types.h:

kernel/include/errors.h:
