# Memory and process calls, measured by a program that runs on any kernel with Linux's system calls on i386.
# bench/README.md says how, and what the figures mean.

USER_BENCH_SOURCES := $(wildcard bench/user/*.c)
USER_BENCH_HEADERS := $(wildcard bench/user/*.h)
USER_BENCH_CFLAGS  := -m32 -march=i686 -O2 -std=gnu11 $(WARNINGS) $(INCLUDES) -ffreestanding -fno-pic -fno-pie \
                      -fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -mno-sse
USER_BENCH_LDFLAGS := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-Ttext-segment=0x10000000

# gcc's, whatever builds the kernel: it is the same program on every kernel that is compared.
$(BUILD)/bench/user/bench: $(USER_BENCH_SOURCES) $(USER_BENCH_HEADERS) bench/user/bench.mk
	$(call say,CC)
	mkdir -p $(@D)
	gcc $(USER_BENCH_CFLAGS) $(USER_BENCH_LDFLAGS) -o $@ $(USER_BENCH_SOURCES) -lgcc

# All that a kernel is given for it.
USER_BENCH_ARCHIVE := $(BUILD)/bench/user/archive.cpio
$(USER_BENCH_ARCHIVE): $(BUILD)/bench/user/bench tools/archive.py
	python3 tools/archive.py --file $(BUILD)/bench/user/bench:/bench $@
test: $(USER_BENCH_ARCHIVE) # tests/system/test_bench_user.py

#@ BENCHFLAGS=     words for the program of bench-user and bench-linux: BENCHFLAGS='only=fault reps=3'
#@ RUNS=5          how often bench-linux measures times
#@ RAISE=          lines that bench-user-accept may raise: RAISE='syscall_null populate_per_page'
$(foreach name,BENCHFLAGS RUNS RAISE,$(eval override $(name) := $$(value $(name))))
export BENCHFLAGS RUNS RAISE
.PHONY: bench-user bench-user-accept bench-linux
bench-user: kernel $(USER_BENCH_ARCHIVE) ## what memory and process calls take on our kernel
	python3 -m bench.user.measure ours '$(BUILD)'
bench-user-accept: kernel $(USER_BENCH_ARCHIVE) ## the same, and lower what bench/user/accepted.txt allows
	python3 -m bench.user.measure accept '$(BUILD)'
bench-linux: kernel $(USER_BENCH_ARCHIVE) $(DISTRIBUTION)/linux-686 ## ours beside the distribution's i386 Linux (5 minutes)
	python3 -m bench.user.measure linux '$(BUILD)'
