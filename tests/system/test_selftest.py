"""The tests that run inside the kernel, one test here for each machine that they run on."""
import re

import pytest

from tests.system.machine import boot_to_prompt


@pytest.mark.parametrize('settings', [dict(), dict(MEM=8), dict(MEM=8192), dict(CPU='qemu32'), dict(CPU='pentium3', BOOT='multiboot')],
                         ids=lambda settings: '-'.join(f'{value}' for value in settings.values()) or 'default')
def test_selftests_pass(tmp_path, settings):
    with boot_to_prompt(tmp_path, **settings) as machine:
        output = machine.command('selftest')
        found = re.search(r'selftest: (\d+) passed, 0 failed', output)
        assert found and int(found.group(1)) > 0, output
        assert 'memory check: ok' in machine.command('mem check')


def test_planted_faults_are_reported_in_words(tmp_path):
    """One wrong byte at a time, at least 20 different ones, each in a sentence that names the module."""
    with boot_to_prompt(tmp_path) as machine:
        output = machine.command('selftest planted_faults_are_found')
        sentences = re.findall(r'planted in ([^:]+): (e820|bytemap|pageframe|paging|heap): \S+', output)
        assert len({name for name, _ in sentences}) >= 20, output
        assert {module for _, module in sentences} >= {'e820', 'bytemap', 'pageframe', 'paging', 'heap'}
        assert 'selftest: 1 passed, 0 failed' in output
