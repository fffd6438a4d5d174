"""Files that are broken: what Linux says of each, and our kernel, is what the table says."""
import signal
import subprocess

import pytest

from tests.conftest import BUILD
from tests.user.elf import make
from tests.user.linux import linux
from tests.user.ours import ours


def words(line):
    """The outcome in the words of the table."""
    if line == 'exits with 7':
        return 0
    if line.startswith('signal '):
        return signal.Signals(int(line.split()[1])).name
    return line


@pytest.fixture(scope='module')
def on_linux(tmp_path_factory):
    folder = tmp_path_factory.mktemp('elf')
    make.make(folder)
    status, text = linux('cp -r /elf /tmp/elf; starter=/starter; $starter /tmp/elf', f'{folder}:/elf', f'{BUILD}/user/check/starter:/starter')
    assert status == 0 and text.endswith(f'{len(make.TABLE)} files\n'), text
    return dict(line.split(': ', 1) for line in text.splitlines()[:-1])


@pytest.fixture(scope='module')
def on_ours(tmp_path_factory):
    folder = tmp_path_factory.mktemp('elf')
    make.make(folder)
    status, text = ours('/starter /elf', f'{folder}:/elf', f'{BUILD}/user/check/starter:/starter')
    assert status == 0 and text.endswith(f'{len(make.TABLE)} files\n'), text
    return dict(line.split(': ', 1) for line in text.splitlines()[:-1])


@pytest.mark.parametrize('name', make.TABLE)
def test_file_on_ours(on_ours, name):
    assert words(on_ours[name]) == make.expected(name, 'ours')


@pytest.mark.parametrize('name', make.TABLE)
def test_file_on_linux(on_linux, name):
    assert words(on_linux[name]) == make.expected(name, 'linux')


def test_files_are_made_again_the_same(tmp_path):
    for folder in ('a', 'b'):
        (tmp_path / folder).mkdir()
        make.make(tmp_path / folder)
    subprocess.run(['diff', '-r', tmp_path / 'a', tmp_path / 'b'], check=True)
    assert make.expected('plain', 'ours') == 0
    assert make.expected('linked-at-0x08048000', 'ours') == 'ENOEXEC'
