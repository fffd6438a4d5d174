"""The programs that check system calls: each comes to its end, and prints the same on every Linux machine and on our kernel."""
import pytest

from tests.user.linux import CHECKS, PROGRAMS, linux_outputs
from tests.user.ours import our_outputs, ours

# program: [(what LIMITS.md says of it, what Linux prints, what ours prints)]
DECLARED = {
    'memory_mmap': [('**A file that is cut while it is mapped** keeps showing the pages that were mapped',
                     'read base + PAGE: SIGBUS, beyond the object\nread base: ok\n', 'read base + PAGE: ok\nread base: ok\n')],
    'files': [('**Everybody is root.**', '''\
open("/tmp/files/secret", O_RDONLY): EACCES
access("/tmp/files/secret", F_OK): ok
access("/tmp/files/secret", R_OK): EACCES
open("/tmp/files/closed/in", O_RDONLY): EACCES
unlink("/tmp/files/stranger"): EACCES
chmod("/tmp/files/secret", 0666): EPERM
chown("/tmp/files/secret", 1000, 1000): EPERM
open("/tmp/files/new", O_WRONLY): EACCES
mkdir("/tmp/files/mine", 0700): EACCES
''', '''\
open("/tmp/files/secret", O_RDONLY): ok
access("/tmp/files/secret", F_OK): ok
access("/tmp/files/secret", R_OK): ok
open("/tmp/files/closed/in", O_RDONLY): ok
unlink("/tmp/files/stranger"): ok
chmod("/tmp/files/secret", 0666): ok
chown("/tmp/files/secret", 1000, 1000): ok
open("/tmp/files/new", O_WRONLY): ok
mkdir("/tmp/files/mine", 0700): ok
''')],
}


@pytest.fixture(scope='module')
def two_machines():
    return linux_outputs(memory=256, cpu='max'), linux_outputs(memory=96, cpu='coreduo')


@pytest.mark.parametrize('program', PROGRAMS)
def test_program_on_linux(two_machines, program):
    (status, text), other = (machine[program] for machine in two_machines)
    assert status == 0 and 'PREPARATION FAILED' not in text, text
    assert text.endswith(f'{text.split()[-2]} checks\n') and int(text.split()[-2]) > 5
    assert other == (status, text), 'the output depends on the machine'


@pytest.fixture(scope='module')
def our_machine():
    return our_outputs()


@pytest.mark.parametrize('program', PROGRAMS)
def test_program_on_ours(root, two_machines, our_machine, program):
    """The output of Linux, but for what LIMITS.md declares."""
    limits = ' '.join((root / 'LIMITS.md').read_text(encoding='utf-8').split())
    status, expected = two_machines[0][program]
    for sentence, linux, own in DECLARED.get(program, ()):
        assert sentence in limits, 'what the kernel does otherwise is declared'
        assert expected.count(linux) == 1, 'Linux does it otherwise now'
        expected = expected.replace(linux, own)
    assert our_machine[program][1].splitlines() == expected.splitlines()
    assert our_machine[program][0] == status


def test_protection_on_ours():
    """What Linux allows and our kernel does not: LIMITS.md says so."""
    status, text = ours('/check/protection', f'{CHECKS}:/check')
    *checks, last = text.splitlines()
    assert status == 0 and last == f'{len(checks)} checks', text
    refused = [line for line in checks if ': expected ' in line]
    assert len(refused) == 8 and all(line.endswith(', so it is') for line in refused), text
    assert [line for line in checks if line.startswith('execute base: ')] == [
        'execute base: SIGSEGV, no right', 'execute base: ok', 'execute base: SIGSEGV, no right'], text


def test_every_program_is_known(root):
    there = {path.stem for path in (root / 'tests/user/programs').glob('*.c')}
    assert there == set(PROGRAMS) | {'protection'}  # its expectations are its own: Linux allows what our kernel forbids
