"""What tests/user/test_stress.py does, for longer: `make stress`. SEED=n is another sequence."""
import os

from tests.conftest import BUILD
from tests.system import machine
from tests.system.machine import boot_to_prompt
from tests.system.test_failure import fail_each
from tests.user.linux import CHECKS, linux
from tests.user.test_stress import books, fuzz

SEED = int(os.environ.get('SEED', '1'))
HOURS = 3600


def machine_with_patience(directory, **settings):
    machine = boot_to_prompt(directory, RUN='help', BOOT='multiboot', IMAGE_ARCHIVE=BUILD / 'archive-stress.cpio', **settings)
    machine.child.timeout = 3 * HOURS
    return machine


def test_a_million_random_calls(tmp_path):
    with machine_with_patience(tmp_path) as there:
        fuzz(there, SEED, 1000000)


def test_ten_thousand_births_and_ends(tmp_path):
    with machine_with_patience(tmp_path) as there:
        there.command('program /bin/cycles all 3')
        before = books(there)
        assert 'cycles: all: 1000 of each, 0 wrong' in there.command('program /bin/cycles all 1000')
        assert books(there) == before
        assert 'memory check: ok' in there.command('mem check')


def test_two_thousand_kills(tmp_path):
    with machine_with_patience(tmp_path) as there:
        there.command('program /bin/kills 9 20')
        before = books(there)
        assert 'kills: 2000 of 2000 were begun' in there.command(f'program /bin/kills {SEED} 2000')
        assert books(there) == before
        assert 'memory check: ok' in there.command('mem check')


def test_memory_as_on_linux(tmp_path):
    """A hundred thousand steps of tests/user/programs/memory_random.c."""
    calls = f'memory_random 100 1000 {1000 * SEED}'
    status, expected = linux(f'/check/{calls}', f'{CHECKS}:/check', timeout=HOURS)
    assert status == 0 and expected.endswith('\n1000 checks\n'), expected
    with machine_with_patience(tmp_path) as there:
        there.command('program /bin/memory_random 1 100')
        before = books(there)
        output = there.command(f'program /bin/{calls}').replace('\r', '')
        assert [line for line in output.splitlines() if line.startswith('seed')] == expected.splitlines()[:-1]
        assert books(there) == before
        assert 'memory check: ok' in there.command('mem check')


def test_each_allocation_of_every_call(monkeypatch):
    monkeypatch.setattr(machine, 'PATIENCE', 3 * HOURS)
    assert fail_each('/bin/fuzz 5 400') > 400
    assert fail_each('/bin/cycles all 1') > 200
