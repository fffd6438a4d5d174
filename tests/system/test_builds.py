"""The tree also builds with the other compiler, from nothing, and what that builds runs."""
import re
import subprocess

import pytest

from tests.conftest import ROOT, run_make
from tests.system.machine import boot_to_prompt


@pytest.mark.parametrize('compiler', ['gcc', 'clang'])
def test_builds_from_nothing(tmp_path, compiler):
    folder = tmp_path / 'build'
    arguments = (f'BUILD={folder}', f'CC={compiler}', 'ARCHIVE=empty', 'kernel', 'image', 'tools')
    result = run_make(*arguments)
    assert result.returncode == 0, result.stdout[-4000:]
    with boot_to_prompt(tmp_path, build=folder) as machine:
        output = machine.command('selftest')
        assert re.search(r'selftest: \d+ passed, 0 failed', output), output
        assert 'memory check: ok' in machine.command('mem check')
    assert run_make(*arguments).stdout == '', 'a second make has nothing to do'


def test_help_lists_targets_and_variables():
    text = subprocess.run(['make', 'help'], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for word in ('run', 'test', 'image', 'kernel', 'tools', 'debug', 'clean', 'help', 'MEM', 'RUN', 'BOOT', 'CPU',
                 'MACHINE', 'QEMUFLAGS', 'TIMEOUT'):
        assert any(line.split()[:1] and line.split()[0].split('=')[0] == word for line in text.splitlines()), word
