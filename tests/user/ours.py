"""Programs on our kernel, in the emulator: what tests/user/linux.py is for Linux."""
import pathlib
import re
import subprocess
import tempfile

from tests.conftest import BUILD, ROOT, clean_environment
from tests.user.linux import CHECKS, PROGRAMS, check_command, outputs

BEGIN, END = 'ours: begin', 'ours: status '
LOG = re.compile(r'^\[ *\d+\.\d+\] .*\n', re.M)  # what the kernel says in between


def ours(command, *files, build=BUILD, timeout=600, **machine):
    """Runs a shell command there; files are HOST:GUEST. Returns (status, output)."""
    with tempfile.TemporaryDirectory(prefix='32rtos-') as folder:
        script, archive = pathlib.Path(folder) / 'command', pathlib.Path(folder) / 'archive.cpio'
        script.write_text(f'cd /tmp\nstty -opost\necho "{BEGIN}"\n(\n{command}\n)\necho "{END}$?"\n')
        subprocess.run([ROOT / 'tools/archive.py', '--base', BUILD / 'archive.cpio', archive, '--file', f'{script}:/command',
                        *(word for file in files for word in ('--file', file))], check=True)
        settings = {'BOOT': 'multiboot', 'SH': 'sh /command', 'TIMEOUT': timeout, **machine}
        result = subprocess.run([ROOT / 'tools/run'], env=clean_environment(BUILD=build, IMAGE_ARCHIVE=archive, **settings), cwd=ROOT,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    text = LOG.sub('', result.stdout.decode(errors='replace').replace('\r', ''))
    assert result.returncode == 0 and f'{BEGIN}\n' in text and END in text, text
    output, status = text.split(f'{BEGIN}\n', 1)[1].rsplit(END, 1)
    return int(status.split()[0]), output


def our_outputs(programs=PROGRAMS, **machine):
    status, text = ours(check_command(programs), f'{CHECKS}:/check', **machine)
    assert status == 0, text
    return outputs(text)
