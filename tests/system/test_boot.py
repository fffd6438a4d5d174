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


# What the firmware of each machine model keeps of RAM: from 0x9F000 to 1 MiB, and tables below the end of low RAM.
FIRMWARE_BYTES = {'pc': 0x61000 + 0x20000, 'q35': 0x61000 + 0x21000}


def assert_all_ram_is_there(machine, model='pc'):
    missing = emulated_bytes(machine) - frames_of_ram(machine) * 4096
    assert missing == FIRMWARE_BYTES[model], f'{missing} bytes of RAM are in nobody\'s books'


@pytest.mark.parametrize('size', SIZES)
def test_sizes(tmp_path, size):
    with boot_to_prompt(tmp_path, qmp=True, MEM=size) as machine:
        assert_all_ram_is_there(machine)
        output = machine.command('selftest')
        assert re.search(r'selftest: [1-9]\d* passed, 0 failed', output), output
        assert_all_ram_is_there(machine)


@pytest.mark.parametrize('way', ['disk', 'cd', 'multiboot'])
@pytest.mark.parametrize('model', ['pc', 'q35'])
@pytest.mark.parametrize('processor', ['max', 'qemu32', 'pentium3'])
def test_ways_models_and_processors(tmp_path, way, model, processor):
    with boot_to_prompt(tmp_path, qmp=True, MEM=128, BOOT=way, MACHINE=model, CPU=processor) as machine:
        assert_all_ram_is_there(machine, model)


@pytest.mark.parametrize('settings', [dict(MEM=8, BOOT='multiboot'), dict(MEM=8, BOOT='cd', MACHINE='q35', CPU='pentium3'),
                                      dict(MEM=8192, BOOT='multiboot', MACHINE='q35'), dict(MEM=4096, BOOT='cd', CPU='pentium3')],
                         ids=lambda settings: '-'.join(map(str, settings.values())))
def test_sizes_and_ways_together(tmp_path, settings):
    with boot_to_prompt(tmp_path, qmp=True, **settings) as machine:
        assert_all_ram_is_there(machine, settings.get('MACHINE', 'pc'))


def test_usb_stick(tmp_path):
    """The same image on a USB mass storage device."""
    image = BUILD / '32rtos-empty.iso'
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
