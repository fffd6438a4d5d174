#!/usr/bin/python3
"""Makes the boot image: one file that boots as hard disk, as USB stick and as CD-ROM.

It is an ISO 9660 file system, made by xorriso, in which every part of the loader is a file. The boot
sector stands twice: at the start, with a partition table, for disks and sticks; and as the CD's boot
file (El Torito without emulation). Afterwards the parts' places, lengths and checksums are written
into stage 1 and stage 2: boot/image.h says where and why, and is read here for the numbers. The same
parts give the same bytes.

The kernel's command line is in the environment variable COMMAND_LINE.
"""
import argparse
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADERS = ('boot/image.h', 'kernel/include/bootinfo.h', 'kernel/memory/memory.h')


def definitions():
    """Name to value, as text, of what the headers define to be a number or another name."""
    found = {}
    for path in HEADERS:
        with open(os.path.join(ROOT, path), encoding='utf-8') as header:
            found.update(re.findall(r'^#define\s+(\w+)\s+(\w+)', header.read(), re.MULTILINE))
    return found


DEFINITIONS = definitions()


def constant(name):
    value = DEFINITIONS[name]
    return constant(value) if value in DEFINITIONS else int(value, 0)


SECTOR = 2048
DISK_SECTOR = 512
STAGE1_FIELDS = constant('STAGE1_FIELDS')  # u32 stage 2's offset, u16 bytes a sector, u16 medium
STAGE1_CODE_END = constant('STAGE1_CODE_END')
MEDIUM_DISK, MEDIUM_CD = constant('MEDIUM_DISK'), constant('MEDIUM_CD')
STAGE1_PLACEHOLDER = struct.pack('<IHH', 0, DISK_SECTOR, MEDIUM_DISK)
STAGE2_BYTES = constant('MAP_STAGE2_END') - constant('MAP_STAGE2_START')
STAGE2_MAGIC = constant('STAGE2_MAGIC')
HEADER_PARTS = constant('HEADER_PARTS')
PART_BYTES = constant('PART_BYTES')  # of a part's description
PARTS = ('ENTRY.BIN', 'KERNEL.ELF', 'ARCHIVE.CPIO', 'CMDLINE.TXT')  # enum image_part_index
COMMAND_LINE_PART = PARTS.index('CMDLINE.TXT')
COMMAND_LINE_BYTES = constant('BOOTINFO_COMMAND_LINE_SIZE')  # with the closing zero
ENTRY_BYTES_MAX = constant('MAP_ENTRY_END') - constant('MAP_ENTRY_START')
FILE_BYTES_LIMIT = 1 << 32  # lengths and offsets are 32-bit numbers
DATE = '2026010100000000'
EPOCH = '1767225600'  # the same
PARTITION_TYPE = 0x17  # what hybrid images use, and firmware knows


class Unusable(Exception):
    """What was given cannot make an image; the text says why."""


# --- the command line ---------------------------------------------------------------------------

def command_line_part():
    text = os.environb.get(b'COMMAND_LINE', b'')
    if b'\n' in text:
        raise Unusable('the command line has to be one line')
    if len(text) >= COMMAND_LINE_BYTES:
        raise Unusable(f'the command line is {len(text)} bytes long; '
                       f'{COMMAND_LINE_BYTES - 1} are the most that fit')
    return text.ljust(COMMAND_LINE_BYTES, b'\0')


# --- ISO 9660: where the files went ---------------------------------------------------------------

def directory_records(image, sector, length):
    """(name, sector, bytes) of each entry of a directory."""
    at, end = sector * SECTOR, sector * SECTOR + length
    while at < end:
        record_bytes = image[at]
        if record_bytes == 0:  # records do not cross sectors
            at = (at // SECTOR + 1) * SECTOR
            continue
        place, size = struct.unpack_from('<I4xI', image, at + 2)
        name = image[at + 33:at + 33 + image[at + 32]]
        yield name.split(b';')[0].decode('latin-1'), place, size
        at += record_bytes


def boot_files(image):
    """The files of /BOOT: name to (byte offset, bytes)."""
    root_sector, root_bytes = struct.unpack_from('<I4xI', image, 16 * SECTOR + 156 + 2)
    root = {name: (place, size) for name, place, size in
            directory_records(image, root_sector, root_bytes)}
    return {name: (place * SECTOR, size) for name, place, size in
            directory_records(image, *root['BOOT'])}


# --- stage 1, stage 2 and the partition table -------------------------------------------------------

def balance(stage2):
    """Sets the word at 4 so that all words sum to 0."""
    struct.pack_into('<I', stage2, 4, 0)
    total = sum(struct.unpack(f'<{len(stage2) // 4}I', stage2))
    struct.pack_into('<I', stage2, 4, -total & 0xFFFFFFFF)


def write_parts(image, stage2_offset, parts):
    """parts: (offset, bytes) of each part, in the header's order."""
    stage2 = bytearray(image[stage2_offset:stage2_offset + STAGE2_BYTES])
    for index, (offset, length) in enumerate(parts):
        checksum = zlib.crc32(image[offset:offset + length])
        struct.pack_into('<III', stage2, HEADER_PARTS + PART_BYTES * index, offset, length, checksum)
    balance(stage2)
    image[stage2_offset:stage2_offset + STAGE2_BYTES] = stage2


def chs(sector):
    """Cylinder, head and sector as the partition table holds them, for 255 heads of 63 sectors."""
    cylinder, rest = divmod(sector, 255 * 63)
    head, sector = divmod(rest, 63)
    if cylinder > 1023:
        cylinder, head, sector = 1023, 254, 62
    return bytes((head, sector + 1 | cylinder >> 2 & 0xC0, cylinder & 0xFF))


def partition_table(image):
    """A disk signature and one active partition over all that follows the boot sector."""
    sectors = len(image) // DISK_SECTOR
    signature = zlib.crc32(image[SECTOR * 16:]) or 1
    entry = b'\x80' + chs(1) + bytes((PARTITION_TYPE,)) + chs(sectors - 1)
    entry += struct.pack('<II', 1, sectors - 1)
    return struct.pack('<IH', signature, 0) + entry.ljust(64, b'\0') + b'\x55\xAA'


def write_stage1(image, offset, stage1, stage2_offset, sector_bytes, medium):
    image[offset:offset + len(stage1)] = stage1
    struct.pack_into('<IHH', image, offset + STAGE1_FIELDS, stage2_offset, sector_bytes, medium)


# --- making an image ------------------------------------------------------------------------------

def read_file(path):
    try:
        if os.path.getsize(path) >= FILE_BYTES_LIMIT:
            raise Unusable(f'{path} is too large: 4 GiB or more')
        with open(path, 'rb') as file:
            return file.read()
    except OSError as error:
        raise Unusable(f'{path} cannot be read: {error.strerror}') from None


def write_file(path, data):
    try:
        with open(path, 'wb') as file:
            file.write(data)
    except OSError as error:
        raise Unusable(f'{path} cannot be written: {error.strerror}') from None


def checked_parts(arguments):
    """The files of /BOOT, by name."""
    stage1, stage2 = read_file(arguments.stage1), read_file(arguments.stage2)
    entry = read_file(arguments.entry)
    if len(stage1) != DISK_SECTOR or stage1[STAGE1_FIELDS:STAGE1_FIELDS + 8] != STAGE1_PLACEHOLDER:
        raise Unusable(f'{arguments.stage1} is not stage 1')
    if len(stage2) != STAGE2_BYTES or struct.unpack_from('<I', stage2)[0] != STAGE2_MAGIC:
        raise Unusable(f'{arguments.stage2} is not stage 2')
    if len(entry) > ENTRY_BYTES_MAX:
        raise Unusable(f'{arguments.entry} is too large for its row')
    return {'STAGE1.BIN': stage1.ljust(SECTOR, b'\0'), 'STAGE2.BIN': stage2, 'ENTRY.BIN': entry,
            'KERNEL.ELF': read_file(arguments.kernel), 'ARCHIVE.CPIO': read_file(arguments.archive),
            'CMDLINE.TXT': command_line_part()}


def make_iso(files, output):
    """An ISO 9660 file system with the files in /BOOT, the CD's boot file named."""
    if not shutil.which('xorriso'):
        raise Unusable('xorriso is not installed (package xorriso)')
    with tempfile.TemporaryDirectory() as tree:
        os.mkdir(f'{tree}/BOOT')
        for name, data in files.items():
            write_file(f'{tree}/BOOT/{name}', data)
        result = subprocess.run(
            ['xorriso', '-as', 'mkisofs', '-quiet', '-o', output, '-V', '32RTOS', '-iso-level', '3',
             f'--modification-date={DATE}', '--set_all_file_dates', DATE, '-uid', '0', '-gid', '0',
             '-b', 'BOOT/STAGE1.BIN', '-no-emul-boot', '-boot-load-size', '4', '-c', 'BOOT/BOOT.CAT',
             tree],
            env={**os.environ, 'SOURCE_DATE_EPOCH': EPOCH, 'TZ': 'UTC', 'LC_ALL': 'C'},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if result.returncode:
            raise Unusable(f'xorriso failed:\n{result.stderr}')


def make(arguments):
    files = checked_parts(arguments)
    with tempfile.TemporaryDirectory() as directory:
        make_iso(files, f'{directory}/iso')
        image = bytearray(read_file(f'{directory}/iso'))
    if len(image) >= FILE_BYTES_LIMIT:
        raise Unusable('the parts together are too large: 4 GiB or more')
    image += b'\0' * (-len(image) % SECTOR)
    places = boot_files(image)
    stage2_offset = places['STAGE2.BIN'][0]
    write_parts(image, stage2_offset,
                [places[name] if places[name][1] else (0, 0) for name in PARTS])
    stage1 = files['STAGE1.BIN'][:DISK_SECTOR]
    write_stage1(image, places['STAGE1.BIN'][0], stage1, stage2_offset, SECTOR, MEDIUM_CD)
    write_stage1(image, 0, stage1, stage2_offset, DISK_SECTOR, MEDIUM_DISK)
    image[STAGE1_CODE_END:DISK_SECTOR] = partition_table(image)
    write_file(arguments.output, image)


# --- another command line for an image that is there ------------------------------------------------

def find_parts(image, source):
    """Stage 2's offset, and (offset, bytes) of each part; all of them lie in the image."""
    if len(image) < DISK_SECTOR:
        raise Unusable(f'{source} is no boot image')
    stage2_offset = struct.unpack_from('<I', image, STAGE1_FIELDS)[0]
    if image[stage2_offset:stage2_offset + 4] != struct.pack('<I', STAGE2_MAGIC):
        raise Unusable(f'{source} is no boot image of 32RTOS')
    if len(image) < stage2_offset + STAGE2_BYTES:
        raise Unusable(f'{source} is cut short: it ends within stage 2')
    parts = [struct.unpack_from('<II', image, stage2_offset + HEADER_PARTS + PART_BYTES * index)
             for index in range(len(PARTS))]
    for name, (offset, length) in zip(PARTS, parts):
        if offset + length > len(image):
            raise Unusable(f'{source} is damaged or cut short: {name} lies beyond its end')
    return stage2_offset, parts


def patch(source, output):
    text = command_line_part()
    image = bytearray(read_file(source))
    stage2_offset, parts = find_parts(image, source)
    offset, length = parts[COMMAND_LINE_PART]
    if length != COMMAND_LINE_BYTES:
        raise Unusable(f'{source} has no room for a command line')
    image[offset:offset + length] = text
    write_parts(image, stage2_offset, parts)
    write_file(output, image)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', 1)[0],
                                     epilog=__doc__.strip().rsplit('\n\n', 1)[1])
    parser.add_argument('--patch-command-line', nargs=2, metavar=('IMAGE', 'OUT'),
                        help='copy an image, with another command line')
    for name in ('output', 'stage1', 'stage2', 'entry', 'kernel', 'archive'):
        parser.add_argument(f'--{name}', metavar='FILE')
    arguments = parser.parse_args()
    needed = [name for name in ('output', 'stage1', 'stage2', 'entry', 'kernel', 'archive')
              if not getattr(arguments, name)]
    if needed and not arguments.patch_command_line:
        parser.error('missing: ' + ', '.join(f'--{name}' for name in needed))
    return arguments


def main():
    arguments = parse_arguments()
    try:
        if arguments.patch_command_line:
            patch(*arguments.patch_command_line)
        else:
            make(arguments)
    except (Unusable, OSError) as error:
        print(f'image.py: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
