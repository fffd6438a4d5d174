# Failure on demand: what the linker leads to kernel/failure. README.md there says what for.
FAILURE_WRAPPED := pageframe_alloc pageframe_alloc_zeroed pageframe_alloc_run pageframe_promise \
                   pageframe_alloc_promised pageframe_alloc_promised_zeroed \
                   kmalloc kcalloc kmalloc_aligned krealloc heap_cache_create heap_cache_alloc
# In the kernel with FAILURES=1 also what lets the prompt and the command line decide what fails.
# and, for records, what gives back.
FAILURE_KERNEL_WRAPPED := $(FAILURE_WRAPPED) kernel_main monitor_run command_execute \
                          pageframe_free pageframe_free_run pageframe_reference pageframe_release \
                          pageframe_lock pageframe_unlock kfree heap_cache_free

# The records that the model plays (tests/data/records).
RECORDS := boot selftest bench
.PHONY: records
records: # make them anew
	$(MAKE) FAILURES=1 SANITIZE= BUILD='$(BUILD)' image kernel
	python3 tests/model/record.py '$(BUILD)/failures' tests/data/records
