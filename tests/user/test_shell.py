"""What `make run` ends in: a shell on the terminal, with real programs, beside the monitor.

Lines that are typed stay below 80 characters: the shell's editor shows longer ones on two.
"""
import os
import re
import struct
import subprocess

import pexpect
import pytest

from tests.conftest import BUILD, ROOT, run_make
from tests.system.machine import PATIENCE, Machine
from tests.user.test_archive import elf

SHELL_PROMPT = '(?:/ )?# '  # the small shell's does not tell the directory
CTRL_C, CTRL_Z, CTRL_BRACKET = '\x03', '\x1a', '\x1d'


class Shell:
    """The machine's first program."""

    def __init__(self, directory, archive='archive.cpio', **settings):
        self.machine = Machine(directory, BOOT='multiboot', IMAGE_ARCHIVE=BUILD / archive, **settings)

    def __enter__(self):
        self.machine.__enter__()
        self.machine.expect('has the console; Ctrl-] brings the monitor')
        self.prompt()
        return self

    def __exit__(self, *reason):
        self.machine.__exit__(*reason)

    def prompt(self):
        return self.machine.expect(SHELL_PROMPT)[0]

    def begin(self, line):
        self.machine.send(line + '\r')
        self.machine.child.expect_exact(line)
        self.machine.child.expect('\r?\n')

    def run(self, line):
        """What the command prints."""
        self.begin(line)
        return self.prompt()

    def press_until_prompt(self, key):
        """The program may be on its way to the terminal still, then the key passes it by.

        What comes of one key too many is skipped by the next command, which waits for its own echo.
        """
        for _ in range(PATIENCE // 5):
            self.machine.send(key)
            if self.machine.child.expect([SHELL_PROMPT, pexpect.TIMEOUT], timeout=5) == 0:
                return self.machine.child.before
        raise AssertionError(f'no prompt in {PATIENCE} s')

    def power_off(self):
        """Through the monitor, where the books are checked; returns what it says of them."""
        self.machine.send(CTRL_BRACKET)
        self.machine.expect('the monitor has the console')
        self.machine.expect_prompt()
        books = self.machine.command('mem check')
        self.machine.send('poweroff\r')
        assert self.machine.end() == 0
        return books


@pytest.fixture(scope='module', name='shell')
def fixture_shell(tmp_path_factory):
    with Shell(tmp_path_factory.mktemp('shell')) as shell:
        yield shell
        assert 'memory check: ok' in shell.power_off()


# Command and what its output has to match, from its first line on.
SESSION = {
    'free': r'\s+total\s+used\s+free.*\nMem: +6\d{4} ',
    'pmap $$ | tail -1': r'mapped: \d+K',
    "lua -e 'print(2^10)'": r'1024\.0\n',
    "lua -e 't={} for i=1,99 do t[i]=i end print(#t,table.concat(t):len())'": r'99\s+189\n',
    "sqlite3 :memory: 'select 1+1'": r'2\n',
    "sqlite3 /tmp/d 'create table t(a,b); insert into t values(3,4),(5,6)'": r'',
    "sqlite3 /tmp/d 'select sum(a*b) from t'": r'42\n',
    "sqlite3 /tmp/d 'select count(*) from t'": r'2\n',
    'memtester 1M 1 | tail -1': r'Done\.',
    'stress --vm 2 --vm-bytes 2M --timeout 1 | tail -1': r'stress: info: .* successful run completed',
    'ps | grep -c "[p]s"': r'[1-9]\n',
    'seq 1000 | sort -rn | head -2 | tr "\\n" " "; echo': r'1000 999',
    'nothing-of-this-name; echo $?': r'.*not found\n127\n',
    'cat /nowhere; echo $?': r".*No such file or directory\n1\n",
    '> /tmp/noexec; /tmp/noexec; echo $?': r'.*[Pp]ermission denied\n126\n',
    'cat /proc/self/status | head -1': r'Name:\s+cat\n',
    'echo $HOME $PAGER; cd; pwd; cd /': r'/root less\n/root\n',
    'dmesg | head -1': r'\[ +0\.000\] 32RTOS ',
    'dmesg -c > /tmp/l; grep -c . /tmp/l; dmesg | wc -l': r'[1-9]\d+\n0\n',
    'head -c 500000 /dev/zero > /tmp/z; df / | tail -1': r'rootfs +\d{5} +[1-9]\d{2,} ',
}


@pytest.mark.parametrize('line', SESSION)
def test_session(shell, line):
    output = shell.run(line)
    assert re.match(SESSION[line], output, re.S), output


def test_here_document(shell):
    for line in ('tr a-z A-Z <<END', 'one two'):
        shell.begin(line)
        shell.machine.expect('> ')  # from here on the shell's editor reads: what comes before is echoed twice
    assert shell.run('END') == 'ONE TWO\n'


def test_interrupt_key_ends_the_foreground(shell):
    shell.begin('echo ready; cat')
    shell.machine.expect('ready\r*\n')
    shell.begin('echoed')
    shell.machine.expect('echoed\r*\n')
    shell.press_until_prompt(CTRL_C)
    assert shell.run('echo $?') == '130\n'


def test_jobs_stop_and_go_on(shell):
    shell.begin('sleep 100')
    assert 'Stopped' in shell.press_until_prompt(CTRL_Z)
    assert re.search(r'Stopped +sleep 100', shell.run('jobs'))
    assert 'sleep 100' in shell.run('bg')
    assert re.search(r'Running +sleep 100', shell.run('jobs'))
    for _ in range(20):  # a key that comes before the job has the terminal interrupts the shell's own `fg`
        shell.begin('fg')
        shell.press_until_prompt(CTRL_C)
        if shell.run('jobs') == '':
            return
    raise AssertionError('Ctrl-C does not end the job')


def test_monitor_and_back(shell):
    shell.machine.send(CTRL_BRACKET)
    shell.machine.expect('the monitor has the console')
    shell.machine.expect_prompt()
    assert 'memory check: ok' in shell.machine.command('mem check')
    shell.machine.send(CTRL_BRACKET)
    shell.machine.expect('programs have the console')
    assert shell.run('').strip() == ''
    assert shell.run('echo here') == 'here\n'


def test_monitor_program(shell):
    """It ends when the terminal comes back."""
    shell.begin('monitor')
    shell.machine.expect('the monitor has the console')
    shell.machine.expect_prompt()
    assert 'memory check: ok' in shell.machine.command('mem check')
    shell.machine.send(CTRL_BRACKET)
    shell.machine.expect('programs have the console')
    shell.prompt()
    assert shell.run('echo $?') == '0\n'


def test_what_is_typed_ahead_reaches_the_shell(tmp_path):
    machine = Machine(tmp_path, BOOT='multiboot', IMAGE_ARCHIVE=BUILD / 'archive-small.cpio')
    with machine:
        machine.expect('booted from')
        machine.send('echo ahead-$((40+2))\r')
        machine.expect('has the console')
        machine.expect('ahead-42')


@pytest.mark.parametrize('archive, memory', [('archive-small.cpio', 8), ('archive.cpio', 16)])
def test_least_memory(tmp_path, archive, memory):
    with Shell(tmp_path, archive, MEM=memory) as shell:
        assert re.search(r'Mem: +\d{4,5} ', shell.run('free'))
        assert shell.run('ls / | grep -c proc; echo a | cat').endswith('1\na\n')
        assert 'memory check: ok' in shell.power_off()


REFUSED = {
    'low': (elf(address=0x08048000), '0', 'relink it with -Wl,-Ttext-segment=0x10000000'),
    'wide': (elf(bits=2), '0', 'it is not for a 32-bit x86'),
    'object': (elf(kind=1), '0', 'it is an object file or a core, and no program'),
    'cut': (elf(count=9), '0', 'its program headers lie beyond the end of the file'),
    'dynamic': (elf(count=2, length=64) + struct.pack('<IIIIIIII', 3, 116, 0, 0, 16, 16, 4, 1) + b'/lib/ld-linux.s\0', '127',
                'its interpreter /lib/ld-linux.s cannot be opened'),
    'script': (b'#!/no/such\n', '127', 'not found'),
    'directory': (None, '126', 'Permission denied'),
}


def test_programs_that_cannot_start(tmp_path):
    """A sentence for each. What is no program the shell takes for commands, as on Linux."""
    for name, (content, _, _) in REFUSED.items():
        (tmp_path / 'bad' / name).parent.mkdir(exist_ok=True)
        if content is None:
            (tmp_path / 'bad' / name).mkdir()
        else:
            (tmp_path / 'bad' / name).write_bytes(content)
            (tmp_path / 'bad' / name).chmod(0o755)
    archive = tmp_path / 'archive.cpio'
    subprocess.run([ROOT / 'tools/archive.py', '--base', BUILD / 'archive.cpio', '--file', f'{tmp_path}/bad:/bad', archive], check=True)
    with Shell(tmp_path, archive) as shell:
        for name, (_, status, sentence) in REFUSED.items():
            output = shell.run(f'/bad/{name}; echo "status $?"')
            assert sentence in output, output
            assert status == '0' or f'status {status}\n' in output, output
        assert 'memory check: ok' in shell.power_off()


def test_exit_leads_to_the_monitor(tmp_path):
    with Shell(tmp_path) as shell:
        shell.machine.send('exit 3\r')
        shell.machine.expect(r'the first program ended with status 3')
        shell.machine.expect(r'`program /bin/sh -l` starts it anew')
        shell.machine.expect_prompt()
        shell.machine.send('poweroff\r')
        assert shell.machine.end() == 0


@pytest.mark.parametrize('arguments, archive', [
    (['MEM=16'], 'archive.cpio'), (['MEM=15', 'SH=ls'], 'archive-small.cpio'), (['MEM=8', 'ARCHIVE=full'], 'archive.cpio'),
    (['RUN=mem'], 'archive-empty.cpio')])
def test_archive_that_make_run_takes(arguments, archive):
    """From what make would do. Where it chose the small one, it says so."""
    build = os.path.relpath(BUILD, ROOT)
    result = run_make('-n', '-W', 'tools/image.py', 'run', f'BUILD={build}', *arguments)
    assert f'--archive {build}/{archive}\n' in result.stdout.replace(' \\\n', ' '), result.stdout
    assert ('the small archive' in result.stdout) == (archive == 'archive-small.cpio'), result.stdout
