"""tools/coverage.py counts, and fails on what is neither reached nor explained."""
import os
import subprocess

import pytest

from tests.conftest import ROOT

SOURCE = '''#include "kernel/memory/platform.h"
int half(int number);
int half(int number)
{
    MEMORY_ASSERT(number >= 0 &&
                  number < 100);
    if (number % 2 != 0)
        return -1;
    return number / 2;
}
int main(int count, char **words)
{
    (void)words;
    return half(count - 1);
}
'''
PLATFORM = '''#include <stdlib.h>
#define MEMORY_ASSERT(condition) do { if (!(condition)) abort(); } while (0)
'''
REMARK = '# a remark\n\n'
LINE = 'kernel/memory/half.c half\n> return -1;\n    Odd numbers\n    never come.\n'
BRANCHES = 'kernel/memory/half.c branches\n    No odd numbers.\n'


@pytest.fixture(name='report', scope='module')
def fixture_report(tmp_path_factory):
    """Runs the tool on a tree of one file with these explanations and this way to run the program."""
    tree = tmp_path_factory.mktemp('coverage')
    memory = tree / 'kernel/memory'
    memory.mkdir(parents=True)
    (memory / 'half.c').write_text(SOURCE)
    (memory / 'platform.h').write_text(PLATFORM)
    objects = tree / 'objects/kernel/memory'
    objects.mkdir(parents=True)
    subprocess.run(['gcc', '--coverage', '-I.', '-c', 'kernel/memory/half.c', '-o', objects / 'half.c.o'], cwd=tree,
                   check=True)
    subprocess.run(['gcc', '--coverage', objects / 'half.c.o', '-o', 'program'], cwd=tree, check=True)

    def report(explained, script='./program'):
        (tree / 'explained.txt').write_text(explained)
        (tree / 'run').write_text(f'#!/bin/sh\n{script}\n')
        (tree / 'run').chmod(0o755)
        # The program is a script: nothing for the emulator of 32-bit programs.
        return subprocess.run([ROOT / 'tools/coverage.py', 'objects', 'explained.txt', 'run'], cwd=tree,
                              env={**os.environ, 'RUN32': ''}, capture_output=True, text=True, check=False)
    return report


def test_what_is_explained_passes(report):
    result = report(REMARK + LINE + BRANCHES)
    assert result.returncode == 0, result.stdout + result.stderr
    # The assertion has no branch here, and the return of -1 is one line of seven.
    assert ' 6 of     7   85.7 %     1 of     2   50.0 %' in result.stdout
    assert 'kernel/memory/half.c:8: half: return -1;\n    Odd numbers never come.\n' in result.stdout


@pytest.mark.parametrize('explained, sentence', [
    (BRANCHES, 'kernel/memory/half.c:8: half: no test reaches this line, and nothing explains it: return -1;'),
    (LINE, 'kernel/memory/half.c: 50.0 % of the branches are taken, and nothing explains it'),
    (LINE + LINE + BRANCHES, 'kernel/memory/half.c: half: is explained, but reached or gone: return -1;'),
    (LINE + BRANCHES + 'kernel/memory/gone.c branches\n    Why.\n', 'kernel/memory/gone.c: its branches are explained'),
    (LINE + BRANCHES + 'kernel/memory/half.c half\n> return 7;\n    Why.\n',
     'is explained, but reached or gone: return 7;'),
], ids=['line', 'branches', 'twice', 'file', 'gone'])
def test_what_does_not_fit_fails(report, explained, sentence):
    result = report(explained)
    assert result.returncode == 1
    assert sentence in result.stdout


def test_what_has_come_to_be_reached_fails(report):
    script = './program odd; ./program'
    assert report(REMARK, script).returncode == 0
    result = report(LINE + BRANCHES, script)
    assert result.returncode == 1
    assert 'is explained, but reached or gone: return -1;' in result.stdout
    assert 'kernel/memory/half.c: its branches are explained, but all are taken' in result.stdout


def test_a_program_that_fails_is_shown(report):
    result = report(LINE + BRANCHES, './program; echo the reason; exit 3')
    assert result.returncode == 1
    assert 'the reason' in result.stdout and 'fails with status 3' in result.stdout


@pytest.mark.parametrize('explained', ['nonsense\n', 'a.c f\n> line;\n', 'a.c f\n    Why.\n',
                                       'a.c branches\n> x\n    Why.\n'])
def test_entries_that_are_none_are_refused(report, explained):
    result = report(explained)
    assert result.returncode == 1
    assert 'coverage: explained.txt' in result.stderr
