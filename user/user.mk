# Programs for the machine: a compiler for them, those of the distribution built from its source, and our own.
# docs/programs.md says how to use the compiler and how to get a program into the machine.

# The kernel's builds share them: SANITIZE=1 and FAILURES=1 have their kernels in folders of their own below.
SHARED_BUILD := $(patsubst %/failures,%,$(patsubst %/sanitize,%,$(BUILD)))
USER         := $(SHARED_BUILD)/user
DISTRIBUTION := $(SHARED_BUILD)/distribution
USER_CC      := $(USER)/cc

# The compiler is the machine's gcc; C library and kernel headers are the distribution's for i386.
TOOLCHAIN_PACKAGES := musl-dev linux-libc-dev

$(DISTRIBUTION)/toolchain: | tools/distribution
	$(call say,GET)
	tools/distribution $(DISTRIBUTION) binary $(TOOLCHAIN_PACKAGES)
	touch $@

$(USER)/sysroot/complete: $(DISTRIBUTION)/toolchain | user/toolchain/unpack
	user/toolchain/unpack $(USER)/sysroot $(TOOLCHAIN_PACKAGES:%=$(DISTRIBUTION)/binary/%_*_i386.deb)
	touch $@

$(USER)/gcc.specs: user/toolchain/gcc.specs
	mkdir -p $(@D)
	cp $< $@

$(USER_CC): user/toolchain/cc $(USER)/gcc.specs $(USER)/sysroot/complete
	$(call say,MAKE)
	cp $< $@

.PHONY: user-toolchain
user-toolchain: $(USER_CC) ## the compiler for programs: build/user/cc hello.c -o hello

# What the distribution has, each from its source package; busybox comes in two sizes.
PACKAGED := busybox busybox-small lua sqlite3 memtester stress
SOURCE_busybox-small := busybox
SOURCE_lua           := lua5.4
source-of = $(or $(SOURCE_$(1)),$(1))

$(DISTRIBUTION)/sources: | tools/distribution
	$(call say,GET)
	tools/distribution $(DISTRIBUTION) source $(sort $(foreach name,$(PACKAGED),$(call source-of,$(name))))
	touch $@

# They take minutes, so what they are made from counts by its content, not by its time.
content = $(shell cat $(1) | sha256sum)

define packaged-program
$(USER)/packaged/$(1).made-from: FORCE
	$$(call stamp,$(1) $$(call content,user/packaged/build $(wildcard user/packaged/$(1).config) user/toolchain/*))
$(USER)/bin/$(1): $(DISTRIBUTION)/sources $(USER)/packaged/$(1).made-from | $(USER_CC)
	$$(call say,USER)
	mkdir -p $$(@D)
	user/packaged/build $(1) $(DISTRIBUTION)/source $(USER)/packaged/$(1) $(USER_CC) $$@
endef
$(foreach name,$(PACKAGED),$(eval $(call packaged-program,$(name))))

# Our own: a file each.
OWN_PROGRAMS := $(patsubst user/%.c,%,$(wildcard user/*.c))
USER_CFLAGS  := -std=gnu11 -O2 -g $(WARNINGS)

$(BUILD)/stamps/user: FORCE
	$(call stamp,$(USER_CFLAGS))

$(OWN_PROGRAMS:%=$(USER)/bin/%): $(USER)/bin/%: user/%.c $(USER_CC) $(BUILD)/stamps/user
	$(call say,USER)
	mkdir -p $(@D)
	$(USER_CC) $(USER_CFLAGS) -MMD -MP -MF $(USER)/bin/$*.d -o $@ $<

PROGRAMS := $(PACKAGED:%=$(USER)/bin/%) $(OWN_PROGRAMS:%=$(USER)/bin/%)
.PHONY: programs
programs: $(PROGRAMS) ## the programs for the machine, in build/user/bin

# Programs that check system calls. They run on Linux and on our kernel, and print the same.
CHECK_PROGRAMS := $(patsubst tests/user/programs/%.c,%,$(wildcard tests/user/programs/*.c))

$(CHECK_PROGRAMS:%=$(USER)/check/%): $(USER)/check/%: tests/user/programs/%.c $(USER_CC) $(BUILD)/stamps/user
	$(call say,USER)
	mkdir -p $(@D)
	$(USER_CC) $(USER_CFLAGS) -I. -O1 -MMD -MP -MF $(USER)/check/$*.d -o $@ $<
$(USER)/check/starter: tests/user/elf/starter.c $(USER_CC) $(BUILD)/stamps/user
	$(call say,USER)
	mkdir -p $(@D)
	$(USER_CC) $(USER_CFLAGS) -I. -MMD -MP -MF $@.d -o $@ $<
-include $(wildcard $(USER)/check/*.d)

.PHONY: check-programs
check-programs: $(CHECK_PROGRAMS:%=$(USER)/check/%) $(USER)/check/starter $(BUILD)/bench/user/bench $(DISTRIBUTION)/linux-686-pae

# The kernel that they are compared with, and that for measurements.
$(DISTRIBUTION)/linux-%: | tools/linux-kernel
	$(call say,GET)
	tools/linux-kernel $(DISTRIBUTION) $* $@

# The initial archives: a root directory with the programs in /bin, in two sizes.
ARCHIVE_EMPTY_DIRECTORIES := $(addprefix --make-directory ,/bin /dev /proc /root /tmp)
ARCHIVE_ROOT := $(shell find user/root -type f)

$(BUILD)/archive.cpio: tools/archive.py $(ARCHIVE_ROOT) $(PROGRAMS) user/user.mk
	$(call say,CPIO)
	python3 tools/archive.py $(ARCHIVE_EMPTY_DIRECTORIES) --links $(USER)/bin/busybox.links:/bin/busybox \
	    $(foreach name,$(filter-out busybox-small,$(PACKAGED)) $(OWN_PROGRAMS),--file $(USER)/bin/$(name):/bin/$(name)) \
	    $@ user/root

$(BUILD)/archive-small.cpio: tools/archive.py $(ARCHIVE_ROOT) $(USER)/bin/busybox-small user/user.mk
	$(call say,CPIO)
	python3 tools/archive.py $(ARCHIVE_EMPTY_DIRECTORIES) --links $(USER)/bin/busybox-small.links:/bin/busybox \
	    --file $(USER)/bin/busybox-small:/bin/busybox $@ user/root

.PHONY: archives
archives: $(BUILD)/archive.cpio $(BUILD)/archive-small.cpio ## the initial archives with programs

-include $(wildcard $(USER)/bin/*.d)
