"""Another loader: what Multiboot passes may lie anywhere, in the kernel's own rows too, and arrives all the same."""
import json
import re
import socket
import subprocess

import pexpect
import pytest

from tests.conftest import BUILD, ROOT

STAGER = BUILD / 'multiboot-stager.elf'
ARCHIVE = bytes(i * i % 251 for i in range(3000))


@pytest.fixture(scope='module', autouse=True)
def stager():
    subprocess.run(['make', f'BUILD={BUILD}', str(STAGER)], cwd=str(ROOT), check=True)


def read_memory(path, address, length, file):
    """Guest memory by QEMU's monitor protocol."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(str(path))
        stream = channel.makefile('rw', encoding='utf-8')
        arguments = {'val': address, 'size': length, 'filename': str(file)}
        for command in ({'execute': 'qmp_capabilities'}, {'execute': 'pmemsave', 'arguments': arguments}):
            stream.write(json.dumps(command) + '\n')
            stream.flush()
            while 'return' not in (answer := json.loads(stream.readline())):
                assert 'error' not in answer, answer
    return file.read_bytes()


def boot(tmp_path, kernel, modules, line):
    return pexpect.spawn('qemu-system-i386', [
        '-m', '64', '-cpu', 'max', '-display', 'none', '-serial', 'stdio', '-no-reboot',
        '-qmp', f'unix:{tmp_path}/qmp,server=on,wait=off', '-kernel', str(kernel), '-initrd', modules, '-append', line,
    ], encoding='utf-8', codec_errors='replace', timeout=120)


def map_of(text):
    """The table that `mem map` prints."""
    return re.search(r'32rtos> mem map\n(.*?)32rtos> mem check', text, re.S)[1]


@pytest.mark.parametrize('protocol', ['1', '2'])
@pytest.mark.parametrize('where', ['low', 'image', 'high'])
def test_everything_arrives_from_anywhere(tmp_path, where, protocol):
    archive = tmp_path / 'archive'
    archive.write_bytes(ARCHIVE)
    commands = 'run=mem map; mem check'
    straight = boot(tmp_path, BUILD / 'kernel.elf', str(archive), commands)
    straight.expect(r'memory check: ok')
    expected = map_of(straight.before.replace('\r', ''))
    straight.close(force=True)

    staged = boot(tmp_path, STAGER, f'{BUILD}/kernel.elf,{archive}', f'where={where} protocol={protocol} {commands}')
    try:
        staged.expect(r'memory check: ok')
        text = staged.before.replace('\r', '')
        assert 'booted from Multiboot' + (' 2\n' if protocol == '2' else '\n') in text
        assert f'command line: {commands}\n' in text
        assert map_of(text) == expected
        place = re.search(r'initial archive: (\d+) bytes at 0x([0-9a-f]+)', text)
        assert int(place[1]) == len(ARCHIVE) and int(place[2], 16) % 4096 == 0
        assert read_memory(tmp_path / 'qmp', int(place[2], 16), len(ARCHIVE), tmp_path / 'read') == ARCHIVE
    finally:
        staged.close(force=True)


@pytest.mark.parametrize('kind, sentence', [
    ('0', 'speaks none of the protocols'), ('b', 'were not built together'), ('n', 'passed no memory map')])
def test_a_loader_that_makes_no_sense_is_refused(tmp_path, kind, sentence):
    archive = tmp_path / 'archive'
    archive.write_bytes(ARCHIVE)
    staged = boot(tmp_path, STAGER, f'{BUILD}/kernel.elf,{archive}', f'where=high protocol={kind} run=mem')
    try:
        staged.expect(f'32RTOS: the loader [^.]*{sentence}')
    finally:
        staged.close(force=True)


def test_headers_are_where_grub_looks():
    """Both headers are where GRUB looks for them."""
    for kind in ('--is-x86-multiboot', '--is-x86-multiboot2'):
        subprocess.run(['grub-file', kind, str(BUILD / 'kernel.elf')], check=True)
