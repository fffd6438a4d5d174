"""A machine without the debug-exit device, which must end, or stay, as a real one does."""
import os
import subprocess

import pexpect

from tests.conftest import BUILD, ROOT
from tests.system.machine import PATIENCE, Machine


class BareMachine(Machine):
    """QEMU itself, with our image as its disk: BareMachine(tmp_path, ['-machine', 'q35'], 'run=mem')."""

    def __init__(self, directory, flags=(), command_line='', emulator='qemu-system-i386'):  # pylint: disable=super-init-not-called
        image = directory / '32rtos.iso'
        subprocess.run([ROOT / 'tools/image.py', '--patch-command-line', BUILD / '32rtos-empty.iso', image], check=True,
                       env={**os.environ, 'COMMAND_LINE': command_line})
        self.qmp_path = str(directory / 'qmp')
        self.log_path = directory / 'serial.log'
        self.log = open(self.log_path, 'a', encoding='utf-8', errors='replace')
        arguments = ['-m', '64', '-display', 'none', '-net', 'none', '-drive', f'file={image},format=raw',
                     '-qmp', f'unix:{self.qmp_path},server=on,wait=off', *flags]
        if '-serial' not in flags:
            arguments += ['-serial', 'mon:stdio']
        self.child = pexpect.spawn(emulator, arguments, encoding='utf-8', codec_errors='replace',
                                   timeout=PATIENCE, logfile=self.log, dimensions=(50, 200))
        self.child.delaybeforesend = None
        self.channel = None
