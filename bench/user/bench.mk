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

#@ BENCHFLAGS=     words for the program of bench-linux: BENCHFLAGS='only=fault reps=3'
.PHONY: bench-linux
bench-linux: $(BUILD)/bench/user/bench $(DISTRIBUTION)/linux-686 ## what memory and process calls take on the distribution's i386 Linux
	echo "# $$(cat $(DISTRIBUTION)/linux-686.package), -cpu qemu32 -m 256, mitigations=off, instructions"
	tools/linux.py $(DISTRIBUTION)/linux-686 --icount --cpu qemu32 --memory 256 --timeout 900 \
	    --file $(BUILD)/bench/user/bench:/init --words '$(BENCHFLAGS)'
