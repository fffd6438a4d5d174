"""What memory and process calls take: how the figures are had, on our kernel and on Linux, and what is accepted."""
import math
import os
import re
import subprocess

from bench.accepted import ROOT, Accepted, Unusable

ACCEPTED = ROOT / 'bench/user/accepted.txt'
CPU, MEMORY = 'qemu32', 256
ICOUNT = '-icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm'
BARE = '-nodefaults'  # no screen, no drives, whose firmware would count in reset_to_user
SMALLEST = 'smallest_ram_mib'
OURS_RANGE, LINUX_RANGE = (1, 16), (24, 56)  # MiB, where the smallest machine is searched for
SHORT = 'only=syscall_null reps=1'

ROW = re.compile(r'^(\w+) (\d+(?:\.\d)?) insn min=\S+ max=\S+ n=\d+$', re.MULTILINE)
MEMORY_ROW = re.compile(r'^(mem_per_process(?:_kernel)?) (\d+(?:\.\d)?) KiB n=\d+$', re.MULTILINE)
START = re.compile(r'^boot_tsc_at_init (\d+) insn$', re.MULTILINE)
# They say what the clock counts, and nothing of the kernel.
OF_THE_CLOCK = ('tsc_1000nop', 'cal_rep_stosl_4k')


def _run(command, **variables):
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return result.returncode, result.stdout.decode(errors='replace').replace('\r', '')


def boot_ours(build, words, memory=MEMORY, counts=True):
    """Status and output of our kernel with an archive that holds only the program."""
    return _run([ROOT / 'tools/run'], BUILD=str(build), BOOT='multiboot', MACHINE='pc', CPU=CPU, MEM=str(memory),
                IMAGE_ARCHIVE=f'{build}/bench/user/archive.cpio', QEMUFLAGS=f'{BARE} {ICOUNT}' if counts else BARE, TIMEOUT='600',
                APPEND=f'program=/bench {words}'.rstrip(), RUN='', PROGRAM='', ARGS='', SH='')


def boot_linux(build, words, memory=MEMORY, counts=True):
    """The same for the distribution's, in its faster setting. Where it has not enough RAM it is to end, not to wait."""
    timeout = '900' if memory == MEMORY else '60'
    return _run([ROOT / 'tools/linux.py', build / 'distribution/linux-686', '--cpu', CPU, '--memory', str(memory),
                 '--append', 'mitigations=off panic=-1', '--file', f'{build}/bench/user/bench:/init', '--words', words,
                 '--timeout', timeout, *(['--icount'] if counts else [])])


def lines(ended):
    """What the program printed, of what boot_ours or boot_linux returned."""
    status, output = ended
    if status != 0 or 'BENCH-END\n' not in output:
        raise Unusable(f'the machine ended with status {status}:\n{output}')
    return output[output.index('BENCH-BEGIN\n'):output.index('BENCH-END\n')].split('\n', 1)[1]


def figures(text):
    """{name: figure}: medians; bytes for memory. Two are made of others."""
    found = {name: float(value) for name, value in ROW.findall(text) if name not in OF_THE_CLOCK}
    found |= {name: float(value) * 1024 for name, value in MEMORY_ROW.findall(text)}
    if 'mmap_touch_munmap_256p' in found:
        found['page_life'] = found['mmap_touch_munmap_256p'] / 256
    if 'mmap_munmap_1p' in found and 'mmap_munmap_1p_1000areas' in found:
        found['many_areas_percent'] = found['mmap_munmap_1p_1000areas'] * 100 / found['mmap_munmap_1p']
    start = START.search(text)
    if start:
        found['reset_to_user'] = float(start[1])
    return found


def counted(text):
    """The figures, in whole instructions. Refuses those of a clock that does not count instructions."""
    if not re.search('^tsc_1000nop 1000 insn', text, re.MULTILINE):
        raise Unusable(f'the clock did not count 1000 instructions as 1000:\n{text}')
    return {name: math.ceil(value) for name, value in figures(text).items()}


def works(boot, build, memory):
    """Does the program run to its end with so many MiB?"""
    status, output = boot(build, SHORT, memory=memory, counts=False)
    return status == 0 and 'BENCH-END\n' in output


def smallest(boot, build, limits):
    """The least number of MiB that works; the limits are one that is taken not to, and one that has to."""
    low, high = limits
    if not works(boot, build, high):
        raise Unusable(f'{high} MiB are too few')
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if works(boot, build, middle) else (middle, high)
    return high


def accepted(path=ACCEPTED):
    return Accepted.read(path, ('count',))
