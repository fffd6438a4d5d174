# Programs that try to break processes, in an archive of their own with a small shell (tests/user/test_stress.py).
STRESS_PROGRAMS := $(patsubst tests/user/stress/%.c,%,$(wildcard tests/user/stress/*.c))

$(STRESS_PROGRAMS:%=$(USER)/stress/%): $(USER)/stress/%: tests/user/stress/%.c $(USER_CC) $(BUILD)/stamps/user
	$(call say,USER)
	mkdir -p $(@D)
	$(USER_CC) $(USER_CFLAGS) -I. -MMD -MP -MF $(USER)/stress/$*.d -o $@ $<
-include $(wildcard $(USER)/stress/*.d)

$(BUILD)/archive-stress.cpio: tools/archive.py $(ARCHIVE_ROOT) $(USER)/bin/busybox-small $(STRESS_PROGRAMS:%=$(USER)/stress/%) $(USER)/check/memory_random \
                              tests/user/stress/stress.mk tests/user/stress/defuse.sh
	$(call say,CPIO)
	python3 tools/archive.py $(ARCHIVE_EMPTY_DIRECTORIES) --links $(USER)/bin/busybox-small.links:/bin/busybox \
	    --file $(USER)/bin/busybox-small:/bin/busybox \
	    $(foreach name,$(STRESS_PROGRAMS),--file $(USER)/stress/$(name):/bin/$(name)) \
	    --file $(USER)/check/memory_random:/bin/memory_random --file tests/user/stress/defuse.sh:/bin/defuse $@ user/root

.PHONY: stress-archive
stress-archive: $(BUILD)/archive-stress.cpio

.PHONY: stress
stress: kernel archives check-programs stress-archive failing-image ## a million random system calls, births, kills, memory beside Linux: long
	BUILD='$(abspath $(BUILD))' /usr/bin/pytest-3 -q -o python_files='*.py' tests/user/stress/long.py
