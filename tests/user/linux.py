"""Programs on the distribution's i386 Linux, in the emulator: what ours are compared with."""
import re
import subprocess

from tests.conftest import BUILD, ROOT

KERNEL = BUILD / 'distribution/linux-686-pae'
CHECKS = BUILD / 'user/check'
# In the order in which a kernel comes to have what they need.
PROGRAMS = ('memory_mmap', 'memory_unmap', 'memory_mremap', 'memory_advice', 'memory_lock', 'memory_break', 'memory_random', 'process', 'vfork', 'signals',
            'pipes', 'files', 'times', 'schedule', 'registers', 'log')


def linux(command, *files, memory=256, cpu='max', timeout=900):
    """Runs a shell command there; files are HOST:GUEST. Returns (status, output)."""
    result = subprocess.run([ROOT / 'tools/linux.py', KERNEL, '--base', BUILD / 'archive.cpio', '--memory', str(memory), '--cpu', cpu,
                             '--timeout', str(timeout), *(word for file in files for word in ('--file', file)), '--shell', command],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return result.returncode, result.stdout


def check_command(programs=PROGRAMS):
    """A shell command that runs programs of the folder /check one after the other, with marks between them."""
    return '\n'.join(f'echo "== {name}"; /check/{name}; echo "== status $?"' for name in programs)


def outputs(text):
    """{program: (status, what it printed)} from what check_command made."""
    return {name: (int(status), printed)
            for name, printed, status in re.findall(r'^== (\w+)\n(.*?)^== status (\d+)$', text, re.M | re.S)}


def linux_outputs(programs=PROGRAMS, **machine):
    status, text = linux(check_command(programs), f'{CHECKS}:/check', **machine)
    assert status == 0, text
    return outputs(text)
