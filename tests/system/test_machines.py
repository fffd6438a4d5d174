"""Machines that are not like the others: old, tiny, huge, without parts. None may hang silently, each works or says why."""
import re
import time

import pytest

from tests.system.bare import BareMachine
from tests.system.machine import PATIENCE, Machine, boot_to_prompt

MODELS = [
    dict(CPU='n270'),
    dict(CPU='coreduo'),
    dict(CPU='Nehalem'),
    dict(MACHINE='isapc', CPU='pentium3'),  # neither PCI nor ACPI
    dict(QEMUFLAGS='-smp 2'),
    dict(QEMUFLAGS='-machine acpi=off'),
    dict(MEM=3),  # the least
    dict(MEM=3, BOOT='multiboot'),
    dict(MEM=16384),
    dict(MEM=3500, CPU='coreduo'),
]


def name_of(value):
    return '-'.join(f'{word}' for word in value.values()).replace(' ', '') if isinstance(value, dict) else str(value)


@pytest.mark.parametrize('settings', MODELS, ids=name_of)
def test_works(tmp_path, settings):
    with boot_to_prompt(tmp_path, **settings) as machine:
        assert 'memory check: ok' in machine.command('mem check')
        machine.send('poweroff\r')
        assert machine.end() == 0


def test_the_local_apic_is_found_without_tables(tmp_path):
    with boot_to_prompt(tmp_path, QEMUFLAGS='-machine acpi=off') as machine:
        assert re.search(r'acpi: local APIC 0, .* at 0xfee00000, seen at 0x0b000000', machine.serial())
        assert 'page at 0xfee00000' in machine.command('page 0x0b000000')


@pytest.mark.parametrize('size', [1, 2])
def test_too_little_memory_is_said(tmp_path, size):
    with Machine(tmp_path, MEM=size) as machine:
        machine.expect(r'32RTOS: there is no RAM (where the kernel must be|for the initial archive of 512 bytes)|'
                       r'cannot start: the memory system: out of memory')


def test_memory_above_64_gib_is_left_out_and_said(tmp_path):
    """70 GB that the host need not have: only what is touched is there."""
    memory = ['-m', '70000', '-object', 'memory-backend-ram,id=ram,size=70000M,reserve=off', '-machine', 'memory-backend=ram']
    with BareMachine(tmp_path, ['-cpu', 'max,phys-bits=40', *memory], emulator='qemu-system-x86_64') as machine:
        machine.expect_prompt()
        assert re.search(r'[0-9]+ MiB of RAM lie above 64 GiB', machine.serial())
        assert 'memory check: ok' in machine.command('mem check')
        table = machine.command('mem')
        in_books, left_out = (int(re.search(rf'^{name} +([0-9]+)', table, re.M).group(1)) for name in ('all RAM', 'above 64 GiB'))
        assert 0 <= 70000 * 256 - in_books - left_out < 256


def test_the_prompt_works_without_a_serial_port(tmp_path):
    """Typed at the keyboard until the machine is off: what is typed while it boots may be lost."""
    with BareMachine(tmp_path, ['-serial', 'none']) as machine:
        deadline = time.monotonic() + PATIENCE
        while machine.child.isalive():
            assert time.monotonic() < deadline, 'it is not switched off by what is typed'
            try:
                for key in [*'poweroff', 'ret']:
                    machine.monitor(f'sendkey {key} 20')
                    time.sleep(0.05)
                time.sleep(1)
            except (OSError, ValueError):
                break  # the emulator has closed its side
        assert machine.end() == 0


@pytest.mark.parametrize('model', ['pc', 'q35'])
def test_power_off_by_acpi(tmp_path, model):
    with BareMachine(tmp_path, ['-machine', model], 'run=poweroff') as machine:
        assert machine.end() == 0


def test_power_off_that_cannot_be_done_is_said(tmp_path):
    with BareMachine(tmp_path, ['-machine', 'isapc', '-cpu', 'pentium3'], 'run=poweroff') as machine:
        machine.expect(r'cannot be switched off')


@pytest.mark.parametrize('flags', [[], ['-machine', 'q35,i8042=off']], ids=['keyboard', 'no-keyboard'])
def test_reboot_starts_again(tmp_path, flags):
    with BareMachine(tmp_path, flags) as machine:
        machine.expect_prompt()
        machine.send('reboot\r')
        machine.expect('booted from disk')
        machine.expect_prompt()
        assert len(re.findall('booted from disk', machine.serial())) == 2
