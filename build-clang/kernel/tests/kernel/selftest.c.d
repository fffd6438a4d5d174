build-clang/kernel/tests/kernel/selftest.c.o: tests/kernel/selftest.c \
  tests/kernel/selftest.h kernel/include/types.h \
  kernel/device/serial/serial.h kernel/include/errors.h \
  kernel/lib/format.h kernel/lib/string.h

tests/kernel/selftest.h:

kernel/include/types.h:

kernel/device/serial/serial.h:

kernel/include/errors.h:

kernel/lib/format.h:

kernel/lib/string.h:
