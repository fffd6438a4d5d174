"""The kernel with KASAN and UBSan: it boots, finds nothing where nothing is wrong, and everything that is planted."""
import re

import pytest

from tests.conftest import BUILD
from tests.system import work
from tests.system.machine import Machine, boot_to_prompt

SANITIZED = BUILD / 'sanitize'
HEADLINE = re.compile(r'\] sanitizer: ([a-z ]+): (.*)')
KINDS = {'heap overflow', 'use after free', 'stack overflow', 'use after scope', 'global overflow', 'double free',
         'undefined behaviour'}


def reports(text):
    """(kind, headline, following lines up to the backtrace) of each report."""
    found = []
    for part in re.split(r'(?=\] sanitizer: )', text)[1:]:
        headline = HEADLINE.match(part)
        assert headline, part[:200]
        found.append((headline.group(1), headline.group(2), part.split('backtrace:')[0]))
    return found


@pytest.mark.parametrize('settings', [dict(MEM=64), dict(MEM=512, APPEND='video=text'),
                                      dict(MEM=8, CPU='pentium3', BOOT='multiboot')],
                         ids=lambda settings: '-'.join(f'{value}' for value in settings.values()))
def test_selftests_pass_and_plants_are_reported(tmp_path, settings):
    with Machine(tmp_path, build=SANITIZED, RUN='selftest; mem check; poweroff', **settings) as machine:
        assert machine.end() == 0
        output = machine.serial()
    found = re.search(r'selftest: (\d+) passed, 0 failed', output)
    assert found and int(found.group(1)) > 10, output
    assert 'memory check: ok' in output
    assert {kind for kind, _, _ in reports(output)} == KINDS
    # What comes before and after the sanitizer's own tests is quiet.
    assert '] sanitizer: ' not in output.split('test planted_faults_are_found: ok')[0]
    assert '] sanitizer: ' not in output.split('test sanitizer_finds_heap_overflows: ok')[1]


def test_each_report_says_where_and_who(tmp_path):
    with boot_to_prompt(tmp_path, build=SANITIZED, APPEND='video=text') as machine:
        output = machine.command('selftest sanitizer_finds_uses_after_free')
        found = reports(output)
        assert len(found) == 4, output
        for kind, headline, lines in found:
            assert kind == 'use after free' and headline.startswith('read of 1 byte at 0x')
            assert re.search(r"address 0x[0-9a-f]{8}: row 'kernel heap'", lines)
            assert re.search(r'at 0x[0-9a-f]{8} planted_read\+', lines)
            assert re.search(r'byte \d+ of an object of \d+ bytes', lines)
            assert re.search(r'allocated by 0x[0-9a-f]{8} planted_allocator\+', lines)
            assert re.search(r'freed by 0x[0-9a-f]{8} planted_free\+', lines)
        output = machine.command('selftest sanitizer_finds_heap_overflows')
        assert '1 bytes behind' not in reports(output)[0][2] and '0 bytes behind an object of 1 bytes' in output
        assert all('freed by' not in lines for _, _, lines in reports(output))


def test_programs_work_and_nothing_is_found(tmp_path):
    with Machine(tmp_path, build=SANITIZED, RUN=work.commands('1M'), BOOT='multiboot', IMAGE_ARCHIVE=work.archive(tmp_path)) as machine:
        assert machine.end() == 0
        output = machine.serial()
    assert '] sanitizer: ' not in output, output
    work.check(output)


def test_what_nobody_expects_ends_in_a_panic(tmp_path):
    with Machine(tmp_path, build=SANITIZED, RUN='fault null; poweroff', APPEND='video=text') as machine:
        assert machine.end() == 1
        output = machine.serial()
    assert re.search(r'sanitizer: undefined behaviour: kernel/debug/monitor/commands_fault.c:\d+: '
                     r'pointer 0x00000000 .* is null', output)
    assert re.search(r'\*\*\* panic: sanitizer: undefined behaviour', output)
    assert re.search(r'#0 +0x[0-9a-f]{8} fault_null\+', output)
