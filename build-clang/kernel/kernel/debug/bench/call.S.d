build-clang/kernel/kernel/debug/bench/call.S.o: kernel/debug/bench/call.S \
  kernel/debug/bench/lengths.h

kernel/debug/bench/lengths.h:
