"""Processes come and go thousands of times, in every way: the kernel's books are as before."""
import re

from tests.conftest import BUILD
from tests.system.machine import boot_to_prompt


def books(machine):
    """Frames by state, and live objects of the heap. Its pages may differ: it keeps an empty slab or two of a class."""
    frames = {state: int(count) for state, count in
              re.findall(r'^(free|allocated|page table|heap|cache|locked) +\S+ +(\d+)', machine.command('mem'), re.M)}
    frames['free'] += frames.pop('heap')
    return frames, re.search(r'^objects (\d+),', machine.command('heap'), re.M).group(1)


def test_births_and_ends_leave_nothing(tmp_path):
    with boot_to_prompt(tmp_path, RUN='help', BOOT='multiboot', IMAGE_ARCHIVE=BUILD / 'archive-stress.cpio') as machine:
        machine.command('program /bin/cycles all 3')
        before = books(machine)
        assert 'cycles: all: 500 of each, 0 wrong' in machine.command('program /bin/cycles all 500')
        assert books(machine) == before
        assert 'memory check: ok' in machine.command('mem check')
