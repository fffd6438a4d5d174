"""GRUB, a loader that many have, starts the same kernel.elf by both Multiboot protocols."""
import subprocess

import pytest

from tests.conftest import BUILD

MENU = """\
set timeout=0
menuentry 32rtos {{
    {command} /kernel.elf {words}
    {module} /archive-empty.cpio
}}
"""
WORDS = ['run=mem check\\; poweroff', '"run=mem check; poweroff"', 'video=text "run=mem check;poweroff"']
POWERED_OFF = 0x10 << 1 | 1  # QEMU's status for the kernel's POWER_EXIT_OFF


@pytest.mark.parametrize('command, module', [('multiboot', 'module'), ('multiboot2', 'module2')])
@pytest.mark.parametrize('words', WORDS)
def test_grub_starts_the_kernel(tmp_path, words, command, module):
    folder = tmp_path / 'disc'
    (folder / 'boot/grub').mkdir(parents=True)
    (folder / 'boot/grub/grub.cfg').write_text(MENU.format(command=command, module=module, words=words))
    for name in ('kernel.elf', 'archive-empty.cpio'):
        (folder / name).write_bytes((BUILD / name).read_bytes())
    image = tmp_path / 'grub.iso'
    subprocess.run(['grub-mkrescue', '-o', image, folder], check=True, capture_output=True)
    serial = tmp_path / 'serial.log'
    result = subprocess.run(['qemu-system-i386', '-m', '64', '-cpu', 'max', '-cdrom', image, '-boot', 'd', '-display', 'none',
                             '-serial', f'file:{serial}', '-monitor', 'none', '-no-reboot', '-net', 'none',
                             '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'],
                            stdin=subprocess.DEVNULL, timeout=300, check=False)
    text = serial.read_text(errors='replace')
    assert 'memory check: ok (' in text, text
    assert result.returncode == POWERED_OFF, text
