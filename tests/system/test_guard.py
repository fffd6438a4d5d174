"""The guard of the heap: what it catches, and what the panic says of it."""
import re

import pytest

from tests.system.machine import Machine, boot_to_prompt

OBJECT = r'an object of 64 bytes at 0x[0-9a-f]{8}'
ALLOCATED = r'\n+.*allocated by 0x[0-9a-f]{8} mistake_allocator\+0x[0-9a-f]+ \(number \d+\)'
FREED = r'\n+.*freed by 0x[0-9a-f]{8} mistake_freer\+0x[0-9a-f]+'
PANICS = {
    'overrun': r'0 bytes behind ' + OBJECT + ALLOCATED,
    'freed': r'byte 3 of ' + OBJECT + ', which was freed' + ALLOCATED + FREED,
}


@pytest.mark.parametrize('mistake', PANICS)
def test_what_faults_names_the_object(tmp_path, mistake):
    with Machine(tmp_path, RUN=f'fault {mistake}', APPEND='guard=1') as machine:
        assert machine.end() == 1, 'status of a panic'
        report = machine.serial()
    assert re.search(r"page fault: write to 0x[0-9a-f]{8}, row 'kernel heap', page not present", report)
    assert re.search(r'at 0x[0-9a-f]{8} mistake_writer\+', report)
    assert re.search(PANICS[mistake], report), report


def test_what_does_not_fault_is_said_when_freed(tmp_path):
    with boot_to_prompt(tmp_path, APPEND='guard=1') as machine:
        output = machine.command('fault underrun')
        assert re.search(r'heap: underrun: 0x01 instead of 0xa7, 1 bytes before ' + OBJECT +
                         r', allocated by 0x[0-9a-f]{8} mistake_allocator\+0x[0-9a-f]+ \(number \d+\)\n', output), output
        output = machine.command('fault double')
        assert re.search(r'heap: double free of 0x[0-9a-f]+ refused, called from 0x[0-9a-f]{8} mistake_freer\+', output)
        assert re.search(r'heap: it was byte 0 of ' + OBJECT + r', allocated by 0x[0-9a-f]{8} mistake_allocator\+\S+ '
                         r'\(number \d+\), freed by 0x[0-9a-f]{8} mistake_freer\+', output), output
        assert 'found changed 1' in machine.command('heap guard')
        assert 'memory check: ok' in machine.command('mem check')


def test_all_selftests_pass_with_every_object_guarded(tmp_path):
    with boot_to_prompt(tmp_path, APPEND='guard=1') as machine:
        output = machine.command('selftest')
        assert re.search(r'selftest: \d+ passed, 0 failed', output), output
        assert 'memory check: ok' in machine.command('mem check')
        assert int(re.search(r'allocations (\d+)', machine.command('heap guard')).group(1)) > 100


def test_it_is_off_unless_wanted(tmp_path):
    with boot_to_prompt(tmp_path, APPEND='guard=many') as machine:
        assert 'guard=many: not a number' in machine.serial()
        assert 'allocations 0,' in machine.command('heap guard')
        assert 'Of 7 new objects' in machine.command('heap guard 7')
        assert 'is not a number' in machine.command('heap guard seven')
