"""`make run` as its users meet it: values arrive unchanged, nonsense gets a sentence, every end has its status."""
import subprocess

import pytest

from tests.conftest import BUILD, ROOT
from tests.system.machine import Machine, boot_to_prompt


def make_run(**settings):
    """make run, with the variables as make's own; returns status and output."""
    arguments = ['make', f'BUILD={BUILD}', 'run', *(f'{name}={value}' for name, value in settings.items())]
    result = subprocess.run(arguments, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors='replace', timeout=600, check=False)
    return result.returncode, result.stdout.replace('\r', '')


def test_poweroff_is_success():
    status, output = make_run(RUN='mem; mem map; mem check; poweroff')
    assert status == 0, output
    assert 'memory check: ok (' in output


def test_values_reach_the_guest_unchanged():
    text = 'help $HOME "a b" \'c\' $(id) `id` \\n %s & | > < #'
    status, output = make_run(RUN=text + '; poweroff')
    assert status == 0, output
    assert f'32rtos> {text}\n' in output


@pytest.mark.parametrize('name, value', [('MEM', 'abc'), ('MEM', '0'), ('MEM', '-5'), ('BOOT', 'floppy'), ('TIMEOUT', 'soon'),
                                         ('CPU', '; rm'), ('QEMUFLAGS', '"open'), ('RUN', 'x' * 3000)])
def test_nonsense_gets_a_sentence(name, value):
    status, output = make_run(**{name: value})
    assert status != 0
    assert output.count('\n') <= 3, output
    assert output.startswith('32RTOS: ' + name), output


def test_panic_has_its_status(tmp_path):
    with Machine(tmp_path, RUN='fault null') as machine:
        assert machine.end() == 1
        assert 'the kernel panicked' in machine.serial()


def test_hang_has_its_status(tmp_path):
    with Machine(tmp_path, TIMEOUT=20) as machine:
        assert machine.end() == 124
        assert 'hangs' in machine.serial()


def test_reset_has_its_status(tmp_path):
    with Machine(tmp_path, RUN='reboot') as machine:
        assert machine.end() == 3
        assert 'reset' in machine.serial()


def test_emulator_that_will_not_start_has_its_status(tmp_path):
    with Machine(tmp_path, CPU='nosuchmodel') as machine:
        assert machine.end() == 4


def test_emulator_that_dies_has_its_status(tmp_path):
    with boot_to_prompt(tmp_path, qmp=True) as machine:
        machine.qmp('quit')
        assert machine.end() == 3
