# Failure on demand: what the linker leads to kernel/failure. README.md there says what for.
FAILURE_WRAPPED := pageframe_alloc pageframe_alloc_zeroed pageframe_alloc_run pageframe_promise \
                   kmalloc kcalloc kmalloc_aligned krealloc heap_cache_create heap_cache_alloc
# In the kernel with FAILURES=1 also what lets the prompt and the command line decide what fails.
FAILURE_KERNEL_WRAPPED := $(FAILURE_WRAPPED) kernel_main monitor_run command_execute
