# The boot loader's three parts, the initial archive and the image: build/32rtos.iso.

# 386 instructions only: what says that a processor is too old has to run on it.
BOOT_CFLAGS  := -m32 -march=i386 -std=gnu11 -Os -g -ffreestanding -fno-pic -fno-pie \
                -mgeneral-regs-only -fomit-frame-pointer -fno-asynchronous-unwind-tables \
                -fno-stack-protector -fno-common $(WARNINGS) $(INCLUDES)
BOOT_ASFLAGS := -m32 -fno-pic $(INCLUDES)
ifneq ($(shell $(CC) --version 2>/dev/null | grep -c clang),0)
BOOT_ASFLAGS += -fno-integrated-as
endif
BOOT_LDFLAGS := -m elf_i386 -static -nostdlib --build-id=none -z noexecstack --no-warn-rwx-segments

# The entry stub resolves the firmware's map, and finds ACPI's root, with the kernel's own code.
BOOT_SOURCES_stage1 := $(wildcard boot/stage1/*.S)
BOOT_SOURCES_stage2 := $(wildcard boot/stage2/*.S)
BOOT_SOURCES_entry  := $(wildcard boot/entry/*.S boot/entry/*.c) kernel/memory/e820/e820.c \
                       kernel/lib/rsdp.c

# What the host's tests link: the parts that are pure.
SOURCES_boot := $(addprefix boot/entry/,commandline.c crc32.c elf.c memorymap_place.c) kernel/lib/rsdp.c

boot-objects = $(patsubst %,$(BUILD)/boot/%.o,$(filter-out %.ld.S,$(BOOT_SOURCES_$(1))))

$(BUILD)/stamps/boot: FORCE
	$(call stamp,$(CC) $(BOOT_CFLAGS) $(BOOT_ASFLAGS) $(BOOT_SOURCES_stage1) $(BOOT_SOURCES_stage2) $(BOOT_SOURCES_entry))

$(BUILD)/boot/%.c.o: %.c $(BUILD)/stamps/boot
	$(call say,CC)
	mkdir -p $(@D)
	$(CC) $(BOOT_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/boot/%.S.o: %.S $(BUILD)/stamps/boot
	$(call say,CC)
	mkdir -p $(@D)
	$(CC) $(BOOT_ASFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/boot/%.ld: boot/%.ld.S kernel/memory/memory.h boot/image.h
	mkdir -p $(@D)
	$(CC) -E -P -x assembler-with-cpp $(INCLUDES) -o $@ $<

define boot-part
$(BUILD)/boot/$(1).elf: $(call boot-objects,$(1)) $(BUILD)/boot/$(1)/$(1).ld
	$$(LD) $$(BOOT_LDFLAGS) -T $(BUILD)/boot/$(1)/$(1).ld -o $$@ $(call boot-objects,$(1))
$(BUILD)/boot/$(1).bin: $(BUILD)/boot/$(1).elf
	objcopy -O binary $$< $$@
endef
$(foreach part,stage1 stage2 entry,$(eval $(call boot-part,$(part))))

# The initial archives (user/user.mk makes those with programs), each with an image of its own, so that they stand
# beside each other; one more image holds an archive of the user's, or what one run adds.
IMAGE_ARCHIVES := full small empty run
ARCHIVE_full   := $(BUILD)/archive.cpio
ARCHIVE_small  := $(BUILD)/archive-small.cpio
ARCHIVE_empty  := $(BUILD)/archive-empty.cpio
IMAGE_full     := $(BUILD)/32rtos.iso
$(foreach name,$(filter-out full,$(IMAGE_ARCHIVES)),$(eval IMAGE_$(name) := $(BUILD)/32rtos-$(name).iso))

#@ ARCHIVE=        the initial archive: full, small (below 16 MiB), empty (with RUN), or a cpio file of your own
ARCHIVE ?= empty
ifneq ($(filter full small empty,$(ARCHIVE)),)
BASE_ARCHIVE := $(ARCHIVE_$(ARCHIVE))
IMAGE        := $(IMAGE_$(ARCHIVE))
else ifeq ($(words $(ARCHIVE)) $(wildcard $(ARCHIVE)),1 $(ARCHIVE))
BASE_ARCHIVE := $(ARCHIVE)
IMAGE        := $(IMAGE_run)
else
$(error 32RTOS: ARCHIVE=$(ARCHIVE): empty, small, full, or the name of a cpio file without blanks, please)
endif
IMAGE_ARCHIVE := $(BASE_ARCHIVE)

$(ARCHIVE_empty): tools/archive.py
	mkdir -p $(@D)
	python3 tools/archive.py $@

# What one run adds. The tool reads FILES and PROGRAM as they were typed.
ifneq ($(FILES)$(PROGRAM),)
IMAGE         := $(IMAGE_run)
IMAGE_ARCHIVE := $(BUILD)/archive-run.cpio
$(IMAGE_ARCHIVE): $(BASE_ARCHIVE) tools/archive.py FORCE
	python3 tools/archive.py --base $(BASE_ARCHIVE) --environment $@
endif
ARCHIVE_run := $(IMAGE_ARCHIVE)
export IMAGE IMAGE_ARCHIVE

$(BUILD)/stamps/archive-run: FORCE
	$(call stamp,$(ARCHIVE_run))
$(IMAGE_run): $(BUILD)/stamps/archive-run

BOOT_PARTS := $(foreach part,stage1 stage2 entry,$(BUILD)/boot/$(part).bin)

define boot-image
$(IMAGE_$(1)): $(BOOT_PARTS) $(BUILD)/kernel.elf $(ARCHIVE_$(1)) tools/image.py
	$$(call say,IMG)
	python3 tools/image.py --output $$@ --stage1 $(BUILD)/boot/stage1.bin \
	    --stage2 $(BUILD)/boot/stage2.bin --entry $(BUILD)/boot/entry.bin \
	    --kernel $(BUILD)/kernel.elf --archive $(ARCHIVE_$(1))
endef
$(foreach name,$(IMAGE_ARCHIVES),$(eval $(call boot-image,$(name))))

.PHONY: loader
loader: $(BOOT_PARTS) # without a kernel: what the loader's tests need
image: $(IMAGE) ## the boot image, build/32rtos.iso: hard disk, USB stick and CD-ROM in one

-include $(shell find $(BUILD)/boot -name '*.d' 2>/dev/null)
