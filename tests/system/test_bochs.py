"""A second emulator, stricter than the first, boots the same image on two processor models."""
import os
import subprocess

import pexpect
import pytest

from tests.conftest import BUILD, ROOT
from tests.system import work

CONFIGURATION = """\
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model={model}, ips=50000000
megs: 64
boot: disk
ata0-master: type=disk, mode=flat, path="{image}", cylinders=0
com1: enabled=1, mode=file, dev="{serial}"
display_library: rfb, options="timeout=0"
sound: driver=dummy
speaker: enabled=0
panic: action=fatal
error: action=report
log: {log}
"""


def run(directory, model, image):
    """Boots an image, which ends by itself. Returns what came over the serial port."""
    serial = directory / 'serial.log'
    (directory / 'bochsrc').write_text(CONFIGURATION.format(model=model, image=image, serial=serial, log=directory / 'bochs.log'))
    (directory / 'commands').write_text('c\nquit\n')
    child = pexpect.spawn('bochs', ['-q', '-f', 'bochsrc', '-rc', 'commands'], cwd=str(directory), timeout=900,
                          encoding='utf-8', codec_errors='replace')
    try:
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
        text = serial.read_text(errors='replace') if serial.exists() else ''
    assert 'memory check: ok (' in text, text + child.before[-2000:]
    return text


@pytest.mark.parametrize('model', ['p3_katmai', 'core_duo_t2400_yonah'])
def test_boots_to_a_clean_check(tmp_path, model):
    image = tmp_path / '32rtos.iso'
    subprocess.run([ROOT / 'tools/image.py', '--patch-command-line', BUILD / '32rtos-empty.iso', image], check=True,
                   env={**os.environ, 'COMMAND_LINE': 'run=mem check; poweroff'})
    run(tmp_path, model, image)


def test_programs_work(tmp_path):
    image, boot = tmp_path / '32rtos.iso', BUILD / 'boot'
    subprocess.run([ROOT / 'tools/image.py', '--output', image, '--stage1', boot / 'stage1.bin', '--stage2', boot / 'stage2.bin',
                    '--entry', boot / 'entry.bin', '--kernel', BUILD / 'kernel.elf', '--archive', work.archive(tmp_path)], check=True,
                   env={**os.environ, 'COMMAND_LINE': f'run={work.commands("256K")}'})
    work.check(run(tmp_path, 'core_duo_t2400_yonah', image))
