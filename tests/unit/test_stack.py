"""The kernel's stacks are large enough for the deepest way into the kernel, by the compiler's and the linker's word."""
import re
import subprocess

from tests.conftest import BUILD, ROOT


def check(root=ROOT):
    return subprocess.run(['/usr/bin/python3', root / 'tools/check_stack.py', BUILD], capture_output=True, text=True, check=False)


def test_stacks_hold_what_they_must():
    result = check()
    assert result.returncode == 0, result.stdout + result.stderr
    need, there = map(int, re.search(r'needed (\d+) bytes, there are (\d+)', result.stdout).groups())
    assert 2000 < need <= there, result.stdout


def test_a_smaller_stack_is_refused(tmp_path):
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'kernel/thread').mkdir(parents=True)
    (tmp_path / 'tools/check_stack.py').write_text((ROOT / 'tools/check_stack.py').read_text())
    header = (ROOT / 'kernel/thread/stack.h').read_text()
    (tmp_path / 'kernel/thread/stack.h').write_text(header.replace('#define STACK_PAGES 2u', '#define STACK_PAGES 1u'))
    assert check(tmp_path).returncode == 1
