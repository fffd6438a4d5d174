# What memory calls cost in the machine, in instructions (bench/machine/README.md).

PACKAGES_bench-machine        := build run
PACKAGES_bench-machine-accept := build run

.PHONY: bench-machine bench-machine-accept

bench-machine: kernel image ## count the instructions of memory calls in the machine
	python3 -m bench.machine.measure '$(BUILD)'

bench-machine-accept: kernel image ## the same, and lower what bench/machine/accepted.txt allows
	python3 -m bench.machine.measure --accept '$(BUILD)'
