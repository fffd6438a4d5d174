"""e820-regions from outside: what it prints for tables and kernel logs, and what it says when it cannot."""
import pathlib
import subprocess

import pytest

from tests.conftest import BUILD, ROOT

TOOL = BUILD / 'host' / 'e820-regions'
DATA = ROOT / 'tests' / 'data' / 'e820'
PAGE = 4096
LIMIT = 1 << 36
KINDS = ['usable', 'acpi', 'nvs', 'reserved', 'bad']

NEW = {1: 'usable', 2: 'reserved', 3: 'ACPI data', 4: 'ACPI NVS', 5: 'unusable', 12: 'persistent (type 12)'}
LATEST = {1: 'System RAM', 2: 'device reserved', 3: 'ACPI data', 4: 'ACPI NVS', 5: 'unusable',
          12: 'persistent RAM (type 12)'}


def old_kind(kind):
    return f'({NEW[kind]})' if kind <= 5 else f'type {kind}'


# How Linux has printed an entry, by the kernels that did.
FORMS = {
    '3.5': lambda base, length, kind:
        f'[    0.000000] BIOS-e820: [mem {base:#018x}-{base + length - 1:#018x}] {NEW.get(kind, f"type {kind}")}',
    'latest': lambda base, length, kind:
        f'[    0.000000] BIOS-e820: [mem {base:#018x}-{base + length - 1:#018x}]  {LATEST.get(kind, f"type {kind}")}',
    'with sizes': lambda base, length, kind:
        f'BIOS-e820: [mem {base:#018x}-{base + length - 1:#018x}]  {length >> 10}   KB {NEW.get(kind, f"type {kind}")}',
    '2.6': lambda base, length, kind:
        f' BIOS-e820: {base:016x} - {base + length:016x} {old_kind(kind)}',
    '2.6, syslog': lambda base, length, kind:
        f'Nov 22 15:22:30 host kernel: [    0.000000]  BIOS-e820: {base:016x} - {base + length:016x} {old_kind(kind)}',
    '2.4': lambda base, length, kind:
        f' BIOS-e820: {length:016x} @ {base:016x} {old_kind(kind)}',
}


def run(*arguments, text=None):
    return subprocess.run([TOOL, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=20,
                          check=False)


def read_fixture(path):
    """[(base, length, type, attribute)] of a table."""
    rows = [line.split('#')[0].split() for line in path.read_text().splitlines()]
    return [(int(base, 16), int(length, 16), int(kind), int(attribute))
            for base, length, kind, attribute in filter(None, rows)]


def page_kind(entries, page):
    """The rule, for one page."""
    first, end = page * PAGE, (page + 1) * PAGE
    claims = [(base, min(base + length, 1 << 64), kind) for base, length, kind, attribute in entries
              if length and attribute & 1]
    others = [{3: 1, 4: 2, 5: 4}.get(kind, 3) for base, stop, kind in claims
              if kind != 1 and base < end and stop > first]
    if others:
        return KINDS[max(others)]
    for base, stop, _ in sorted(claim for claim in claims if claim[2] == 1):
        if base <= first < stop:
            first = stop
    return 'usable' if first >= end else None


def expected_output(entries):
    edges = {0, LIMIT // PAGE}
    for base, length, _, _ in entries:
        for edge in (base, base + length):
            edges |= {edge // PAGE, edge // PAGE + 1}
    edges = sorted(edge for edge in edges if edge <= LIMIT // PAGE)
    regions = []
    for start, end in zip(edges, edges[1:]):
        kind = page_kind(entries, start)
        if regions and regions[-1][2] == kind:
            regions[-1][1] = end
        else:
            regions.append([start, end, kind])
    usable = sum(end - start for start, end, kind in regions if kind == 'usable') * PAGE
    lines = [f'{start * PAGE:x} {end * PAGE:x} {kind}' for start, end, kind in regions if kind]
    return '\n'.join(lines + [f'usable {usable}', ''])


FIXTURES = sorted(DATA.glob('*/*.txt'))


def test_fixtures_are_there():
    assert len(FIXTURES) >= 69


@pytest.mark.parametrize('path', FIXTURES, ids=lambda path: path.stem)
def test_fixture(path):
    entries = read_fixture(path)
    result = run(path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == expected_output(entries)
    is_beyond = any(length and attribute & 1 and base + length > LIMIT for base, length, _, attribute in entries)
    assert ('64 GiB' in result.stderr) == is_beyond
    assert is_beyond or result.stderr == ''


def test_known_answer():
    """One table whose answer is written out, independent of any oracle."""
    result = run('-', text='100000 3ef0000 1 1\n0 9fc00 1 1 # size=20\n9fc00 400 2 1\n'
                           '3ff0000 f800 3 1\n3fff800 800 4 1\nfffc0000 40000 2 1\n')
    assert result.returncode == 0
    assert result.stderr == ''
    assert result.stdout.splitlines() == [
        '0 9f000 usable', '9f000 a0000 reserved', '100000 3ff0000 usable', '3ff0000 3fff000 acpi',
        '3fff000 4000000 nvs', 'fffc0000 100000000 reserved', f'usable {0x9f000 + 0x3ef0000}']


@pytest.mark.parametrize('form', FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize('name', ['hp-superdome2-12tib', 'optane-memmap-type12', 'ami-efi24-laptop-type20',
                                  'old-256m-subpage-acpi', 'coreboot-type16'])
def test_kernel_log(form, name, tmp_path):
    path = DATA / 'machines' / f'{name}.txt'
    lines = [form(base, length, kind) for base, length, kind, _ in read_fixture(path)]
    log = tmp_path / 'dmesg'
    log.write_text('\n'.join(['Linux version 6.1.0', 'BIOS-provided physical RAM map:', *lines,
                              'NX (Execute Disable) protection: active',
                              'e820: update [mem 0x00000000-0x00000fff] usable ==> reserved', '']))
    result = run(log)
    assert result.returncode == 0, result.stderr
    assert result.stdout == run(path).stdout


@pytest.mark.parametrize('file', ['-', '/dev/stdin'])
def test_standard_input(file):
    result = run(file, text='0 2000 1 1\n')
    assert (result.returncode, result.stdout, result.stderr) == (0, '0 2000 usable\nusable 8192\n', '')


def test_left_out_says_how_much():
    result = run('-', text='0 1000000000 1 1\n1000000000 5000 1 1\n2000000000 1000 2 1\n')
    assert result.stdout == '0 1000000000 usable\nusable 68719476736\n'
    assert '2 of 3 entries' in result.stderr and '20480 bytes' in result.stderr


def test_nothing_usable_is_an_answer():
    assert run('-', text='0 1000 1 0\n').stdout == 'usable 0\n'


@pytest.mark.parametrize('text, words', [
    ('', ['input: no entries']),
    ('# a remark\n\n', ['input: no entries']),
    ('0 1000 1 1\n0 10zz 1 1\n', ['input:2: the length']),
    ('0 1000 1\n', ['input:1: the attribute']),
    ('a\nb\n BIOS-e820: [mem 0x0000000000000000-0x00000000000', ['input:3: no range']),
    ('BIOS-e820: [mem 0x0-0xfff] mystery\n', ['input:1: a kind']),
    ('BIOS-e820: [mem 0x5000-0xfff] usable\n', ['input:1: ', 'ends before']),
    ('0 1000 1 1\n' * 129, ['input:129: more than 128 entries']),
], ids=['empty', 'remarks', 'length', 'field', 'cut', 'kind', 'order', 'many'])
def test_bad_input(text, words, tmp_path):
    path = tmp_path / 'input'
    path.write_text(text)
    result = run(path)
    assert result.returncode == 1
    assert result.stdout == ''
    for word in words:
        assert word in result.stderr
    assert str(path) in result.stderr and len(result.stderr.splitlines()) == 1


def test_128_entries_are_accepted():
    result = run('-', text=''.join(f'{page * 0x2000:x} 1000 1 1\n' for page in range(128)))
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1] == f'usable {128 * PAGE}'


@pytest.mark.parametrize('file, words', [('/nonexistent/map', 'No such file'), ('/', 'directory'),
                                         ('/dev/zero', '16 MiB')])
def test_unreadable_file(file, words):
    result = run(file)
    assert result.returncode == 1
    assert f'{file}: ' in result.stderr and words in result.stderr


def test_full_disk():
    if not pathlib.Path('/dev/full').exists():
        pytest.skip('no /dev/full')
    with open('/dev/full', 'w', encoding='ascii') as full:
        result = subprocess.run([TOOL, '-'], input='0 1000 1 1', stdout=full, stderr=subprocess.PIPE, text=True,
                                timeout=20, check=False)
    assert result.returncode == 1 and 'standard output' in result.stderr


@pytest.mark.parametrize('arguments', [(), ('a', 'b')])
def test_usage(arguments):
    result = run(*arguments)
    assert result.returncode == 2 and result.stderr.startswith('usage: e820-regions FILE')


def test_help():
    result = run('--help')
    assert result.returncode == 0 and result.stdout.startswith('usage: e820-regions FILE')
