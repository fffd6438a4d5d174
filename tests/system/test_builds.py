"""The tree also builds with the other compiler, from nothing."""
import subprocess

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize('compiler', ['gcc', 'clang'])
def test_builds_from_nothing(tmp_path, compiler):
    result = subprocess.run(['make', f'BUILD={tmp_path}/build', f'CC={compiler}', 'kernel', 'image', 'tools'], cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900, check=False)
    assert result.returncode == 0, result.stdout[-4000:]


def test_help_lists_targets_and_variables():
    text = subprocess.run(['make', 'help'], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for word in ('run', 'test', 'image', 'kernel', 'tools', 'debug', 'clean', 'help', 'MEM', 'RUN', 'BOOT', 'CPU',
                 'MACHINE', 'QEMUFLAGS', 'TIMEOUT'):
        assert any(line.split()[:1] and line.split()[0].split('=')[0] == word for line in text.splitlines()), word
