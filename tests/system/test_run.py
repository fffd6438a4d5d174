"""`make run` as its users meet it: values arrive unchanged, nonsense gets a sentence, every end has its status."""
import os
import signal

import pytest

from tests.conftest import BUILD, ROOT, run_make
from tests.system.machine import Machine, boot_to_prompt


def make_run(**settings):
    """make run, with the variables as make's own; returns status and output."""
    result = run_make(f'BUILD={BUILD}', 'run', *(f'{name}={value}' for name, value in settings.items()))
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


@pytest.mark.parametrize('name, value', [('MEM', 'abc'), ('MEM', '0'), ('MEM', '-5'), ('MEM', '8 8'), ('MEM', '9' * 5000), ('BOOT', 'floppy'), ('TIMEOUT', 'soon'),
                                         ('CPU', '; rm'), ('QEMUFLAGS', '"open'), ('RUN', 'x' * 3000), ('APPEND', 'two\nlines')])
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


def test_emulator_told_to_quit_has_its_status(tmp_path):
    with boot_to_prompt(tmp_path, qmp=True) as machine:
        machine.qmp('quit')
        assert machine.end() == 3


def test_emulator_that_dies_has_its_status(tmp_path):
    with boot_to_prompt(tmp_path, QEMUFLAGS=f'-pidfile {tmp_path}/pid') as machine:
        os.kill(int((tmp_path / 'pid').read_text()), signal.SIGKILL)
        assert machine.end() == 4
        assert 'died of signal 9' in machine.serial()


@pytest.mark.parametrize('settings', [dict(CPU='486'), dict(CPU='pentium', BOOT='multiboot'), dict(MEM=1)],
                         ids=lambda settings: '-'.join(map(str, settings.values())))
def test_refusal_has_its_status(tmp_path, settings):
    with Machine(tmp_path, **settings) as machine:
        assert machine.end() == 5
        assert '32RTOS: ' in machine.serial()


@pytest.mark.parametrize('folder', ['with blank', 'col:on', 'com,ma', 'ha#sh', '.', '/', '..'])
def test_unusable_build_folder_gets_a_sentence(folder):
    result = run_make(f'BUILD={folder}', 'kernel')
    assert result.returncode != 0
    assert f'32RTOS: BUILD={folder}' in result.stdout and result.stdout.count('\n') <= 2, result.stdout


def test_clean_removes_only_what_make_built(tmp_path):
    (tmp_path / 'precious').write_text('mine')
    assert run_make(f'BUILD={tmp_path}', 'clean').returncode != 0
    assert (tmp_path / 'precious').exists()


def test_make_from_elsewhere_gets_a_sentence(tmp_path):
    result = run_make('-C', tmp_path, '-f', ROOT / 'Makefile', 'help')
    assert result.returncode != 0 and '32RTOS: make works in the top folder' in result.stdout
