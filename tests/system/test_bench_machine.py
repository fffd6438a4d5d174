"""What memory calls cost in the machine stays within what bench/machine/accepted.txt allows."""
import subprocess
import sys

import pytest

from bench.accepted import Unusable
from bench.machine import figures
from tests.conftest import BUILD

ACCEPTED = figures.accepted()


@pytest.fixture(scope='module')
def output():
    """All that one run of the bench printed."""
    compiler = (BUILD / 'kernel/kernel/main.c.o').read_bytes()
    if b'GCC: (' not in compiler or b'clang version' in compiler:
        pytest.skip('figures are accepted for gcc')
    return figures.boot(BUILD, 'bench')


def test_no_figure_is_above_what_is_accepted(output):
    complaints = list(ACCEPTED.complaints(figures.worst(figures.rows(output))))
    assert not complaints, '\n'.join(complaints)


def test_every_line_has_enough_calls(output):
    """A maximum of a few calls says little. Calls that leave a page table behind, and checks, are few on purpose."""
    few = {'page-map-table', 'large-split', 'log-line', 'memory-check'}
    calls = {}
    for row in figures.rows(output):
        calls[row.line] = calls.get(row.line, 0) + row.calls
    assert {line for line, count in calls.items() if count < 200} <= few, calls
    assert {row.state for row in figures.rows(output)} == {'fresh', 'half', 'full', 'any'}


def test_the_same_machine_gives_the_same_figures():
    """Figures are no measurements of a moment: not one of them may differ from run to run."""
    first, second = (figures.tables(figures.boot(BUILD, 'bench frame; bench interrupt')) for _ in range(2))
    assert first == second
    assert figures.rows(first)


def test_a_machine_that_does_not_count_says_so(tmp_path, monkeypatch):
    """Without its counting clock the emulator's ticks are no instructions, and nothing is accepted from it."""
    monkeypatch.setitem(figures.SETTINGS, 'QEMUFLAGS', '')
    found = figures.boot(BUILD, 'bench frame')
    assert 'bench: counter: not exact;' in found
    assert 'ticks' in found and 'instructions\n' not in found
    with pytest.raises(Unusable):
        figures.rows(found)


def test_unknown_bench_gets_a_sentence():
    assert 'There is no bench "nonsense".' in figures.boot(BUILD, 'bench nonsense')


def small(path, text):
    file = path / 'accepted.txt'
    file.write_text(text)
    return file


def test_what_is_above_is_named(tmp_path):
    accepted = figures.accepted(small(tmp_path, 'margin 10% 2\nquick 5 10 8 why\nslow - 1000 -\n'))
    assert not list(accepted.complaints({'quick': (12, 10), 'slow': (1100, 5000)}))
    assert [text.split(':')[0] for text in accepted.complaints({'quick': (13, 10), 'slow': (1100, 1)})] == ['quick']
    assert [text.split(':')[0] for text in accepted.complaints({'quick': (12, 11), 'slow': (1101, 1)})] == ['quick', 'slow']
    assert 'does not have it' in next(accepted.complaints({'new': (1, 1), 'quick': (1, 1), 'slow': (1, 1)}))
    assert 'not measured' in ' '.join(accepted.complaints({'quick': (1, 1)}))


def test_a_missed_target_needs_a_reason(tmp_path):
    accepted = figures.accepted(small(tmp_path, 'margin 0% 0\nquick 5 10 8\n'))
    assert 'reason is missing' in ' '.join(accepted.complaints({'quick': (10, 8)}))


def test_accepting_lowers_and_never_raises(tmp_path):
    file = small(tmp_path, '# words\nmargin 0% 0\nquick 5 10 8 why\nslow - 1000 700\nfree - - 9\n')
    accepted = figures.accepted(file)
    refused = accepted.lower({'quick': (4, 9), 'slow': (1001, 600), 'free': (7, 9), 'new': (3, 2)})
    assert [text.split(':')[0] for text in refused] == ['quick', 'slow']
    accepted.write()
    lines = [line.split() for line in file.read_text().splitlines()]
    assert lines == [['#', 'words'], ['margin', '0%', '0'], ['quick', '5', '4', '8'], ['slow', '-', '1000', '600'],
                     ['free', '-', '-', '9'], ['new', '-', '3', '2']]


def test_what_the_margin_covers_does_not_rise(tmp_path):
    accepted = figures.accepted(small(tmp_path, 'margin 10% 2\nquick 5 10 8 why\n'))
    assert not accepted.lower({'quick': (12, 10)})
    assert accepted.limits['quick'].held == [10, 8]


def test_what_may_rise_is_named(tmp_path):
    accepted = figures.accepted(small(tmp_path, 'margin 0% 0\nquick 5 10 8 why\nslow - 1000 700\n'))
    refused = accepted.lower({'quick': (12, 8), 'slow': (1001, 600)}, may_rise=['slow'])
    assert [text.split(':')[0] for text in refused] == ['quick']
    assert accepted.limits['quick'].held == [10, 8] and accepted.limits['slow'].held == [1001, 600]


@pytest.mark.parametrize('text', ['quick 5 10\n', 'quick five 10 8\n', 'quick 5 10 8\nquick 5 10 8\n'])
def test_a_file_that_makes_no_sense_is_refused(tmp_path, text):
    with pytest.raises((Unusable, ValueError)):
        figures.accepted(small(tmp_path, text))


def test_measure_needs_a_build():
    result = subprocess.run([sys.executable, '-m', 'bench.machine.measure'], cwd=figures.ROOT, capture_output=True,
                            text=True, check=False)
    assert result.returncode == 2 and 'usage:' in result.stderr
