"""The prompt as a user meets it: editing, history, lists, wrong words; and nothing wider than a terminal."""
import re

import pytest

from tests.system.machine import boot_to_prompt

UP, LEFT, HOME = '\x1b[A', '\x1b[D', '\x1b[H'
COMMANDS = ['help', 'mem', 'mem map', 'mem states', 'mem states 0x100000', 'mem who 0x100000', 'mem who 0x6000', 'mem check',
            'page 0x100000', 'page 0x8600000', 'page 0', 'page 0xffffffff', 'heap', 'heap top', 'cpu']
WRONG = ['frobnicate', 'mem who', 'mem who xyz', 'mem who 0x1000000000000', 'mem foo', 'mem check 1', 'page', 'page 1 2', 'page -1',
         'page 0x', 'page 4294967296', 'heap foo', 'cpu 1', 'log 1', 'fault', 'fault foo', 'selftest foo', 'poweroff now',
         'reboot now', 'help foo', 'help mem foo']


@pytest.fixture(name='machine', scope='module')
def one_machine(tmp_path_factory):
    with boot_to_prompt(tmp_path_factory.mktemp('prompt')) as machine:
        yield machine


def test_boot_log_fits_a_terminal(machine):
    log = machine.command('log')
    assert [line for line in log.splitlines() if len(line) > 80] == []
    found = re.search(r'memory: (\d+) KiB of RAM in (\d+) regions?, (\d+) KiB free', log)
    assert found and 0 < int(found.group(3)) < int(found.group(1)) <= 64 * 1024


@pytest.mark.parametrize('line', COMMANDS)
def test_output_fits_a_terminal(machine, line):
    output = machine.command(line)
    assert output.strip(), 'it prints something'
    assert [text for text in output.splitlines() if len(text) > 80] == []


@pytest.mark.parametrize('line', WRONG)
def test_a_wrong_line_gets_a_sentence_and_a_usage_line(machine, line):
    sentence, usage = [text for text in machine.command(line).splitlines() if text]
    assert sentence.endswith('.')
    assert usage.startswith('usage: ')


def test_the_first_word_that_is_too_many_is_named(machine):
    """It is one more than there is room for."""
    machine.send('program' + ' a' * 62 + ' b c d\r')
    machine.expect('"program" does not know what to do with "b"\\.')
    machine.expect_prompt()


def test_a_list_runs_one_after_the_other(machine):
    output = machine.command('mem check; ;mem check')
    assert output.count('memory check: ok') == 2


def test_editing_and_history(machine):
    machine.command('mem check')
    for keys in [UP, 'em check' + HOME + 'm', 'mem chck' + LEFT * 2 + 'e', 'mem chx\b' + 'eck', 'xyz\x15mem check', 'mem ch\t']:
        before = len(machine.serial())
        machine.send(keys + '\r')
        machine.expect(r'memory check: ok \(\d+ frames\)')
        machine.expect_prompt()
        assert 'no command' not in machine.serial()[before:], repr(keys)


def test_frames_are_zeroed_ahead_while_the_prompt_waits(machine):
    found = re.search(r'^zeroed ahead +(\d+)', machine.command('mem'), re.M)
    assert found and int(found.group(1)) > 0
