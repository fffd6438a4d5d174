"""Programs that try to break the kernel: its books are as before. tests/user/stress/long.py does it for longer."""
import collections
import re

import pytest

from tests.conftest import BUILD
from tests.system.machine import boot_to_prompt

# What it is told. A memory file system that is full says ENOSPC.
BOMBS = {'map': 'ENOMEM', 'touch': 'ENOMEM', 'heap': 'ENOMEM', 'shared': 'ENOMEM', 'file': 'ENOSPC', 'name': 'ENOSPC', 'area': 'ENOMEM',
         'thread': 'EAGAIN', 'fork': 'ENOMEM', 'pipe': 'ENOMEM'}


def books(machine):
    """Frames by state, and live objects of the heap. Its pages may differ: it keeps an empty slab or two of a class."""
    rows = re.findall(r'^([a-z][a-z ]*?) +(?:-|[a-z]+) +(\d+) +[\d.]+ +[#.]+$', machine.command('mem'), re.M)
    frames = collections.Counter()
    for state, count in rows:
        frames['free' if state in ('zeroed', 'heap') else state] += int(count)
    assert {'free', 'allocated', 'page table', 'cache'} <= set(frames) and frames['free'] > 10000, rows
    return frames, re.search(r'^objects (\d+),', machine.command('heap'), re.M).group(1)


def test_births_and_ends_leave_nothing(tmp_path):
    with boot_to_prompt(tmp_path, RUN='help', BOOT='multiboot', IMAGE_ARCHIVE=BUILD / 'archive-stress.cpio') as machine:
        machine.command('program /bin/cycles all 3')
        before = books(machine)
        assert 'cycles: all: 500 of each, 0 wrong' in machine.command('program /bin/cycles all 500')
        assert books(machine) == before
        assert 'memory check: ok' in machine.command('mem check')


@pytest.mark.parametrize('seed', [1, 4])
def test_kills_at_any_moment_leave_nothing(tmp_path, seed):
    """Of groups: who is forked while its group is killed must not get away, or the killer waits for it for ever."""
    with boot_to_prompt(tmp_path, RUN='help', BOOT='multiboot', IMAGE_ARCHIVE=BUILD / 'archive-stress.cpio') as machine:
        machine.command('program /bin/kills 9 20')
        before = books(machine)
        output = machine.command(f'program /bin/kills {seed} 300')
        assert 'kills: 300 of 300 were begun' in output, output
        assert books(machine) == before
        assert 'memory check: ok' in machine.command('mem check')


def test_orphans_without_a_first_process_leave_nothing(tmp_path):
    """Of a program of the monitor: what it leaves behind is killed, and nobody waits for that."""
    with boot_to_prompt(tmp_path, RUN='help', BOOT='multiboot', IMAGE_ARCHIVE=BUILD / 'archive-stress.cpio') as machine:
        machine.command('program /bin/sh -c "sleep 100 & true"')
        machine.command('program /bin/true')
        before = books(machine)
        for _ in range(3):
            assert 'ended with status 0' in machine.command('program /bin/sh -c "sleep 100 & sleep 100 & true"')
        machine.command('program /bin/true')
        assert books(machine) == before
        assert 'memory check: ok' in machine.command('mem check')


def fuzz(machine, seed, calls):
    """Random calls; every one that there is was made, and a fifth of them, at least, succeeded."""
    machine.command('program /bin/fuzz 99 2000')
    before = books(machine)
    output = machine.command(f'program /bin/fuzz {seed} {calls}')
    found = re.search(r'^fuzz: seed \d+: (\d+) calls, (\d+) succeeded, (\d+) kinds, 0 never made', output, re.M)
    assert found, output
    made, succeeded, kinds = map(int, found.groups())
    assert made == calls and succeeded >= calls / 5 and kinds > 200, output
    assert books(machine) == before
    assert 'memory check: ok' in machine.command('mem check')


def test_random_calls_leave_nothing(tmp_path):
    with boot_to_prompt(tmp_path, RUN='help', BOOT='multiboot', IMAGE_ARCHIVE=BUILD / 'archive-stress.cpio') as machine:
        fuzz(machine, 1, 20000)


def explode(machine, kind, error):
    output = machine.command(f'program /bin/sh /bin/defuse {kind}')
    assert re.search(rf'^bomb: {kind} {error} after \d+; the shell answers 42$', output, re.M), output


def test_bombs_end_beside_a_shell(tmp_path):
    """Who takes all there is is told so, while the shell beside it answers; afterwards nothing is missing."""
    with boot_to_prompt(tmp_path, RUN='help', BOOT='multiboot', IMAGE_ARCHIVE=BUILD / 'archive-stress.cpio') as machine:
        for kind, error in BOMBS.items():
            # The first time makes page tables of the kernel's rows, which stay.
            explode(machine, kind, error)
            before = books(machine)
            explode(machine, kind, error)
            assert books(machine) == before, kind
            assert 'memory check: ok' in machine.command('mem check')
