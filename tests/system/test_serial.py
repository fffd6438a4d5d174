"""A console whose reader pauses: the kernel waits for it, then goes on without it, and is not silent for ever."""
import re
import socket
import subprocess
import time

import pytest

from tests.conftest import BUILD

PATIENCE = 15  # seconds that the kernel waits for its port, by its clock
LISTS = 200  # of the memory map, 130 KB in all: far more than a socket holds of single bytes
LINE = 'run=' + 'mem map;' * LISTS


@pytest.fixture(name='console')
def a_machine_behind_a_socket(tmp_path):
    path = str(tmp_path / 'serial')
    arguments = ['qemu-system-i386', '-m', '64', '-cpu', 'max', '-display', 'none', '-net', 'none', '-no-reboot', '-monitor', 'none',
                 '-serial', f'unix:{path},server=on,wait=on', '-kernel', str(BUILD / 'kernel.elf'), '-append', LINE]
    with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as machine, \
            socket.socket(socket.AF_UNIX) as channel:
        try:
            channel.settimeout(120)
            while channel.connect_ex(path) != 0:
                assert machine.poll() is None
                time.sleep(0.1)
            yield channel
        finally:
            machine.kill()


def read_until(channel, end):
    """All that comes, up to a regular expression."""
    text = b''
    while not re.search(end, text[-200:]):
        more = channel.recv(4096)
        assert more, text[-2000:]
        text += more
    return text.decode(errors='replace')


@pytest.mark.parametrize('pause', [5, 4 * PATIENCE])
def test_the_console_outlives_a_pause_of_its_reader(console, pause):
    read_until(console, b'usable: ')
    time.sleep(pause)
    console.send(b'mem check\r')
    text = read_until(console, rb'memory check: ok \(\d+ frames\)')
    lost = [int(count) for count in re.findall(r'\[COM1 was stuck: (\d+) bytes lost\]', text)]
    if pause < PATIENCE:
        assert (text.count('usable: '), lost) == (LISTS - 1, [])
    else:
        assert len(lost) == 1 and lost[0] > 1000
        assert text.count('usable: ') < LISTS - 1
