"""The compiler for programs, and how the distribution's packages come to it."""
import os
import re
import shutil
import subprocess

import pytest

from tests.conftest import BUILD, ROOT, clean_environment

USER = BUILD.parent / 'user' if BUILD.name == 'sanitize' else BUILD / 'user'
USER_SPACE = (0x10000000, 0x20000000)
MAIN = 'int main(void) { return 0; }\n'


def compile_program(directory, source, *options, check=True):
    (directory / 'program.c').write_text(source)
    return subprocess.run([USER / 'cc', '-Wall', '-Werror', *options, directory / 'program.c', '-o', directory / 'program'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=check)


def segments(program):
    """(kind, address, bytes in memory, rights) of each program header, and the file's type."""
    text = subprocess.run(['readelf', '-lW', program], capture_output=True, text=True, check=True).stdout
    found = re.findall(r'^  (\w+) +0x\w+ (0x\w+) 0x\w+ 0x\w+ (0x\w+) ([RWE ]{3}) ', text, re.M)
    return re.search(r'Elf file type is (\w+)', text)[1], [(kind, int(at, 16), int(length, 16), rights.strip())
                                                           for kind, at, length, rights in found]


def test_program_lies_in_user_space(tmp_path):
    compile_program(tmp_path, MAIN)
    kind, found = segments(tmp_path / 'program')
    loads = [(at, length, rights) for name, at, length, rights in found if name == 'LOAD']
    assert kind == 'EXEC' and 'INTERP' not in [name for name, *_ in found]
    assert loads[0][0] == USER_SPACE[0] and all(at + length <= USER_SPACE[1] for at, length, _ in loads)
    assert not [rights for _, _, rights in loads if 'W' in rights and 'E' in rights]


def test_position_independent_program(tmp_path):
    compile_program(tmp_path, MAIN, '-static-pie')
    kind, found = segments(tmp_path / 'program')
    names = [name for name, *_ in found]
    assert kind == 'DYN' and 'DYNAMIC' in names and 'INTERP' not in names


def test_headers_are_those_of_the_library_for_programs(tmp_path):
    source = '#include <stdio.h>\n#include <linux/auxvec.h>\n#ifdef __GLIBC__\n#error of the machine\n#endif\n' + MAIN
    compile_program(tmp_path, source)


def test_code_is_for_the_oldest_processor(tmp_path):
    """Neither SSE nor MMX by default: kernel/start takes a processor without."""
    compile_program(tmp_path, 'double sum(const double *a, int n) { double s = 0; while (n--) s += a[n]; return s; }\n' + MAIN, '-O3')
    listing = subprocess.run(['objdump', '-d', tmp_path / 'program'], capture_output=True, text=True, check=True).stdout
    assert 'fadd' in listing and not re.search(r'%[xy]?mm\d', listing)


def test_shared_objects_are_refused(tmp_path):
    result = compile_program(tmp_path, MAIN, '-shared', check=False)
    assert result.returncode == 1 and 'static programs only' in result.stdout


@pytest.fixture
def fake_apt(tmp_path):
    """Commands in front of the machine's: an apt-get that notes how it was called, and has no network."""
    folder = tmp_path / 'commands'
    folder.mkdir()
    (folder / 'apt-get').write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\n'
                                    'case "$*" in *--print-uris*) echo "\'http://distribution.invalid/dists/'
                                    '$(. /etc/os-release; echo $VERSION_CODENAME)/main/binary-amd64/Packages.xz\' x 0" ;;'
                                    '*) echo "E: no network here" >&2; exit 100 ;; esac\n')
    (folder / 'apt-get').chmod(0o755)
    return clean_environment(PATH=f'{folder}:{os.environ["PATH"]}')


def fetch(environment, *arguments):
    return subprocess.run([ROOT / 'tools/distribution', *arguments], env=environment, capture_output=True, text=True, check=False)


def test_download_that_fails_is_a_sentence(tmp_path, fake_apt):
    result = fetch(fake_apt, tmp_path / 'folder', 'binary', 'musl-dev')
    assert result.returncode == 1 and result.stdout == ''
    assert "32RTOS: cannot download the distribution's i386 package lists." in result.stderr
    assert 'E: no network here' in result.stderr and 'Traceback' not in result.stderr
    assert not list(tmp_path.glob('folder/binary/*'))


def test_the_state_of_apt_is_private(tmp_path, fake_apt):
    """Each call of apt-get names a folder of ours for what it writes."""
    fetch(fake_apt, tmp_path / 'folder', 'source', 'lua5.4')
    calls = (tmp_path / 'calls').read_text().splitlines()
    assert len(calls) >= 2
    for call in calls:
        assert f'Dir::State={tmp_path}/folder' in call and f'Dir::Cache={tmp_path}/folder' in call


def test_what_is_there_is_not_downloaded_again(tmp_path, fake_apt):
    (tmp_path / 'folder/binary').mkdir(parents=True)
    (tmp_path / 'folder/binary/musl-dev_1_i386.deb').touch()
    result = fetch(fake_apt, tmp_path / 'folder', 'binary', 'musl-dev')
    assert result.returncode == 0 and not (tmp_path / 'calls').exists()


def test_wrong_use(tmp_path):
    for arguments in ((), (tmp_path, 'binary'), (tmp_path, 'other', 'x')):
        result = fetch(clean_environment(), *arguments)
        assert result.returncode == 2 and 'usage: tools/distribution' in result.stderr


@pytest.mark.parametrize('name', ['busybox', 'busybox-small', 'lua', 'sqlite3', 'memtester', 'stress', 'hello'])
def test_programs_are_static_and_in_user_space(name):
    kind, found = segments(USER / 'bin' / name)
    assert kind == 'EXEC' and 'INTERP' not in [segment for segment, *_ in found]
    assert min(at for segment, at, *_ in found if segment == 'LOAD') == USER_SPACE[0]


def test_busybox_has_what_its_fragment_says():
    for name, some in (('busybox', 'sh vi awk sed grep find top free pmap ps less dd xargs tar stat'), ('busybox-small', 'sh ls cat ps top free pmap')):
        links = (USER / f'bin/{name}.links').read_text().split()
        assert set(some.split()) <= set(links)
    assert not {'wget', 'ifconfig', 'telnet', 'udhcpc', 'nc', 'ping'} & set(links)


def test_recipe_that_fails_is_a_sentence(tmp_path):
    result = subprocess.run([ROOT / 'user/packaged/build', 'lua', tmp_path, tmp_path / 'work', USER / 'cc', tmp_path / 'lua'],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 1 and 'lua could not be built' in result.stderr
    assert shutil.which('dpkg-source') and 'work/log has all of it' in result.stderr
