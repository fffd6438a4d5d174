build-clang/kernel/tests/kernel/lib_test.c.o: tests/kernel/lib_test.c \
  kernel/debug/symbols/symbols.h kernel/include/types.h \
  kernel/lib/string.h tests/kernel/selftest.h

kernel/debug/symbols/symbols.h:

kernel/include/types.h:

kernel/lib/string.h:

tests/kernel/selftest.h:
