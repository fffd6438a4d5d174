"""Processes come and go thousands of times, in every way: the kernel's books are as before."""
import collections
import re

import pytest

from tests.conftest import BUILD
from tests.system.machine import boot_to_prompt


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
