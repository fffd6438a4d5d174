"""The kernel at each of the heap's debug levels: it passes its own tests, and says each mistake in exactly one way."""
import re

import pytest

from tests.conftest import BUILD
from tests.system.machine import Machine, boot_to_prompt

LEVELS = (1, 2, 3)
AT = r'0x[0-9a-f]{8}'
OBJECT = rf'an object of 64 bytes at {AT}'
ALLOCATED = rf', allocated by {AT} mistake_allocator\+0x[0-9a-f]+ \(number \d+\)'
FREED = rf', freed by {AT} mistake_freer\+0x[0-9a-f]+'
OVERRUN = rf'heap: overrun: 0x01 instead of 0xa7, 0 bytes behind {OBJECT}{ALLOCATED}'
UNDERRUN = rf'heap: underrun: 0x01 instead of 0xa7, 1 bytes before {OBJECT}{ALLOCATED}'
AFTER_FREE = rf'heap: write after free: 0x01 instead of 0xd5, byte 3 of {OBJECT}{ALLOCATED}{FREED}'
DOUBLE = [rf'heap: double free of 0x[0-9a-f]+ refused, called from {AT} mistake_freer\+0x[0-9a-f]+',
          rf'heap: it was byte 0 of {OBJECT}{ALLOCATED}{FREED}']
LEAKS = (rf' +3 objects +192 bytes  by {AT} mistake_allocator\+0x[0-9a-f]+\n'
         rf' +the first: 64 bytes at {AT}, number \d+\n'
         r'Since allocation \d+: 3 objects of 192 bytes live, from 1 places\.')


def level_build(level):
    return BUILD / f'heap/level{level}'


def lines(output):
    return [line for line in re.sub(r'\n+', '\n', output).split('\n') if line]


def said(output):
    """The heap's sentences, without the time."""
    return [re.sub(r'^\[ *\d+\.\d+\] ', '', line) for line in lines(output) if re.search(r'(^|\] )heap: ', line)]


def assert_said(output, *patterns):
    """Exactly these, whole, in this order."""
    found = said(output)
    assert len(found) == len(patterns), output
    for sentence, pattern in zip(found, patterns):
        assert re.fullmatch(pattern, sentence), sentence


@pytest.mark.parametrize('level', LEVELS)
def test_selftests_pass(tmp_path, level):
    with Machine(tmp_path, build=level_build(level), RUN='selftest; mem check; heap; poweroff') as machine:
        assert machine.end() == 0
        output = machine.serial()
    found = re.search(r'selftest: (\d+) passed, 0 failed', output)
    assert found and int(found.group(1)) > 10, output
    assert 'memory check: ok' in output
    assert re.search(rf'debug level {level}: \d+ bytes an object, damages found 0\n', output)


@pytest.mark.parametrize('level', LEVELS)
def test_each_mistake_has_its_sentence(tmp_path, level):
    with boot_to_prompt(tmp_path, build=level_build(level), APPEND='video=text') as machine:
        machine.command('heap mark')
        assert_said(machine.command('fault overrun'), *[OVERRUN] * (level >= 2))
        assert_said(machine.command('fault underrun'), *[UNDERRUN] * (level >= 2))
        assert_said(machine.command('fault double'), *DOUBLE)
        assert 'memory check: ok' in machine.command('mem check')
        machine.command('fault leak')
        assert re.search(LEAKS, '\n'.join(lines(machine.command('heap leaks'))))
        assert_said(machine.command('fault freed'))
        if level >= 2:
            output = machine.command('mem check')
            assert_said(output, AFTER_FREE)
            assert 'memory check: 1 faults' in output
            # It is said once more when the place is looked at for somebody else, and then repaired.
            assert_said(machine.command('heap' if level == 3 else 'fault leak'), AFTER_FREE)
        assert 'memory check: ok' in machine.command('mem check')


def test_without_records_leaks_are_not_told(tmp_path):
    with boot_to_prompt(tmp_path) as machine:
        assert 'HEAP_DEBUG=1' in machine.command('heap leaks')
        assert 'debug level' not in machine.command('heap')
