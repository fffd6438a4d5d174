"""Each `fault` does it for real, and ends as the map promises: row, page state, address, symbol, backtrace."""
import re

import pytest

from tests.system.machine import Machine, boot_to_prompt

# What a panic must say, for each kind.
PANICS = {
    'null': [r'page fault: read', r'0x0000000[0-9a-f]', r'IVT \+ BDA'],
    'guard': [r'page fault: write', r'guard below stack'],
    'rodata': [r'page fault: write', r'kernel image'],
    'nx': [r'page fault: (execute|instruction fetch)'],
    'stack': [r'stack overflow', r'guard below stack'],
}


@pytest.mark.parametrize('kind, processor', [(kind, processor) for kind in PANICS for processor in ('max', 'pentium3')
                                             if (kind, processor) != ('nx', 'pentium3')])  # which has no NX
def test_fault_is_diagnosed(tmp_path, kind, processor):
    with Machine(tmp_path, RUN=f'fault {kind}', CPU=processor) as machine:
        assert machine.end() == 1, 'status of a panic'
        report = machine.serial()
        for pattern in PANICS[kind]:
            assert re.search(pattern, report, re.I), f'{pattern} is not in the report'
        # Data that was executed has no symbol of its own; who called it has.
        assert re.search(r'called from .*\+0x' if kind == 'nx' else r' at 0x.*\+0x', report), 'the instruction has a symbol'
        assert re.search(r'backtrace', report, re.I)
        assert 'monitor_run' in report, 'the backtrace reaches the prompt'


def test_no_execute_fault_without_nx_is_refused(tmp_path):
    with boot_to_prompt(tmp_path, CPU='pentium3') as machine:
        assert 'no-execute' in machine.command('fault nx').lower()


def test_wrong_frees_are_refused_and_execution_goes_on(tmp_path):
    with boot_to_prompt(tmp_path) as machine:
        output = machine.command('fault heap')
        for kind in ('double', 'foreign', 'interior', 'misaligned'):
            assert re.search(rf'heap: {kind} free of 0x[0-9a-f]+ refused, called from 0x[0-9a-f]{{8}} '
                             r'misuse\+0x[0-9a-f]+', output), output
        assert 'memory check: ok' in machine.command('mem check')
