"""The kernel's stacks are large enough for the deepest way into the kernel, by the compiler's and the linker's word."""
import re
import shutil
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
    (tmp_path / 'tools/check_stack.py').write_text((ROOT / 'tools/check_stack.py').read_text())
    shutil.copytree(ROOT / 'kernel', tmp_path / 'kernel')
    header = tmp_path / 'kernel/thread/stack.h'
    header.write_text(header.read_text().replace('#define STACK_PAGES 2u', '#define STACK_PAGES 1u'))
    result = check(tmp_path)
    assert result.returncode == 1 and 'there are 4096' in result.stdout, result.stdout + result.stderr
    assert 'is not known' not in result.stdout


def test_a_pointer_that_leads_nowhere_is_named(tmp_path):
    """Without the sources no field leads anywhere."""
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'kernel/thread').mkdir(parents=True)
    for name in ('tools/check_stack.py', 'kernel/thread/stack.h'):
        (tmp_path / name).write_text((ROOT / name).read_text())
    result = check(tmp_path)
    assert result.returncode == 1 and re.search('is not known.*file_read', result.stdout), result.stdout
