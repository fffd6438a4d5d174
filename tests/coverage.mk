# Coverage of the memory tree by its host tests, as 32-bit code (the kernel's width). Compiled without optimisation, so
# that each line and branch of the source is one of the program; without sanitizers, whose checks would be branches.

COVERAGE_TESTS  := e820 bytemap pageframe paging heap system space debug3
COVERAGE_BUILD  := $(BUILD)/coverage
COVERAGE_CFLAGS := -std=gnu11 -D_FILE_OFFSET_BITS=64 -O0 -g $(WARNINGS) $(INCLUDES) -fno-pie --coverage

COVERAGE_PROGRAMS := $(COVERAGE_TESTS:%=$(COVERAGE_BUILD)/unit/%-32)

.PHONY: coverage
coverage: ## lines and branches of the memory tree that the host tests reach, and why the rest is not
	$(MAKE) BUILD='$(COVERAGE_BUILD)' UNIT_CFLAGS='$(COVERAGE_CFLAGS)' UNIT_SANITIZE_32= CC=gcc $(COVERAGE_PROGRAMS)
	tools/coverage.py $(COVERAGE_BUILD)/unit tests/coverage-unreached.txt $(COVERAGE_PROGRAMS)
