# Packages, the targets that run the machine, and tools for the build host.

#@ MEM=64          RAM of the machine, in MiB
#@ RUN=            commands for the prompt, executed before it reads the keyboard: RUN='mem; poweroff'
#@ BOOT=disk       how to boot: disk, cd or multiboot
#@ CPU=max         processor model: max, qemu32, pentium3, ... (qemu-system-i386 -cpu help)
#@ MACHINE=pc      machine model: pc, q35, ... (qemu-system-i386 -machine help)
#@ APPEND=         words for the kernel's command line: video=1024x768, video=text
#@ FILES=          files to add to the initial archive: FILES='host/path:/path ...'
#@ PROGRAM=        a static program to add to it, as /program, and to run; its status is this one's
#@ ARGS=           its arguments
#@ SH=             commands for a shell instead: SH='ls | wc -l'
#@ QEMUFLAGS=      more arguments for the emulator
#@ TIMEOUT=        seconds after which the machine counts as hanging
#@ BUILD=build     where everything that is made goes
#@ CC=gcc          gcc or clang
#@ SANITIZE=       SANITIZE=1: the kernel with KASAN and UBSan (kernel/sanitizer), in a folder of its own
#@ HEAP_DEBUG=     1 to 3: who has each object of the heap; patterns around and in free ones; a quarantine
#@ FAILURES=       FAILURES=1: the kernel in which allocations fail on demand (kernel/failure), in a folder of its own
#@ V=              V=1 shows the commands

# Builds of one tree, which must not mix.
ifneq ($(filter-out 1,$(FAILURES)),)
$(error FAILURES=$(FAILURES): 1 or nothing, please)
endif
ifeq ($(FAILURES)$(SANITIZE),11)
$(error FAILURES=1 and SANITIZE=1 stand between the same functions: one of them, please)
endif
ifeq ($(FAILURES),1)
override BUILD := $(BUILD)/failures
endif
ifeq ($(SANITIZE),1)
override BUILD := $(BUILD)/sanitize
else ifneq ($(SANITIZE),)
$(error SANITIZE=$(SANITIZE): 1 or nothing, please)
endif

# Before anything is built for a goal, the packages that it needs are installed: the stamps below are
# included as makefiles, so make brings them up to date first.
PACKAGES_kernel := build
PACKAGES_image  := build
PACKAGES_tools  := build
PACKAGES_lib    := build
PACKAGES_example := build
PACKAGES_run    := build run
PACKAGES_debug  := build run debug
PACKAGES_test   := build run programs test host32
PACKAGES_fuzz-short := build test host32
PACKAGES_programs       := build programs
PACKAGES_archives       := build programs
PACKAGES_check-programs := build programs
PACKAGES_user-toolchain := build programs
PACKAGES_bench        := build bench host32
PACKAGES_bench-quick  := build bench host32
PACKAGES_bench-counts := build host32
PACKAGES_coverage     := build host32
PACKAGES_bench-user   := build run
PACKAGES_bench-linux  := build run
PACKAGES_bench-user-accept := build run

# What ends in a shell needs one; commands for the prompt, and a program that is given, do not. Machines with little
# RAM get the small archive, but for who names one.
SMALL_MACHINES := 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
ENDS_IN_SHELL  := $(value SH)$(if $(value RUN)$(value PROGRAM),,$(filter run debug image,$(MAKECMDGOALS)))
ifeq ($(origin ARCHIVE)$(if $(ENDS_IN_SHELL),,none),undefined)
SMALL_MEM := $(if $(filter 1,$(words $(value MEM))),$(filter $(SMALL_MACHINES),$(value MEM)))
ARCHIVE   := $(if $(SMALL_MEM),small,full)
ARCHIVE_WORDS := $(if $(SMALL_MEM),32RTOS: MEM=$(SMALL_MEM): the small archive (ARCHIVE=full: the other))
endif

ifneq ($(filter small full,$(ARCHIVE)),)
PACKAGES_image += programs
PACKAGES_run   += programs
PACKAGES_debug += programs
endif

PACKAGE_GROUPS := $(sort $(foreach goal,$(MAKECMDGOALS),$(PACKAGES_$(goal))))
ifneq ($(PACKAGE_GROUPS),)
include $(PACKAGE_GROUPS:%=$(BUILD)/packages/%.mk)
endif

$(BUILD)/packages/%.mk: tools/packages
	mkdir -p $(@D)
	tools/packages $*
	touch $@

# Values reach the guest as they were typed: read without expansion, exported, never pasted into a recipe.
MACHINE_VARIABLES := MEM RUN BOOT CPU MACHINE APPEND QEMUFLAGS TIMEOUT FILES PROGRAM ARGS SH
$(foreach name,$(MACHINE_VARIABLES),$(eval override $(name) := $$(value $(name))))
export $(MACHINE_VARIABLES) BUILD

run: kernel image ## boot it in QEMU, the shell in this terminal (Ctrl-A X ends the emulator)
	$(if $(ARCHIVE_WORDS),echo '$(ARCHIVE_WORDS)')
	tools/run

debug: kernel image ## boot it stopped, with gdb attached and the kernel's symbols
	tools/run --debug

include tools/e820-regions/tool.mk
