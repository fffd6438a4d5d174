"""The programs that check system calls, on Linux: each comes to its end, and prints the same on every machine."""
import pytest

from tests.user.linux import PROGRAMS, linux_outputs


@pytest.fixture(scope='module')
def two_machines():
    return linux_outputs(memory=256, cpu='max'), linux_outputs(memory=96, cpu='coreduo')


@pytest.mark.parametrize('program', PROGRAMS)
def test_program_on_linux(two_machines, program):
    (status, text), other = (machine[program] for machine in two_machines)
    assert status == 0 and 'PREPARATION FAILED' not in text, text
    assert text.endswith(f'{text.split()[-2]} checks\n') and int(text.split()[-2]) > 5
    assert other == (status, text), 'the output depends on the machine'


def test_every_program_is_known(root):
    there = {path.stem for path in (root / 'tests/user/programs').glob('*.c')}
    assert there == set(PROGRAMS) | {'protection'}  # its expectations are its own: Linux allows what our kernel forbids
