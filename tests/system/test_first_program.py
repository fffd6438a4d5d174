"""The machine that is there for a program: SH and PROGRAM with ARGS, output, exit status, books afterwards."""
import re

import pytest

from tests.conftest import BUILD
from tests.system.machine import Machine, boot_to_prompt

ARCHIVE = {'IMAGE_ARCHIVE': BUILD / 'archive.cpio', 'BOOT': 'multiboot'}


def run(directory, **settings):
    with Machine(directory, TIMEOUT=120, **ARCHIVE, **settings) as machine:
        return machine.end(), machine.serial()


@pytest.mark.parametrize('commands, status', [
    ('exit 0', 0), ('exit 7', 7), ('exit 255', 255), ('false', 1), ('kill -9 $$', 137), ('kill -SEGV $$', 139),
    ('/bin/nothing-here', 127), ('[ "a b" = "a b" ] && exit 42', 42), ("[ 'it'\\''s' = \"it's\" ] && exit 43", 43)])
def test_shell_commands_give_their_status(tmp_path, commands, status):
    ended, output = run(tmp_path, SH=commands)
    assert ended == status, output
    assert 'panic' not in output


def test_a_program_that_is_not_there(tmp_path):
    ended, output = run(tmp_path, APPEND='program=/bin/nothing')
    assert ended == 127 and 'could not start: no such thing' in output


def test_arguments_with_an_open_quote(tmp_path):
    """Said before the machine boots."""
    ended, output = run(tmp_path, PROGRAM='/program', ARGS="it's")
    assert ended == 2 and "ARGS=it's: No closing quotation" in output, output


def test_words_of_the_monitor_are_a_shells(tmp_path):
    with boot_to_prompt(tmp_path, RUN='help', **ARCHIVE) as machine:
        output = machine.command("""program /bin/sh -c "echo 'a   b;c'; echo 'd'" e\\ f""")
        assert output.split('\n')[:3] == ['a   b;c', 'd', '/bin/sh ended with status 0.'], output


def test_pipes_and_children(tmp_path):
    ended, output = run(tmp_path, SH='(echo b; echo a; echo c) | sort | tr abc xyz; for i in 1 2 3; do (exit $i); echo got $?; done')
    assert ended == 0
    assert re.search(r'x\n+y\n+z\n+got 1\n+got 2\n+got 3\n', output), output


@pytest.mark.parametrize('cpu', ['qemu32', 'pentium3', 'coreduo', 'max'])
def test_every_processor_runs_programs(tmp_path, cpu):
    ended, output = run(tmp_path, CPU=cpu, SH='ls / | wc -l; exit 9')
    assert ended == 9, output


def figures(machine):
    """Frames by state, and live objects of the heap, when nothing else happens."""
    states = re.findall(r'^(allocated|page table|cache|locked) +\S+ +(\d+)', machine.command('mem'), re.M)
    objects = re.search(r'(\d+) objects', machine.command('heap'))
    return dict(states), objects and objects.group(1)


def test_books_are_as_before(tmp_path):
    """Programs that end in every way leave nothing, after the first has made what stays (tables, caches)."""
    commands = ['program /bin/hello', 'program /bin/sh -c true|true|true', 'program /bin/sh -c kill${IFS}-9${IFS}$$',
                'program /bin/sh -c sleep${IFS}1&true', 'program /bin/nothing']
    with boot_to_prompt(tmp_path, RUN='help', **ARCHIVE) as machine:
        for line in commands:
            machine.command(line)
        before = figures(machine)
        for line in commands * 3:
            machine.command(line)
        assert figures(machine) == before
        assert 'memory check: ok' in machine.command('mem check')
