"""The initial archives, and what FILES and PROGRAM add to one."""
import os
import struct
import subprocess

import pytest

from tests.conftest import BUILD, ROOT, clean_environment, run_make
from tests.system.test_loader import archive_entries

TOOL = ROOT / 'tools/archive.py'
USER = BUILD / 'user'


def make(target, *arguments, check=True, **environment):
    return subprocess.run([TOOL, target, *map(str, arguments)], env=clean_environment(**environment), capture_output=True,
                          text=True, check=check)


def entries(data):
    return {name: (mode, start, content) for name, mode, start, content in archive_entries(data)}


@pytest.mark.parametrize('name', ['archive.cpio', 'archive-small.cpio'])
def test_what_every_archive_has(name):
    found = entries((BUILD / name).read_bytes())
    for directory in ('bin', 'etc', 'dev', 'proc', 'root', 'tmp'):
        assert found[directory][0] == 0o040755, directory
    for link in ('sh', 'ls', 'cat', 'ps', 'top', 'free', 'pmap'):
        assert found[f'bin/{link}'][0] == 0o120777 and found[f'bin/{link}'][2] == b'busybox', link
    assert found['etc/passwd'][2].startswith(b'root:x:0:0:') and b'PAGER=less' in found['etc/profile'][2]
    assert found['bin/monitor'][0] == 0o100755 and found['bin/monitor'][2].startswith(b'#!/bin/sh\n')
    for path, (mode, start, content) in found.items():
        assert start % 4096 == 0 or mode & 0o170000 != 0o100000 or not content, path
        assert path.count('/') == 0 or os.path.dirname(path) in found, path


def test_the_two_sizes():
    full, small = ((BUILD / name).read_bytes() for name in ('archive.cpio', 'archive-small.cpio'))
    assert {'bin/lua', 'bin/sqlite3', 'bin/memtester', 'bin/stress', 'bin/vi', 'bin/awk', 'bin/hello'} <= set(entries(full))
    assert not {'bin/lua', 'bin/vi'} & set(entries(small))
    assert len(small) < 320 * 1024 and len(full) < 3 << 20


@pytest.fixture
def host(tmp_path):
    """Some of everything that a host has."""
    folder = tmp_path / 'host'
    (folder / 'data/sub').mkdir(parents=True)
    (folder / 'data/sub/one').write_text('1')
    (folder / 'with blank').write_text('b')
    (folder / 'script').write_text('#!/bin/sh\n')
    (folder / 'script').chmod(0o755)
    (folder / 'link').symlink_to('script')
    os.mkfifo(folder / 'fifo')
    return folder


def test_files_are_added(tmp_path, host):
    base, out = tmp_path / 'base.cpio', tmp_path / 'out.cpio'
    make(base, '--make-directory', '/bin', '--file', f'{host}/script:/etc/old')
    make(out, '--base', base, '--environment', FILES=f'{host}/script:/bin/s {host}/link:/bin/l {host}/data:/srv/d "{host}/with blank:/tmp/b c" '
                                                     f'{host}/data/sub/one:/etc/old')
    found = entries(out.read_bytes())
    assert {name: (mode, content) for name, (mode, _, content) in found.items()} == {
        'bin': (0o040755, b''), 'bin/s': (0o100755, b'#!/bin/sh\n'), 'bin/l': (0o100755, b'#!/bin/sh\n'),
        'srv': (0o040755, b''), 'srv/d': (0o040755, b''), 'srv/d/sub': (0o040755, b''), 'srv/d/sub/one': (0o100644, b'1'),
        'tmp': (0o040755, b''), 'tmp/b c': (0o100644, b'b'), 'etc': (0o040755, b''), 'etc/old': (0o100644, b'1')}


def test_base_stays_as_it_was(tmp_path):
    make(tmp_path / 'out.cpio', '--base', BUILD / 'archive.cpio', '--environment')
    assert (tmp_path / 'out.cpio').read_bytes() == (BUILD / 'archive.cpio').read_bytes()


MALFORMED_FILES = [
    ('nothing', '"nothing": HOST:GUEST, please'),
    (':/x', '":/x": HOST:GUEST, please'),
    ('{host}/script:', 'HOST:GUEST, please'),
    ('{host}/script:x', 'the path in the machine begins with "/"'),
    ('{host}/none:/x', 'there is no {host}/none'),
    ('{host}/script:/', 'a plain path, please'),
    ('{host}/script:/a//b', 'a plain path, please'),
    ('{host}/script:/a/', 'a plain path, please'),
    ('{host}/script:/../b', 'a plain path, please'),
    ('{host}/script:/a/./b', 'a plain path, please'),
    ('{host}/script:/' + 'n' * 256, 'longer than 255 bytes'),
    ('{host}/script:' + '/n' * 2048, 'the name is too long'),
    ('{host}/fifo:/x', 'neither a file nor a directory nor a symbolic link'),
    ('{host}/script:/a {host}/script:/a/b', '/a/b: /a is no directory'),
    ('{host}/script:/d/e {host}/script:/d', '/d: there is a directory of that name'),
    ('{host}/script:/d {host}/data:/d', '/d: there is a file of that name'),
    ('{host}/script:/proc/x', 'the kernel itself makes what is in /proc'),
    ('{host}/script:/proc', 'the kernel itself makes what is in /proc'),
    ('{host}/script:/dev/null', 'the kernel itself makes what is in /dev'),
    ('{host}/script:/TRAILER!!!', 'an entry of that name ends the archive'),
    ('"{host}/script:/x', 'No closing quotation'),
]


@pytest.mark.parametrize('files, sentence', MALFORMED_FILES, ids=[files[:40] for files, _ in MALFORMED_FILES])
def test_files_that_make_no_sense(tmp_path, host, files, sentence):
    result = make(tmp_path / 'out', '--environment', check=False, FILES=files.format(host=host))
    assert result.returncode == 1 and result.stderr.count('\n') == 1
    assert result.stderr.startswith('archive.py: ') and sentence.format(host=host) in result.stderr
    assert not (tmp_path / 'out').exists()


def elf(kind=2, machine=3, bits=1, table=52, count=1, segment=1, address=0x10000000, length=0x1000):
    return struct.pack('<4sBBB9xHHIIIIIHHHHHH', b'\x7fELF', bits, 1, 1, kind, machine, 1, address, table, 0, 0, 52, 32, count,
                       0, 0, 0) + struct.pack('<IIIIIIII', segment, 0, address, address, length, length, 5, 4096)


PROGRAMS = [
    (elf(), None), (elf(kind=3, address=0), None),
    (b'#!/bin/sh\n', 'it is no ELF program'), (b'', 'it is no ELF program'),
    (elf()[:40], 'it is no 32-bit program'), (elf(bits=2), 'it is no 32-bit program'),
    (elf(machine=40), 'it is no program for i386'), (elf(kind=1), 'it is no program for i386'),
    (elf(table=60), 'its program headers are damaged'), (elf(count=9), 'its program headers are damaged'),
    (elf(segment=3), 'it is linked dynamically'),
    (elf(address=0x08048000), 'it is linked at 0x08048000, outside of user space'),
    (elf(address=0x1FFFF000, length=0x1001), 'outside of user space'),
]


@pytest.mark.parametrize('content, sentence', PROGRAMS)
def test_program(tmp_path, content, sentence):
    (tmp_path / 'p').write_bytes(content)
    result = make(tmp_path / 'out', '--environment', check=False, PROGRAM=tmp_path / 'p')
    if sentence is None:
        assert result.returncode == 0
        assert entries((tmp_path / 'out').read_bytes())['program'][::2] == (0o100755, content)
    else:
        assert result.returncode == 1 and sentence in result.stderr and result.stderr.count('\n') == 1


def test_program_that_is_not_there(tmp_path):
    result = make(tmp_path / 'out', '--environment', check=False, PROGRAM=tmp_path / 'none')
    assert result.returncode == 1 and 'there is no such file' in result.stderr
    result = make(tmp_path / 'out', '--environment', check=False, PROGRAM=tmp_path)
    assert result.returncode == 1 and 'it is no file' in result.stderr


def test_base_that_is_no_archive(tmp_path):
    for content in (b'', b'x' * 200, (BUILD / 'archive-small.cpio').read_bytes()[:150]):
        (tmp_path / 'base').write_bytes(content)
        result = make(tmp_path / 'out', '--base', tmp_path / 'base', check=False)
        assert result.returncode == 1 and 'is no archive in the newc format' in result.stderr


@pytest.mark.usefixtures('own_image')
def test_make_run_refuses_before_it_boots(tmp_path):
    for arguments, sentence in ((['FILES=x'], '"x": HOST:GUEST, please'), ([f'PROGRAM={tmp_path}'], 'it is no file'),
                                (['ARCHIVE=none'], 'ARCHIVE=none: empty, small, full'), (['ARCHIVE=a b'], 'without blanks')):
        result = run_make('image', *arguments, f'BUILD={os.path.relpath(BUILD, ROOT)}')
        assert result.returncode == 2 and sentence in result.stdout, result.stdout


@pytest.mark.usefixtures('own_image')
def test_image_with_the_full_archive(tmp_path):
    """The image has the archive that was asked for, and the file added to it."""
    (tmp_path / 'note').write_text('a note for the machine')
    result = run_make('image', 'ARCHIVE=full', f'FILES={tmp_path}/note:/etc/note', f'BUILD={os.path.relpath(BUILD, ROOT)}')
    assert result.returncode == 0, result.stdout
    image = (BUILD / '32rtos-run.iso').read_bytes()
    assert b'a note for the machine' in image and (USER / 'bin/lua').read_bytes() in image
    assert b'a note for the machine' not in (BUILD / '32rtos.iso').read_bytes()
