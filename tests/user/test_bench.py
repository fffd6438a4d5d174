"""The program that measures system calls, on Linux: its clock counts instructions, and every line is there."""
import re
import subprocess

from tests.conftest import BUILD, ROOT

NUMBER = r'\d+(?:\.\d)?'


def run_bench(*words, kernel='linux-686-pae'):
    """On the kernel that the other tests have already."""
    result = subprocess.run([ROOT / 'tools/linux.py', BUILD / 'distribution' / kernel, '--icount', '--cpu', 'coreduo',
                             '--file', f'{BUILD}/bench/user/bench:/init', '--words', ' '.join(words)],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return result.stdout


def test_lines(root):
    text = run_bench('reps=3', 'mb=2', 'skip=fork')
    lines = text[text.index('BENCH-BEGIN'):].splitlines()
    found = {line.split()[0]: line for line in lines}
    assert found['tsc_1000nop'] == 'tsc_1000nop 1000 insn min=1000 max=1000 n=3'
    assert 'BENCH-END' in lines
    names = [name for file in ('memory.c', 'process.c')
             for name in re.findall(r'^    \{"(\w+)",', (root / 'bench/user' / file).read_text(), re.M)]
    assert len(names) == 30
    for name in names:
        if 'fork' in name:
            assert name not in found
        else:
            assert re.fullmatch(rf'{name} {NUMBER} insn min={NUMBER} max={NUMBER} n=3|{name} - skip errno=\d+', found[name]), found[name]
    for name in ('boot_tsc_at_init', 'mem_total', 'mem_free_start', 'meminfo_MemTotal', 'region_mb', 'mem_free_end', 'end_tsc'):
        assert re.fullmatch(rf'{name} \d+ \w+', found[name]), found[name]
