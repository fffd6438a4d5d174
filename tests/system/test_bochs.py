"""A second emulator, stricter than the first, boots the same image on two processor models."""
import os
import subprocess

import pexpect
import pytest

from tests.conftest import BUILD, ROOT

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


@pytest.mark.parametrize('model', ['p3_katmai', 'core_duo_t2400_yonah'])
def test_boots_to_a_clean_check(tmp_path, model):
    image, serial = tmp_path / '32rtos.iso', tmp_path / 'serial.log'
    subprocess.run([ROOT / 'tools/image.py', '--patch-command-line', BUILD / '32rtos-empty.iso', image], check=True,
                   env={**os.environ, 'COMMAND_LINE': 'run=mem check; poweroff'})
    (tmp_path / 'bochsrc').write_text(CONFIGURATION.format(model=model, image=image, serial=serial, log=tmp_path / 'bochs.log'))
    (tmp_path / 'commands').write_text('c\nquit\n')
    child = pexpect.spawn('bochs', ['-q', '-f', 'bochsrc', '-rc', 'commands'], cwd=str(tmp_path), timeout=400,
                          encoding='utf-8', codec_errors='replace')
    try:
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
        text = serial.read_text(errors='replace') if serial.exists() else ''
    assert 'memory check: ok (' in text, text + child.before[-2000:]
