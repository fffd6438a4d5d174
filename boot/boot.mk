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

# The initial archive of the image: user/user.mk makes those with programs.
ARCHIVE_empty := $(BUILD)/archive-empty.cpio
ARCHIVE_small := $(BUILD)/archive-small.cpio
ARCHIVE_full  := $(BUILD)/archive.cpio
#@ ARCHIVE=empty   the initial archive: empty, small (for little RAM), full, or a cpio file of your own
ARCHIVE ?= empty
BASE_ARCHIVE  := $(or $(ARCHIVE_$(ARCHIVE)),$(ARCHIVE))
IMAGE_ARCHIVE := $(BASE_ARCHIVE)
ifeq ($(ARCHIVE_$(ARCHIVE)),)
ifneq ($(words $(ARCHIVE)) $(wildcard $(ARCHIVE)),1 $(ARCHIVE))
$(error 32RTOS: ARCHIVE=$(ARCHIVE): empty, small, full, or the name of a cpio file without blanks, please)
endif
endif

$(BUILD)/archive-empty.cpio: tools/archive.py
	mkdir -p $(@D)
	python3 tools/archive.py $@

# What one run adds. The tool reads FILES and PROGRAM as they were typed.
ifneq ($(FILES)$(PROGRAM),)
IMAGE_ARCHIVE := $(BUILD)/archive-run.cpio
$(BUILD)/archive-run.cpio: $(BASE_ARCHIVE) tools/archive.py FORCE
	python3 tools/archive.py --base $(BASE_ARCHIVE) --environment $@
endif
export IMAGE_ARCHIVE

$(BUILD)/stamps/archive: FORCE
	$(call stamp,$(IMAGE_ARCHIVE))

BOOT_PARTS := $(foreach part,stage1 stage2 entry,$(BUILD)/boot/$(part).bin)

$(BUILD)/32rtos.iso: $(BOOT_PARTS) $(BUILD)/kernel.elf $(IMAGE_ARCHIVE) tools/image.py $(BUILD)/stamps/archive
	$(call say,IMG)
	python3 tools/image.py --output $@ --stage1 $(BUILD)/boot/stage1.bin \
	    --stage2 $(BUILD)/boot/stage2.bin --entry $(BUILD)/boot/entry.bin \
	    --kernel $(BUILD)/kernel.elf --archive $(IMAGE_ARCHIVE)

.PHONY: loader
loader: $(BOOT_PARTS) # without a kernel: what the loader's tests need
image: $(BUILD)/32rtos.iso ## the boot image, build/32rtos.iso: hard disk, USB stick and CD-ROM in one

-include $(shell find $(BUILD)/boot -name '*.d' 2>/dev/null)
