# Fuzz targets: clang's libFuzzer with ASan and UBSan, as 32-bit code (the kernel's width) and as
# 64-bit code. Target NAME is tests/fuzz/NAME_fuzz.c with FUZZ_SOURCES_NAME; its saved inputs are
# tests/fuzz/corpus/NAME/.

#@ FUZZ_SECONDS=10 how long fuzz-short runs each target

FUZZ_SECONDS ?= 10
FUZZ_CC      ?= clang
FUZZ_TARGETS := e820 e820_parse pageframe paging heap bootinfo archive discipline terminal elf

# Modules that need the port layer link the host's fake one: $(call fuzz-memory,NAME) is everything
# that the host test of NAME links of the memory tree.
fuzz-memory = $(wildcard $(addsuffix /*.c,$(MEMORY_$(1)))) $(filter-out %/main.c,$(UNIT_SHARED)) tests/fuzz/failure.c

FUZZ_SOURCES_e820       := kernel/memory/e820/e820.c tests/unit/e820_oracle.c
FUZZ_SOURCES_e820_parse := tools/e820-regions/table.c
FUZZ_SOURCES_pageframe  := $(call fuzz-memory,pageframe) tests/unit/pageframe_model_test.c
FUZZ_SOURCES_paging     := $(call fuzz-memory,paging) tests/unit/paging_machine_test.c
FUZZ_SOURCES_heap       := $(call fuzz-memory,heap) tests/unit/heap_machine_test.c
FUZZ_SOURCES_bootinfo   := $(SOURCES_start) kernel/lib/format.c kernel/lib/errors.c kernel/debug/monitor/parse.c kernel/lib/words.c tests/fuzz/failure.c
FUZZ_SOURCES_archive    := $(call fuzz-memory,file) $(SOURCES_file) tests/unit/file_machine_test.c
FUZZ_SOURCES_elf        := kernel/process/elf.c tests/fuzz/failure.c
FUZZ_SOURCES_discipline := kernel/file/discipline.c tests/fuzz/failure.c
FUZZ_SOURCES_terminal   := $(wildcard kernel/device/screen/terminal*.c) tests/fuzz/failure.c
FUZZ_FLAGS_e820_parse   := -dict=tests/fuzz/e820_parse.dict

FUZZ_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer $(WARNINGS) $(INCLUDES) \
               -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

# Above the heap's window, which is at its real address (tests/unit/host/mmu.h).
FUZZ_LINK_heap    := -no-pie -Wl,-Ttext-segment=0x10000000
FUZZ_LINK_archive := $(FUZZ_LINK_heap)

# A host that cannot run 32-bit programs by itself fuzzes 64-bit code only: the emulator cannot carry the sanitizers.
FUZZ_WIDTHS := 64 $(if $(RUN32),,32)
FUZZ_WIDTH  := $(lastword $(FUZZ_WIDTHS))

# libFuzzer is C++, and Debian's 32-bit C++ library has no name that the linker looks for.
FUZZ_LIBRARY_64 :=
FUZZ_LIBRARY_32 := $(BUILD)/fuzz/lib32/libstdc++.so
$(FUZZ_LIBRARY_32):
	mkdir -p $(@D)
	ln -sf /usr/lib32/libstdc++.so.6 $@

# fuzz-program NAME BITS
define fuzz-program
$(BUILD)/fuzz/$(1)-$(2): $(patsubst %,$(BUILD)/fuzz/$(2)/%.o,tests/fuzz/$(1)_fuzz.c $(FUZZ_SOURCES_$(1))) \
                         $(FUZZ_LIBRARY_$(2))
	mkdir -p $$(@D)
	$(FUZZ_CC) -m$(2) $(FUZZ_CFLAGS) $(FUZZ_LINK_$(1)) -L$(BUILD)/fuzz/lib$(2) -o $$@ $$(filter %.o,$$^)
endef

define fuzz-objects
$(BUILD)/fuzz/$(1)/%.c.o: %.c
	mkdir -p $$(@D)
	$(FUZZ_CC) -m$(1) $(FUZZ_CFLAGS) -MMD -MP -c -o $$@ $$<
endef

$(foreach bits,32 64,$(eval $(call fuzz-objects,$(bits))))
$(foreach target,$(FUZZ_TARGETS),$(foreach bits,32 64,$(eval $(call fuzz-program,$(target),$(bits)))))

-include $(shell find $(BUILD)/fuzz -name '*.d' 2>/dev/null)

# tests/fuzz/test_fuzz.py runs them as part of the tests.
test: $(foreach target,$(FUZZ_TARGETS),$(FUZZ_WIDTHS:%=$(BUILD)/fuzz/$(target)-%))

# What a run finds goes to $(BUILD)/fuzz/found/NAME, an input that fails to $(BUILD)/fuzz/NAME-*: copy
# it into the corpus with the fix. The fuzzer's own words are shown only then.
.PHONY: fuzz-short $(FUZZ_TARGETS:%=fuzz-%)
fuzz-short: $(FUZZ_TARGETS:%=fuzz-%) ## every fuzz target: its saved inputs, then FUZZ_SECONDS of new ones

# $(call fuzz-run,NAME,BITS,ARGUMENTS)
fuzz-run = $(BUILD)/fuzz/$(1)-$(2) -timeout=200 -artifact_prefix=$(BUILD)/fuzz/$(1)- $(3) \
           > $(BUILD)/fuzz/$(1).log 2>&1 || { cat $(BUILD)/fuzz/$(1).log; exit 1; }

$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: $(foreach width,$(FUZZ_WIDTHS),$(BUILD)/fuzz/%-$(width))
	mkdir -p $(BUILD)/fuzz/found/$*
	$(foreach width,$(FUZZ_WIDTHS),$(call fuzz-run,$*,$(width),-runs=0 tests/fuzz/corpus/$*);)
	$(call fuzz-run,$*,$(FUZZ_WIDTH),-max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 $(FUZZ_FLAGS_$*) \
	    $(BUILD)/fuzz/found/$* tests/fuzz/corpus/$*)
	awk '/number_of_executed_units/ { print "fuzz-$*: nothing found in " $$2 " inputs" }' $(BUILD)/fuzz/$*.log
