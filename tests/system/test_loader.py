"""The boot loader from outside: every way in, firmware that misbehaves, and every sentence.

Where a kernel is needed it is firmware/probe.c, which says on COM1 what the loader passed.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import time
import zlib

import pytest

from tests.conftest import BUILD, ROOT

FIRMWARE = ROOT / 'tests/system/firmware'
FIXTURES = ROOT / 'tests/data/e820'
PATIENCE = 120  # seconds
SETTLE = 0.5  # seconds: a machine that stopped stays silent that long
IMAGE_START, IMAGE_END = 0x00100000, 0x00550000  # the kernel's row, docs/memory-map.md
DIRECT_VIEW_END = 0xA0000000  # physical
STAGE1_FIELDS = 424
PARTS = ('entry stub', 'kernel', 'initial archive', 'command line')
LINE = '32RTOS: '

RAM, RESERVED, ACPI = 1, 2, 3


# --- building ------------------------------------------------------------------------------------

def compile_probe(directory, start=IMAGE_START, pattern_words=100000):
    """The probe kernel, linked at start, with so many words of a pattern inside."""
    flags = ['-m32', '-march=i386', '-std=gnu11', '-O1', '-ffreestanding', '-fno-pic', '-fno-pie', '-no-pie',
             '-fno-stack-protector', '-mgeneral-regs-only', '-fno-asynchronous-unwind-tables', '-static', '-nostdlib',
             '-fno-tree-loop-distribute-patterns', '-Wall', '-Wextra', f'-I{ROOT}', f'-DPROBE_START={start:#x}',
             f'-DPATTERN_WORDS={pattern_words}']
    script, kernel = directory / 'probe.ld', directory / 'probe.elf'
    subprocess.run(['gcc', '-E', '-P', '-x', 'assembler-with-cpp', *flags, FIRMWARE / 'probe.ld.S', '-o', script], check=True)
    subprocess.run(['gcc', *flags, f'-Wl,--build-id=none,-T,{script}', '-o', kernel, FIRMWARE / 'probe_start.S',
                    FIRMWARE / 'probe.c', ROOT / 'boot/entry/crc32.c'], check=True)
    return kernel


@pytest.fixture(scope='session')
def probe(tmp_path_factory):
    return compile_probe(tmp_path_factory.mktemp('probe'))


@pytest.fixture(scope='session')
def staged_binary(tmp_path_factory):
    directory = tmp_path_factory.mktemp('staged')
    subprocess.run(['gcc', '-m32', '-c', FIRMWARE / 'staged.S', '-o', directory / 'staged.o'], check=True)
    subprocess.run(['objcopy', '-O', 'binary', '-j', '.text', directory / 'staged.o', directory / 'staged.bin'], check=True)
    return (directory / 'staged.bin').read_bytes()


def make_image(directory, kernel, archive=b'', command_line='', name='image.iso', check=True, **parts):
    """An image of the loader that was built, and any kernel; archive: its bytes."""
    archive_path, image = directory / 'archive', directory / name
    archive_path.write_bytes(archive)
    arguments = [argument for part in ('stage1', 'stage2', 'entry')
                 for argument in (f'--{part}', parts.get(part, BUILD / f'boot/{part}.bin'))]
    result = subprocess.run([ROOT / 'tools/image.py', '--output', image, *arguments, '--kernel', kernel, '--archive', archive_path],
                            env={**os.environ, 'COMMAND_LINE': command_line}, capture_output=True, text=True, check=False)
    if not check:
        return result
    assert result.returncode == 0, result.stderr
    return image


@pytest.fixture(scope='session')
def image(tmp_path_factory, probe):
    """The image that most tests boot: the probe, an archive of 300,000 bytes, no command line."""
    return make_image(tmp_path_factory.mktemp('image'), probe, ARCHIVE)


ARCHIVE = bytes(index * 7 + (index >> 8) & 0xFF for index in range(300000))


def stage2_offset(data):
    return struct.unpack_from('<I', data, STAGE1_FIELDS)[0]


def part_place(data, index):
    """(byte offset, bytes) of a part of an image."""
    return struct.unpack_from('<II', data, stage2_offset(data) + 24 + 12 * index)


# --- staged firmware -------------------------------------------------------------------------------

CONFIGURATION, TABLE = 0x800, 0x900
SETTINGS = ('e820_mode', 'e820_count', 'e820_fault', 'e820_fault_at', 'e801_mode', 'e801_ax', 'e801_bx', 'e801_cx', 'e801_dx',
            'memory_88_mode', 'memory_88_ax', 'a20_close', 'a20_bios', 'a20_hide', 'interrupt_12', 'disk_parameters',
            'disk_failures', 'far_start', 'a20_close_reads', 'disk_too_long')
PASS, ANSWER, REFUSE = 0, 1, 2
ENDS_BY_CARRY, SIGNATURE_LOST, ENDLESS = 1, 2, 3


def staged_disk(directory, binary, table=None, **settings):
    """A boot disk with that firmware. table: (base, length, type, attributes, bytes returned) each; a
    sixth field says how many bytes are written, where it is not as many."""
    assert not set(settings) - set(SETTINGS)
    data = bytearray(binary)
    if table is not None:
        settings = {'e820_mode': ANSWER, 'e820_count': len(table), **settings}
        for index, (base, length, kind, attributes, returned, *written) in enumerate(table):
            struct.pack_into('<QQIIHH', data, TABLE + 32 * index, base, length, kind, attributes, returned, *written or [returned])
    for index, name in enumerate(SETTINGS):
        struct.pack_into('<H', data, CONFIGURATION + 2 * index, settings.get(name, 0))
    path = directory / 'staged.img'
    path.write_bytes(bytes(data))
    return path


def drive(path):
    return ['-drive', f'format=raw,file={path},snapshot=on']


@pytest.fixture
def staged(tmp_path, staged_binary, image):
    """Boots an image (the usual one) behind staged firmware."""
    def start(table=None, behind=image, arguments=(), **settings):
        disk = staged_disk(tmp_path, staged_binary, table, **settings)
        return Emulator(tmp_path, [*drive(disk), *drive(behind), *arguments])
    return start


# --- the emulator -----------------------------------------------------------------------------------

DEBUG_EXIT = ('-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04')
STATUS_OFF, STATUS_REFUSED = 0x10 << 1 | 1, 0x12 << 1 | 1  # power.h


class Emulator:
    """QEMU with its serial port in a file. exits: the device that lets the machine end the emulator."""

    def __init__(self, directory, arguments, memory='64', exits=DEBUG_EXIT):
        self.serial, self.socket = directory / 'serial.log', directory / 'qmp'
        self.process = subprocess.Popen(
            ['qemu-system-i386', '-m', memory, '-display', 'none', '-no-reboot', '-net', 'none', '-monitor', 'none',
             '-serial', f'file:{self.serial}', '-qmp', f'unix:{self.socket},server=on,wait=off',
             *exits, *map(str, arguments)],
            stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.kill()
        self.process.wait()
        if kind is not None:
            print(f'--- serial port:\n{self.text()}')

    def text(self):
        return self.serial.read_text(encoding='latin-1').replace('\r', '') if self.serial.exists() else ''

    def wait_for(self, pattern):
        """Waits until the serial text holds a regular expression; returns the match."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            match = re.search(pattern, self.text())
            if match:
                return match
            assert not ended, f'the machine ended without {pattern!r}:\n{self.text()}'
            time.sleep(0.05)
        raise AssertionError(f'no {pattern!r} in {PATIENCE} s:\n{self.text()}')

    def report(self):
        """What the probe kernel said: numbers by name, 'command_line', 'e820' (a list of rows)."""
        self.wait_for(r'(?m)^end$')
        assert self.process.wait(PATIENCE) == STATUS_OFF
        report = {'e820': []}
        for line in self.text().split('\nprobe\n')[1].splitlines():
            name, _, value = line.partition('=')
            if line.startswith('e820 '):
                base, length, kind, returned = (int(field, 16) for field in line.split()[1:])
                report['e820'].append((base, length, kind >> 32, kind & 0xFFFFFFFF, returned))
            elif name == 'command_line':
                report[name] = value
            elif value:
                report[name] = int(value, 16)
        return report

    def refusal(self, sentence):
        """Waits for a sentence of the loader, and sees that it is the last and ends the emulator."""
        self.ends_with(re.escape(LINE) + sentence + r'\n')

    def ends_with(self, pattern):
        """The machine refuses; its last words are these."""
        assert self.process.wait(PATIENCE) == STATUS_REFUSED, self.text()
        assert re.search(r'(?m)^' + pattern + r'\Z', self.text()), self.text()

    def stands_still(self, pattern):
        """Waits for last words, and sees that the machine, which cannot end the emulator, then does nothing more."""
        self.wait_for(pattern)
        before = self.text()
        time.sleep(SETTLE)
        assert self.text() == before
        assert self.process.poll() is None, 'it halts, it does not reset'

    def screen(self, directory):
        """The text screen, a line each."""
        target = directory / 'screen'
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(str(self.socket))
            stream = channel.makefile('rw')
            for command in ({'execute': 'qmp_capabilities'},
                            {'execute': 'pmemsave', 'arguments': {'val': 0xB8000, 'size': 4000, 'filename': str(target)}}):
                stream.write(json.dumps(command) + '\n')
                stream.flush()
                while 'return' not in json.loads(stream.readline()):
                    pass
        cells = target.read_bytes()[::2].decode('latin-1')
        return [cells[at:at + 80].rstrip() for at in range(0, len(cells), 80)]


def boot(directory, image, *arguments, **settings):
    return Emulator(directory, [*drive(image), *arguments], **settings)


def assert_placed(report, archive=ARCHIVE):
    """All that holds however the machine was booted."""
    assert report['eax'] == report['magic'] == 0x32B00755
    assert report['ebx'] == 0x5000 and report['size'] == 0
    assert report['pattern_wrong'] == report['zeros_wrong'] == 0 and report['written'] == 0x12345678
    assert report['interrupts'] == report['paging'] == 0 and report['a20'] == 1
    assert report['archive_bytes'] == len(archive)
    if archive:
        start, end = report['archive'], report['archive'] + len(archive)
        assert start % 4096 == 0  # that it is clear of the kernel is what the patterns above say
        assert report['archive_crc32'] == zlib.crc32(archive)
        assert any(base <= start and end <= base + length and kind == RAM for base, length, kind, _, _ in report['e820'])
    else:
        assert report['archive'] == 0


# --- every way in ---------------------------------------------------------------------------------

WAYS = {
    'disk': lambda image: drive(image),
    'disk-q35': lambda image: [*drive(image), '-machine', 'q35'],
    'cd': lambda image: ['-drive', f'format=raw,media=cdrom,file={image}'],
    'cd-q35': lambda image: ['-drive', f'format=raw,media=cdrom,file={image}', '-machine', 'q35'],
    'usb': lambda image: ['-drive', f'if=none,id=stick,format=raw,snapshot=on,file={image}', '-device', 'qemu-xhci',
                          '-device', 'usb-storage,drive=stick'],
    'virtio': lambda image: ['-drive', f'if=virtio,format=raw,snapshot=on,file={image}'],
}


@pytest.mark.parametrize('way', WAYS)
def test_ways_in(tmp_path, image, way):
    with Emulator(tmp_path, WAYS[way](image)) as emulator:
        report = emulator.report()
    assert_placed(report)
    assert report['loader'] == (1 if way.startswith('cd') else 0)
    assert report['source'] == 0 and report['entries'] == len(report['e820']) > 3
    assert (report['width'], report['height'], report['bits']) == (1920, 1080, 32)
    assert report['pitch'] == 1920 * 4 and report['colours'] == 0x100800
    assert 0x9FC00 == report['ebda'] and 0xE0000 <= report['rsdp'] < 0x100000
    assert 0xC000 <= report['font'] < 0x9F000 and report['command_line'] == ''


def test_font_is_the_bios_font(tmp_path, image):
    """The 8x16 font of the video BIOS, found in its ROM by its letter A."""
    with boot(tmp_path, image) as emulator:
        checksum = emulator.report()['font_crc32']
    rom = pathlib.Path('/usr/share/seabios/vgabios-stdvga.bin').read_bytes()
    assert any(zlib.crc32(rom[at:at + 4096]) == checksum for at in range(len(rom) - 4096))


@pytest.mark.parametrize('memory', ['8', '16', '3072'])
def test_archive_is_placed_in_any_machine(tmp_path, image, memory):
    with boot(tmp_path, image, memory=memory) as emulator:
        report = emulator.report()
    assert_placed(report)
    assert report['archive'] + len(ARCHIVE) <= DIRECT_VIEW_END


def test_memory_that_is_full_of_garbage(tmp_path, image):
    """RAM is not zero on real machines; the kernel finds its own bytes there, and zeros where it wants them."""
    garbage = tmp_path / 'garbage'
    garbage.write_bytes(b'\xA5' * (IMAGE_END - IMAGE_START))
    low = tmp_path / 'low'
    low.write_bytes(b'\x5A' * 0x80000)
    with boot(tmp_path, image, '-device', f'loader,file={garbage},addr={IMAGE_START:#x},force-raw=on',
              '-device', f'loader,file={low},addr=0x1000,force-raw=on') as emulator:
        report = emulator.report()
    assert_placed(report)
    assert report['command_line'] == ''


def test_bytes_that_firmware_writes_to(tmp_path, image):
    """A USB BIOS may put a parameter block over bytes 3 to 61 of the boot sector."""
    data = bytearray(image.read_bytes())
    data[3:62] = b'\xFF' * 59
    scribbled = tmp_path / 'scribbled.iso'
    scribbled.write_bytes(data)
    with boot(tmp_path, scribbled) as emulator:
        assert_placed(emulator.report())


@pytest.mark.parametrize('settings', [{}, {'far_start': 1}, {'disk_parameters': 1}, {'interrupt_12': 80}, {'disk_failures': 3},
                                      {'disk_too_long': 21}],
                         ids=lambda settings: ' '.join(settings) or 'plain')
def test_odd_firmware_that_can_be_lived_with(staged, settings):
    """Started at 07C0:0000; no EDD parameters; little low memory; reads that fail until the drive was
    reset a few times, or where they are long. In all of them the staged firmware refuses reads of more than 127 sectors or across 64 KiB, and says so."""
    with staged(**settings) as emulator:
        report = emulator.report()
        assert 'staged: a read too long' not in emulator.text()
    assert_placed(report)
    assert report['boot_drive'] == 0x81


@pytest.mark.parametrize('sector_bytes', [4096, 513])
def test_sector_size_that_cannot_be_used(staged, sector_bytes):
    with staged(disk_parameters=sector_bytes) as emulator:
        emulator.ends_with('S')


def test_too_little_low_memory(staged):
    with staged(interrupt_12=70) as emulator:
        emulator.refusal(r'the firmware leaves only 70 KiB of low memory; 72 KiB are needed\.')


# --- the memory map -----------------------------------------------------------------------------------

LOW = (0, 0x9FC00, RAM, 1, 20)
HIGH = (0x100000, 0x3F00000, RAM, 1, 20)
ROM = (0xF0000, 0x10000, RESERVED, 1, 20)


def as_copied(table):
    return [(base, length, kind, attributes if returned >= 24 else 1, returned)
            for base, length, kind, attributes, returned in table]


def fixture_table(path, returned):
    rows = (line.split()[:4] for line in path.read_text().splitlines() if line and not line.startswith('#'))
    return [(int(base, 16), int(length, 16), int(kind), int(attributes), returned)
            for base, length, kind, attributes in rows]


@pytest.mark.parametrize('returned', [20, 24])
@pytest.mark.parametrize('name', ['machines/ami-efi24-laptop-type20', 'machines/hp-superdome2-12tib', 'machines/overlap-SYNTH',
                                  'emulators/bochs2.7-m6144'])
def test_map_is_copied_as_given(tmp_path, staged, probe, name, returned):
    """Any table, though the RAM it tells of is not all there: so the image has no archive."""
    table = fixture_table(FIXTURES / f'{name}.txt', returned)
    with staged(table, behind=make_image(tmp_path, probe)) as emulator:
        report = emulator.report()
    assert report['e820'] == as_copied(table)
    assert_placed(report, archive=b'')


def test_map_with_both_sizes_of_entries(staged):
    """Attributes count where they were returned: the ignored entry does not take the kernel's RAM."""
    table = [LOW, (0x100000, 0x3F00000, RAM, 1, 24), (0x100000, 0x1000000, RESERVED, 0, 24), ROM]
    with staged(table) as emulator:
        report = emulator.report()
    assert report['e820'] == as_copied(table)
    assert_placed(report)


def test_map_whose_attributes_are_all_empty(staged):
    table = [(base, length, kind, 0, 24) for base, length, kind, _, _ in (LOW, ROM, HIGH)]
    with staged(table) as emulator:
        report = emulator.report()
        assert LINE + 'the E820 entries have empty attributes; they are taken as not reported.' in emulator.text()
    assert report['e820'] == [(base, length, kind, 1, 24) for base, length, kind, _, _ in table]
    assert_placed(report)


def test_map_whose_entries_are_not_all_written(staged):
    """24 bytes are claimed, 20 are written: the attributes are not those of the entry before."""
    with staged([(*HIGH[:3], 1, 24), LOW, (*ROM[:3], 1, 24, 20)]) as emulator:
        report = emulator.report()
    assert report['e820'] == [(*HIGH[:3], 1, 24), LOW, (*ROM[:3], 0, 24)]


def test_map_that_ends_by_carry(staged):
    with staged([LOW, ROM, HIGH], e820_fault=ENDS_BY_CARRY) as emulator:
        report = emulator.report()
    assert report['e820'] == [LOW, ROM, HIGH] and report['source'] == 0
    assert_placed(report)


def test_map_that_does_not_end(staged):
    with staged([LOW, ROM, HIGH], e820_fault=ENDLESS) as emulator:
        report = emulator.report()
        assert LINE + 'the E820 list goes on after 128 entries; the rest is left out.' in emulator.text()
    assert report['e820'] == ([LOW, ROM, HIGH] * 43)[:128]
    assert_placed(report)


def test_map_of_exactly_as_many_entries_as_fit(staged):
    table = [LOW, ROM, HIGH] + [(0x100000000 + index * 0x2000, 0x1000, RESERVED, 1, 20) for index in range(125)]
    with staged(table) as emulator:
        report = emulator.report()
        assert 'goes on' not in emulator.text()
    assert report['e820'] == table


E801 = {'e801_mode': ANSWER, 'e801_ax': 15 * 1024, 'e801_bx': 48 * 16}
FROM_E801 = [(0, 0x9DC00, RAM, 1, 0), (0x100000, 0xF00000, RAM, 1, 0), (0x1000000, 0x3000000, RAM, 1, 0)]
FROM_88 = [(0, 0x9DC00, RAM, 1, 0), (0x100000, 0x3C00000, RAM, 1, 0)]


def test_signature_lost_discards_the_map(staged):
    with staged([LOW, HIGH, ROM], e820_fault=SIGNATURE_LOST, e820_fault_at=2, **E801) as emulator:
        report = emulator.report()
        assert LINE + 'the E820 list breaks off without its signature; it is discarded.' in emulator.text()
    assert report['source'] == 1 and report['e820'] == FROM_E801
    assert_placed(report)


@pytest.mark.parametrize('registers', ['ab', 'cd'])
def test_e801_where_there_is_no_e820(staged, registers):
    settings = E801 if registers == 'ab' else {'e801_mode': ANSWER, 'e801_cx': 15 * 1024, 'e801_dx': 48 * 16}
    with staged(e820_mode=REFUSE, **settings) as emulator:
        report = emulator.report()
        assert LINE + 'the memory map is from interrupt 15h, E801.' in emulator.text()
    assert report['source'] == 1 and report['e820'] == FROM_E801
    assert_placed(report)


@pytest.mark.parametrize('e801', [{'e801_mode': REFUSE}, {'e801_mode': ANSWER}, {'e801_mode': ANSWER, 'e801_ax': 15361}],
                         ids=['refused', 'nothing', 'nonsense'])
def test_88h_where_there_is_no_e801(staged, e801):
    with staged(e820_mode=REFUSE, memory_88_mode=ANSWER, memory_88_ax=60 * 1024, **e801) as emulator:
        report = emulator.report()
        assert LINE + 'the memory map is from interrupt 15h, 88h.' in emulator.text()
    assert report['source'] == 2 and report['e820'] == FROM_88
    assert_placed(report)


@pytest.mark.parametrize('memory_88', [{'memory_88_mode': REFUSE}, {'memory_88_mode': ANSWER}], ids=['refused', 'nothing'])
def test_no_memory_map(staged, memory_88):
    with staged(e820_mode=REFUSE, e801_mode=REFUSE, **memory_88) as emulator:
        emulator.refusal(r'the firmware gives no memory map\.')


@pytest.mark.parametrize('hole', [(0x100000, 0x1000), (0x140000, 0x1000), (0x163000, 1)], ids=str)
def test_no_ram_where_the_kernel_must_be(staged, hole):
    with staged([LOW, HIGH, (*hole, RESERVED, 1, 20)]) as emulator:
        emulator.refusal(r'there is no RAM where the kernel must be \(0x100000 to 0x[0-9a-f]+\)\.')


def test_hole_in_the_row_behind_the_kernel_is_no_reason(staged):
    with staged([LOW, HIGH, (0x540000, 0x1000, RESERVED, 1, 20)]) as emulator:
        assert_placed(emulator.report())


def test_archive_goes_where_it_fits(staged):
    """Past a reserved page, an area that is too small, and ACPI tables."""
    table = [LOW, (0x100000, 0x1F00000, RAM, 1, 20), (0x1A00000, 0x1000, RESERVED, 1, 20), (0x1A80000, 0x580000, ACPI, 1, 20),
             (0x3000000, 0x40000, RAM, 1, 20)]
    with staged(table) as emulator:
        report = emulator.report()
    assert_placed(report)
    assert report['archive'] == (0x1A80000 - len(ARCHIVE)) & ~0xFFF


def test_archive_beside_the_kernel_in_little_ram(staged):
    with staged([LOW, (0x100000, 0x100000, RAM, 1, 20)]) as emulator:
        report = emulator.report()
    assert_placed(report)
    assert report['archive'] == (0x200000 - len(ARCHIVE)) & ~0xFFF


def test_archive_above_the_direct_view_where_nothing_else_is_left(staged):
    table = [LOW, (0x100000, 0xC0000, RAM, 1, 20), (0xB0000000, 0x200000, RAM, 1, 20)]
    with staged(table, arguments=['-m', '3072']) as emulator:
        report = emulator.report()
    assert_placed(report)
    assert report['archive'] == (0xB0200000 - len(ARCHIVE)) & ~0xFFF


def test_archive_fits_nowhere(staged):
    """Room below 1 MiB and above 4 GiB is no room, and beside the kernel there is less than it takes."""
    with staged([LOW, (0x100000, 0xC0000, RAM, 1, 20), (0x100000000, 0x40000000, RAM, 1, 20)]) as emulator:
        emulator.refusal(r'there is no RAM for the initial archive of 300000 bytes\.')


# --- the A20 gate ---------------------------------------------------------------------------------

HIDING = ['-device', 'virtio-rng-pci,disable-modern=on,disable-legacy=off'] * 2


@pytest.mark.parametrize('settings', [{}, {'a20_bios': 1}, {'a20_bios': 2}, {'a20_bios': 1, 'a20_hide': 1},
                                      {'a20_bios': 1, 'a20_hide': 2}],
                         ids=['bios', 'bios refuses', 'bios lies', 'port 92h', 'keyboard controller'])
def test_gate_is_opened(staged, settings):
    with staged(a20_close=1, arguments=HIDING, **settings) as emulator:
        report = emulator.report()
        assert 'staged: int 15h, 2401h' in emulator.text(), 'the gate was closed when the loader looked'
    assert_placed(report)


def test_gate_that_does_not_open(staged):
    with staged(a20_close=1, a20_bios=2, a20_hide=3, arguments=HIDING) as emulator:
        emulator.refusal(r'the A20 gate does not open, so memory above 1 MiB cannot be reached\.')


def first_kernel_read(image):
    """Which read is the kernel's first: after stage 2, the stub sector by sector, and the command line."""
    return 1 + -(-part_place(image.read_bytes(), 0)[1] // 512) + 1 + 1


@pytest.mark.parametrize('settings', [{}, {'a20_bios': 1, 'a20_hide': 1}], ids=['bios', 'port 92h'])
def test_gate_that_reads_close(staged, image, settings):
    with staged(a20_close_reads=first_kernel_read(image), arguments=HIDING, **settings) as emulator:
        report = emulator.report()
        loading = emulator.text().split('loading from drive')[1]
    assert loading.count('staged: int 15h, 2401h') >= (1 if 'a20_hide' in settings else 5), 'closed, and seen each time'
    assert_placed(report)


def test_gate_that_a_read_closes_for_good(staged, image):
    with staged(a20_close_reads=first_kernel_read(image), a20_bios=2, a20_hide=3, arguments=HIDING) as emulator:
        emulator.refusal(r'the A20 gate does not open, so memory above 1 MiB cannot be reached\.')
        assert 'loading from drive' in emulator.text()


# --- reading --------------------------------------------------------------------------------------

def with_errors(image, sector, once):
    """The drive, with an error at one 512-byte sector."""
    return ['-blockdev', json.dumps({
        'node-name': 'image', 'driver': 'blkdebug', 'image': {'driver': 'file', 'filename': str(image), 'read-only': True},
        'inject-error': [{'event': 'read_aio', 'sector': sector, 'errno': 5, 'once': once, 'immediately': True}]}),
            '-blockdev', json.dumps({'node-name': 'disk', 'driver': 'raw', 'file': 'image', 'read-only': False})]


def failing_disk(directory, image, sector, once, **settings):
    copy = directory / 'failing.iso'
    shutil.copy(image, copy)
    arguments = with_errors(copy, sector, once)
    arguments[1] = arguments[1].replace('"read-only": true', '"read-only": false')
    return Emulator(directory, [*arguments, '-device', 'ide-hd,drive=disk,bus=ide.0'], **settings)


def first_sectors(image):
    """The first 512-byte sector of stage 2 and of each part."""
    data = image.read_bytes()
    return [stage2_offset(data) // 512] + [part_place(data, index)[0] // 512 for index in range(len(PARTS))]


@pytest.mark.parametrize('part', range(5), ids=['stage 2', *PARTS])
def test_read_that_fails_once(tmp_path, image, part):
    with failing_disk(tmp_path, image, first_sectors(image)[part], once=True) as emulator:
        assert_placed(emulator.report())


@pytest.mark.parametrize('at', [0, 3])
@pytest.mark.parametrize('part', range(4), ids=PARTS)
def test_read_that_always_fails(tmp_path, image, part, at):
    """It is the very sector that is named, though more are read at once."""
    sector = first_sectors(image)[part + 1] + at
    with failing_disk(tmp_path, image, sector, once=False) as emulator:
        match = emulator.wait_for(LINE + r'the disk cannot be read at LBA 0x([0-9a-fA-F]+) \((.*), BIOS status 0x\w+\)\.')
        assert match.group(2) == PARTS[part] and int(match.group(1), 16) == sector
        assert emulator.process.wait(PATIENCE) == STATUS_REFUSED


def test_stage2_that_cannot_be_read(tmp_path, image):
    with failing_disk(tmp_path, image, first_sectors(image)[0], once=False, exits=()) as emulator:
        emulator.stands_still(r'R$')
        assert 'R' in ''.join(line[-1:] for line in emulator.screen(tmp_path))


# --- damage ---------------------------------------------------------------------------------------

def damaged(directory, image, offset):
    data = bytearray(image.read_bytes())
    data[offset] ^= 0x10
    path = directory / 'damaged.iso'
    path.write_bytes(data)
    return path


@pytest.mark.parametrize('where', ['first', 'middle', 'last'])
@pytest.mark.parametrize('part', range(4), ids=PARTS)
def test_damaged_part(tmp_path, image, part, where):
    offset, length = part_place(image.read_bytes(), part)
    at = {'first': 5000 if part == 1 else 0, 'middle': length // 2, 'last': length - 1}[where]
    with boot(tmp_path, damaged(tmp_path, image, offset + at)) as emulator:
        emulator.refusal(f'the {PARTS[part]} has a bad checksum: the image is damaged\\.')


@pytest.mark.parametrize('at', [0, 3000, 8191])
def test_damaged_stage2(tmp_path, image, at):
    offset = stage2_offset(image.read_bytes())
    with boot(tmp_path, damaged(tmp_path, image, offset + at)) as emulator:
        emulator.ends_with('M')


# --- kernels that cannot be placed ------------------------------------------------------------------

def patched(kernel, directory, offset, format_, value):
    data = bytearray(kernel.read_bytes())
    struct.pack_into(format_, data, offset, value)
    path = directory / 'patched.elf'
    path.write_bytes(data)
    return path


@pytest.mark.parametrize('name, build, sentence', [
    ('too large', lambda probe, directory: compile_probe(directory, pattern_words=1200000),
     'is too large for its row, or linked outside it'),
    ('below its row', lambda probe, directory: compile_probe(directory, start=IMAGE_START - 0x10000),
     'is too large for its row, or linked outside it'),
    ('no ELF', lambda probe, directory: patched(probe, directory, 0, '<I', 0), 'is no ELF executable for i386'),
    ('64-bit', lambda probe, directory: patched(probe, directory, 18, '<H', 62), 'is no ELF executable for i386'),
    ('headers far away', lambda probe, directory: patched(probe, directory, 28, '<I', 0x00FFFFF0),
     'has its program headers too far from its start'),
    ('entry outside', lambda probe, directory: patched(probe, directory, 24, '<I', IMAGE_END - 4),
     'has its entry outside its segments'),
    ('wrapping size', lambda probe, directory: patched(probe, directory, 52 + 20, '<I', 0xFFFFF000),
     'is too large for its row, or linked outside it'),
    ('outside the file', lambda probe, directory: patched(probe, directory, 52 + 4, '<I', 0x7FFFFFFF),
     'has a segment outside its file'),
], ids=lambda value: value if isinstance(value, str) and len(value) < 20 else '')
def test_kernel_is_refused(tmp_path, probe, name, build, sentence):
    directory = tmp_path / 'kernel'
    directory.mkdir()
    with boot(tmp_path, make_image(tmp_path, build(probe, directory))) as emulator:
        emulator.refusal(f'the kernel {sentence}\\.')


def test_no_kernel(tmp_path):
    empty = tmp_path / 'empty'
    empty.write_bytes(b'')
    with boot(tmp_path, make_image(tmp_path, empty)) as emulator:
        emulator.refusal(r'the image holds no kernel\.')


NO_PAE = 'this processor has no physical address extension (PAE), which is needed.'


@pytest.mark.parametrize('processor', ['pentium', '486'])
def test_processor_without_pae(tmp_path, image, processor):
    with boot(tmp_path, image, '-cpu', processor, exits=()) as emulator:
        emulator.stands_still(re.escape(LINE + NO_PAE) + r'\n')
        screen = '\n'.join(emulator.screen(tmp_path))
        assert LINE + NO_PAE in screen


@pytest.mark.parametrize('missing', ['cmov', 'cx8'])
def test_processor_that_is_no_i686(tmp_path, image, missing):
    """Said before there is a video mode: the kernel could not show it."""
    with boot(tmp_path, image, '-cpu', f'pentium3,-{missing}') as emulator:
        emulator.refusal(r'this processor is older than the i686 that is needed\.')


def test_entry_stub_runs_on_a_386():
    """What says that the processor is too old has to run on it."""
    code = subprocess.run(['objdump', '-d', BUILD / 'boot/entry.elf'], capture_output=True, text=True, check=True).stdout
    assert 'cpuid' in code
    newer = re.findall(r'\t(f?cmov\w*|bswap|cmpxchg\w*|xadd\w*|sysenter|rdtsc|nopw|nopl|endbr32|movaps|movq)\b', code)
    assert not newer, sorted(set(newer))


# --- video and the command line -----------------------------------------------------------------------

FALLBACK = 'there is no 32-bit mode of 1234x777; 1920x1080 is used.'
MISUNDERSTOOD = 'video= wants WIDTHxHEIGHT or text; it is left out of account.'
NO_MODE = 'the firmware has no linear 32-bit video mode; the screen is text.'


@pytest.mark.parametrize('command_line, arguments, size, said', [
    ('video=1024x768', [], (1024, 768), None),
    ('quiet video=1024x768 more', [], (1024, 768), None),
    ('video=text', [], (0, 0), None),
    ('video=1234x777', [], (1920, 1080), FALLBACK),
    ('video=big', [], (1920, 1080), MISUNDERSTOOD),
    ('run=video=text', [], (1920, 1080), None),
    ('', ['-vga', 'cirrus'], (0, 0), NO_MODE),
    ('', ['-vga', 'none'], (0, 0), NO_MODE),
    ('', ['-vga', 'std', '-global', 'VGA.vgamem_mb=4'], (1280, 800), None),
])
def test_video(tmp_path, image, command_line, arguments, size, said):
    target = patch_command_line(tmp_path, image, command_line)
    with boot(tmp_path, target, *arguments) as emulator:
        report = emulator.report()
        text = emulator.text()
    assert (report['width'], report['height']) == size
    assert report['command_line'] == command_line
    assert bool(report['font']) == ('none' not in arguments)
    for sentence in (FALLBACK, MISUNDERSTOOD, NO_MODE):
        assert (LINE + sentence in text) == (sentence == said)


def patch_command_line(directory, image, text):
    target = directory / 'patched.iso'
    subprocess.run([ROOT / 'tools/image.py', '--patch-command-line', image, target],
                   env={**os.environ, 'COMMAND_LINE': text}, check=True)
    return target


def test_command_line_arrives_verbatim(tmp_path, image):
    text = 'video=text run=mem who 0x1000; echo "$HOME" `id` \'%s\' \\n ' + 'x' * 1900
    text = text.ljust(2047, '!')
    with boot(tmp_path, patch_command_line(tmp_path, image, text)) as emulator:
        assert emulator.report()['command_line'] == text


@pytest.mark.parametrize('text, sentence', [('x' * 2048, '2048 bytes long; 2047 are the most that fit'),
                                            ('a\nb', 'has to be one line')])
def test_command_line_that_is_refused(tmp_path, image, text, sentence):
    result = subprocess.run([ROOT / 'tools/image.py', '--patch-command-line', image, tmp_path / 'out'],
                            env={**os.environ, 'COMMAND_LINE': text}, capture_output=True, text=True, check=False)
    assert result.returncode == 1 and sentence in result.stderr
    assert not (tmp_path / 'out').exists()


# --- the image and the archive --------------------------------------------------------------------------

def test_image_is_the_same_each_time(tmp_path, probe, image):
    again = make_image(tmp_path, probe, ARCHIVE)
    assert again.read_bytes() == image.read_bytes()
    with_text = make_image(tmp_path, probe, ARCHIVE, 'video=text', name='with-text.iso')
    assert patch_command_line(tmp_path, image, 'video=text').read_bytes()[512:] == with_text.read_bytes()[512:]


def test_image_is_a_disk_and_a_cd(image):
    data = image.read_bytes()
    assert len(data) % 2048 == 0 and data[510:512] == b'\x55\xAA'
    status, kind, start, sectors = struct.unpack_from('<B3xB3xII', data, 446)
    assert (status, kind, start, start + sectors) == (0x80, 0x17, 1, len(data) // 512)
    assert data[462:510] == bytes(48), 'no other partition'
    assert data[3:62] == bytes(59)
    listing = subprocess.run(['xorriso', '-indev', image, '-find', '/', '-type', 'f'], capture_output=True, text=True, check=True)
    for name in ('KERNEL.ELF', 'ARCHIVE.CPIO', 'ENTRY.BIN', 'CMDLINE.TXT'):
        assert f"'/BOOT/{name}'" in listing.stdout
    torito = subprocess.run(['xorriso', '-indev', image, '-report_el_torito', 'plain'], capture_output=True, text=True, check=True)
    assert re.search(r'boot img :\s+1\s+BIOS\s+y\s+none', torito.stdout)
    for index, content in enumerate([(BUILD / 'boot/entry.bin').read_bytes(), None, ARCHIVE, bytes(2048)]):
        offset, length = part_place(data, index)
        assert offset % 2048 == 0
        assert content is None or data[offset:offset + length] == content


def test_command_line_goes_to_images_only(tmp_path):
    (tmp_path / 'other').write_bytes(bytes(4096))
    result = subprocess.run([ROOT / 'tools/image.py', '--patch-command-line', tmp_path / 'other', tmp_path / 'out'],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 1 and 'is no boot image' in result.stderr


@pytest.mark.parametrize('length, status', [(0x5000, 0), (0x5001, 1)])
def test_entry_stub_that_fills_its_row(tmp_path, probe, length, status):
    """From 0x7000 to 0xC000 by docs/memory-map.md."""
    (tmp_path / 'entry').write_bytes(bytes(length))
    result = make_image(tmp_path, probe, check=False, entry=tmp_path / 'entry')
    assert result.returncode == status and ('is too large for its row' in result.stderr) == bool(status)


def refused(*command):
    """Runs a tool that refuses: one sentence, no traceback."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert result.returncode == 1 and result.stdout == '' and result.stderr.count('\n') == 1, result.stderr
    return result.stderr


@pytest.mark.parametrize('length, sentence', [
    (100, 'is no boot image'),
    (lambda data: stage2_offset(data) + 3, 'is no boot image of 32RTOS'),
    (lambda data: stage2_offset(data) + 4, 'is cut short: it ends within stage 2'),
    (lambda data: stage2_offset(data) + 8191, 'is cut short: it ends within stage 2'),
], ids=['boot sector', 'before the magic', 'after the magic', 'end of stage 2'])
def test_command_line_goes_to_whole_images_only(tmp_path, image, length, sentence):
    data = image.read_bytes()
    short = tmp_path / 'short.iso'
    short.write_bytes(data[:length if isinstance(length, int) else length(data)])
    assert sentence in refused(ROOT / 'tools/image.py', '--patch-command-line', short, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_part_that_lies_beyond_the_image(tmp_path, image):
    """Its place is wrong, the image is whole: it is not made longer."""
    data = bytearray(image.read_bytes())
    struct.pack_into('<I', data, stage2_offset(data) + 24 + 12 * 3, len(data) - 2047)
    wrong = tmp_path / 'wrong.iso'
    wrong.write_bytes(data)
    assert 'CMDLINE.TXT lies beyond its end' in refused(ROOT / 'tools/image.py', '--patch-command-line', wrong, tmp_path / 'out')


def test_paths_that_do_not_exist(tmp_path, image):
    nowhere = tmp_path / 'nowhere/file'
    patch = [ROOT / 'tools/image.py', '--patch-command-line']
    assert f'{nowhere} cannot be read' in refused(*patch, nowhere, tmp_path / 'out')
    assert f'{nowhere} cannot be written' in refused(*patch, image, nowhere)
    assert f'{nowhere} is no directory' in refused(ROOT / 'tools/archive.py', tmp_path / 'out', nowhere)
    assert f'{nowhere}: No such file' in refused(ROOT / 'tools/archive.py', nowhere)
    assert not (tmp_path / 'out').exists()


def sparse(path, length):
    with open(path, 'wb') as file:
        file.truncate(length)
    return path


def test_files_that_are_too_large(tmp_path, probe):
    (tmp_path / 'tree').mkdir()
    huge = sparse(tmp_path / 'tree/huge', 1 << 32)
    assert f'{huge}: the file is too large' in refused(ROOT / 'tools/archive.py', tmp_path / 'out', tmp_path / 'tree')
    result = make_image(tmp_path, huge, check=False)
    assert result.returncode == 1 and result.stderr == f'image.py: {huge} is too large: 4 GiB or more\n'


@pytest.mark.parametrize('make', [pathlib.Path.mkdir, pathlib.Path.touch], ids=['directory', 'file'])
def test_name_that_would_end_the_archive(tmp_path, make):
    (tmp_path / 'tree/deep').mkdir(parents=True)
    (tmp_path / 'tree/deep/TRAILER!!!').touch()
    assert [name for name, *_ in archive_entries(make_archive(tmp_path, tmp_path / 'tree'))] == ['deep', 'deep/TRAILER!!!']
    make(tmp_path / 'tree/TRAILER!!!')
    assert 'an entry of that name ends the archive' in refused(ROOT / 'tools/archive.py', tmp_path / 'out', tmp_path / 'tree')


def make_archive(directory, tree=None):
    target = directory / 'archive.cpio'
    subprocess.run([ROOT / 'tools/archive.py', target, *([tree] if tree else [])], check=True)
    return target.read_bytes()


def archive_entries(data):
    """(name, mode, offset of the data, data) of each entry, by the format's own rules (cpio(5), newc)."""
    at = 0
    while True:
        assert data[at:at + 6] == b'070701'
        field = [int(data[at + 6 + 8 * index:at + 14 + 8 * index], 16) for index in range(13)]
        mode, length, name_length = field[1], field[6], field[11]
        name = data[at + 110:at + 110 + name_length]
        assert name.endswith(b'\0')
        start = (at + 110 + name_length + 3) & ~3
        if name.startswith(b'TRAILER!!!\0'):
            return
        yield name.split(b'\0')[0].decode(), mode, start, data[start:start + length]
        at = (start + length + 3) & ~3


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / 'tree'
    (root / 'bin/deep/er').mkdir(parents=True)
    sizes = {'bin/program': 10000, 'bin/page': 4096, 'bin/deep/er/one': 1, 'empty': 0, 'bin/' + 'n' * 200: 5000}
    for name, size in sizes.items():
        (root / name).write_bytes(bytes(index * 31 + size & 0xFF for index in range(size)))
    (root / 'bin/program').chmod(0o755)
    (root / 'link').symlink_to('bin/program')
    return root


def test_archive_data_starts_on_pages(tmp_path, tree):
    data = make_archive(tmp_path, tree)
    entries = {name: (mode, start, content) for name, mode, start, content in archive_entries(data)}
    assert sorted(entries) == sorted(str(path.relative_to(tree)) for path in tree.rglob('*'))
    for name, (mode, start, content) in entries.items():
        path = tree / name
        if path.is_symlink():
            assert mode == 0o120777 and content == os.fsencode(os.readlink(path))
        elif path.is_dir():
            assert mode == 0o040755 and content == b''
        else:
            assert mode == (0o100755 if name == 'bin/program' else 0o100644)
            assert content == path.read_bytes()
            assert start % 4096 == 0 or not content
    assert make_archive(tmp_path, tree) == data, 'the same tree gives the same bytes'


def test_archive_is_read_by_gnu_cpio(tmp_path, tree):
    data = make_archive(tmp_path, tree)
    listing = subprocess.run(['cpio', '-t', '--quiet'], input=data, capture_output=True, check=True)
    assert listing.stderr == b''
    assert sorted(listing.stdout.decode().split()) == sorted(str(path.relative_to(tree)) for path in tree.rglob('*'))
    out = tmp_path / 'out'
    out.mkdir()
    subprocess.run(['cpio', '-i', '--quiet', '--no-absolute-filenames'], input=data, cwd=out, check=True)
    subprocess.run(['diff', '-r', '--no-dereference', tree, out], check=True)


def test_empty_archive(tmp_path, probe):
    """What the image holds as long as no other is asked for."""
    data = make_archive(tmp_path)
    assert list(archive_entries(data)) == []
    assert (BUILD / 'archive-empty.cpio').read_bytes() == data
    with boot(tmp_path, make_image(tmp_path, probe, data)) as emulator:
        assert_placed(emulator.report(), data)
