"""The tree keeps its own rules."""
import subprocess

from tests.conftest import ROOT


def test_includes_run_one_way():
    result = subprocess.run([ROOT / 'tools/check_includes.py', ROOT], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_include_check_finds_a_violation(tmp_path):
    for path, text in {'kernel/memory/heap/heap.h': '#include "kernel/lib/string.h"\n#include <stdio.h>\n',
                       'kernel/memory/paging/paging.c': '#include "kernel/memory/heap/heap.h"\n',
                       'kernel/lib/string.h': '#include "string2.h"\n'}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    result = subprocess.run([ROOT / 'tools/check_includes.py', tmp_path], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        'kernel/lib/string.h:1: "string2.h" is not a full path from the root of the tree',
        'kernel/memory/heap/heap.h:2: <stdio.h> is not a freestanding header',
        'kernel/memory/paging/paging.c:1: kernel/memory/paging may not include "kernel/memory/heap/heap.h"']


def test_sources_are_formatted():
    files = [path for top in ('boot', 'kernel', 'tests', 'tools', 'bench', 'examples')
             for path in sorted((ROOT / top).rglob('*.[ch]'))]
    result = subprocess.run(['clang-format', '--dry-run', '--Werror', *files], cwd=ROOT,
                            capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-4000:]
