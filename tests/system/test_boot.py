"""The machine boots: sizes, ways in, machine models, processors. The books balance in each, and RAM is all there."""
import re

import pytest

from tests.conftest import BUILD
from tests.system.machine import Machine, boot_to_prompt

SIZES = [8, 16, 64, 512, 1024, 3072, 4096, 8192]
CHECK_OK = re.compile(r'^memory check: ok \((\d+) frames\)$', re.M)


def frames_of_ram(machine):
    """What the books cover, after a check that must find nothing."""
    output = machine.command('mem check')
    found = CHECK_OK.search(output)
    assert found, output
    return int(found.group(1))


def emulated_bytes(machine):
    return machine.qmp('query-memory-size-summary')['base-memory']


def assert_all_ram_is_there(machine):
    """All but what the firmware keeps: the video hole below 1 MiB, its tables at the top of low memory."""
    missing = emulated_bytes(machine) - frames_of_ram(machine) * 4096
    assert 0 <= missing <= 1 << 20, f'{missing} bytes of RAM are in nobody\'s books'


@pytest.mark.parametrize('size', SIZES)
def test_sizes(tmp_path, size):
    with boot_to_prompt(tmp_path, qmp=True, MEM=size) as machine:
        assert_all_ram_is_there(machine)
        machine.command('selftest')
        assert_all_ram_is_there(machine)


@pytest.mark.parametrize('way', ['disk', 'cd', 'multiboot'])
@pytest.mark.parametrize('model', ['pc', 'q35'])
@pytest.mark.parametrize('processor', ['max', 'qemu32', 'pentium3'])
def test_ways_models_and_processors(tmp_path, way, model, processor):
    with boot_to_prompt(tmp_path, qmp=True, MEM=128, BOOT=way, MACHINE=model, CPU=processor) as machine:
        assert_all_ram_is_there(machine)


def test_usb_stick(tmp_path):
    """The same image on a USB mass storage device."""
    image = BUILD / '32rtos.iso'
    with boot_to_prompt(tmp_path, QEMUFLAGS='-drive if=none,id=stick,format=raw,readonly=on,file=' f'{image} '
                        '-device qemu-xhci -device usb-storage,drive=stick,bootindex=0') as machine:
        assert frames_of_ram(machine)


def test_no_execute_where_the_processor_has_it(tmp_path):
    with boot_to_prompt(tmp_path, CPU='qemu32,+nx') as machine:
        assert re.search(r'on: .*\bnx\b', machine.serial())


def test_log_says_what_is_missing(tmp_path):
    with boot_to_prompt(tmp_path, CPU='pentium3') as machine:
        assert not re.search(r'on: .*\bnx\b', machine.serial())


def test_memory_beyond_the_processor_is_left_out_and_said(tmp_path):
    with boot_to_prompt(tmp_path, MEM=8192, CPU='qemu32') as machine:
        assert re.search(r'5120 MiB of RAM lie beyond the processor\'s 32 address bits', machine.serial())
        assert frames_of_ram(machine)


@pytest.mark.parametrize('way', ['disk', 'multiboot'])
def test_processor_without_pae_is_refused(tmp_path, way):
    with Machine(tmp_path, CPU='pentium', BOOT=way) as machine:
        machine.expect(r'32RTOS: .*PAE')
