"""What memory and process calls take stays within what bench/user/accepted.txt allows."""
import json
import re

import pytest

from bench.accepted import Unusable
from bench.user import figures
from tests.conftest import BUILD, ROOT


@pytest.fixture(scope='module')
def text():
    """What the program printed on our kernel; few repetitions, each of which counts the same."""
    compiler = (BUILD / 'kernel/kernel/main.c.o').read_bytes()
    if b'GCC: (' not in compiler or b'clang version' in compiler:
        pytest.skip('figures are accepted for gcc')
    return figures.lines(figures.boot_ours(BUILD, 'reps=3'))


def test_no_figure_is_above_what_is_accepted(text):
    """The smallest machine is not searched for here: what is accepted has to be one in which the program runs."""
    accepted = figures.accepted()
    least = accepted.limits[figures.SMALLEST].held[0]
    assert figures.works(figures.boot_ours, BUILD, least), f'{least} MiB are not enough'
    measured = {line: (value,) for line, value in figures.counted(text).items()}
    complaints = list(accepted.complaints({**measured, figures.SMALLEST: (least,)}))
    assert not complaints, '\n'.join(complaints)


def test_every_benchmark_has_a_figure(text):
    """Each that the program has, but for the call of Linux's vDSO; and those that have a title are among them."""
    names = {name for file in ('memory.c', 'process.c')
             for name in re.findall(r'^    \{"(\w+)",', (ROOT / 'bench/user' / file).read_text(), re.M)}
    found = set(figures.counted(text))
    assert len(names) == 30
    assert names - found == {'syscall_null_vdso', *figures.OF_THE_CLOCK}
    known = json.loads((ROOT / 'bench/user/figures.json').read_text())
    lines = found | {figures.SMALLEST}
    assert set(known['titles']) <= lines
    assert all(set(others) <= lines for others in known['others'].values())


def test_the_same_machine_gives_the_same_figures():
    first, second = (figures.lines(figures.boot_ours(BUILD, 'only=brk reps=3')) for _ in range(2))
    assert first == second
    assert 'brk_grow_shrink_1p' in figures.figures(first)


def test_a_machine_that_does_not_count_is_refused():
    with pytest.raises(Unusable, match='did not count'):
        figures.counted(figures.lines(figures.boot_ours(BUILD, 'only=tsc_1000nop reps=1', counts=False)))


def test_a_machine_that_fails_is_refused():
    with pytest.raises(Unusable, match='status 5'):
        figures.lines(figures.boot_ours(BUILD, figures.SHORT, memory=2))


def test_the_smallest_machine_is_found(monkeypatch):
    tried = []

    def boot(build, words, memory, counts):
        tried.append(memory)
        return (0, 'BENCH-END\n') if memory >= 7 else (1, '')

    assert figures.smallest(boot, BUILD, (1, 16)) == 7
    assert len(tried) == 5
    with pytest.raises(Unusable):
        figures.smallest(boot, BUILD, (1, 6))


def test_figures_made_of_others():
    text = ('mmap_munmap_1p 200 insn min=200 max=200 n=3\nmmap_munmap_1p_1000areas 300.2 insn min=1 max=400 n=3\n'
            'mmap_touch_munmap_256p 25600 insn min=1 max=1 n=3\nboot_tsc_at_init 77 insn\nmem_per_process 2.5 KiB n=200\n'
            'syscall_null_vdso - skip errno=38\ntsc_1000nop 1000 insn min=359 max=1000 n=3\n')
    assert figures.counted(text) == {'mmap_munmap_1p': 200, 'mmap_munmap_1p_1000areas': 301, 'many_areas_percent': 151,
                                     'mmap_touch_munmap_256p': 25600, 'page_life': 100, 'reset_to_user': 77,
                                     'mem_per_process': 2560}
    with pytest.raises(Unusable):
        figures.counted(text.replace('tsc_1000nop 1000', 'tsc_1000nop 1001'))
