#!/usr/bin/python3
"""Makes program files that are broken, each in its own way, and some that only look so.

usage: tests/user/elf/make.py FOLDER

Each file has a row in TABLE: what execve of it gives. 0 means that the program starts and exits with 7; a name of an
error is what execve returns; a signal is how the process ends that became the program. The values were taken from the
distribution's i386 Linux (tests/user/test_elf.py does it again), but for those marked OURS, where our kernel differs by
intent: its programs lie from 0x10000000 to 0x20000000 and nothing is writable and executable.

The files are also the first inputs of a fuzzer of the loader.
"""
import pathlib
import struct
import sys

BASE = 0x10000000
EHDR = struct.Struct('<4sBBBBB7xHHIIIIIHHHHHH')
PHDR = struct.Struct('<IIIIIIII')
EHDR_BYTES, PHDR_BYTES = 52, 32
assert (EHDR.size, PHDR.size) == (EHDR_BYTES, PHDR_BYTES)
PT_NULL, PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_PHDR, PT_TLS, PT_GNU_STACK = 0, 1, 2, 3, 4, 6, 7, 0x6474E551
R, W, X = 4, 2, 1
PAGE = 4096
# _exit(7)
CODE = bytes.fromhex('b801000000' 'bb07000000' 'cd80' 'f4')
CODE_AT = 0x200


def header(**changes):
    fields = {'magic': b'\x7fELF', 'bits': 1, 'order': 1, 'version': 1, 'system': 0, 'abi': 0, 'kind': 2, 'machine': 3, 'edition': 1,
              'entry': BASE + CODE_AT, 'table': EHDR_BYTES, 'sections': 0, 'flags': 0, 'size': EHDR_BYTES, 'row': PHDR_BYTES,
              'count': 1, 'section_row': 0, 'section_count': 0, 'names': 0}
    assert set(changes) <= set(fields), changes
    return EHDR.pack(*{**fields, **changes}.values())


def segment(kind=PT_LOAD, offset=0, at=BASE, in_file=0x300, in_memory=0x300, rights=R | X, align=PAGE):
    return PHDR.pack(kind, offset, at, at, in_file, in_memory, rights, align)


def program(*segments, tail=b'', pad=0x300, **changes):
    """A file of 0x300 bytes with the code at 0x200, and what is added behind."""
    rows = segments or (segment(),)
    changes.setdefault('count', len(rows))
    start = (header(**changes) + b''.join(rows)).ljust(CODE_AT, b'\0')
    return (start + CODE).ljust(pad, b'\0') + tail


DATA = dict(at=BASE + PAGE, offset=0, rights=R | W)
INTERPRETER = segment(PT_INTERP, offset=0x280, at=BASE + 0x280, in_file=10, in_memory=10, rights=R)


def with_interpreter(name, length=None):
    data = bytearray(program(segment(PT_INTERP, offset=0x280, at=BASE + 0x280, in_file=len(name) if length is None else length,
                                     in_memory=len(name), rights=R), segment()))
    data[0x280:0x280 + len(name)] = name
    return bytes(data)


STARTS = 0
NO_PROGRAM = 'ENOEXEC'
# name: (content, what Linux gives, what ours gives if that differs)
TABLE = {
    # Those that start, though some of it is odd.
    'plain': (program(), STARTS, None),
    'position-independent': (program(segment(at=0), kind=3, entry=CODE_AT), STARTS, None),
    'no-section-headers': (program(sections=0xFFFFFFFF, section_row=40, section_count=100, names=99), STARTS, None),
    'unknown-system': (program(system=0xFF, abi=0xFF), STARTS, None),
    'wrong-edition': (program(edition=99), STARTS, None),
    'wrong-version': (program(version=0), STARTS, None),
    'wrong-bits': (program(bits=2), STARTS, NO_PROGRAM),
    'wrong-byte-order': (program(order=2), STARTS, NO_PROGRAM),
    'wrong-header-size': (program(size=0), STARTS, None),
    'unknown-segment': (program(segment(), segment(0x12345678, offset=0xFFFFFFFF, at=1, in_file=5)), STARTS, None),
    'null-segment': (program(segment(PT_NULL, offset=0xFFFFFFFF), segment()), STARTS, None),
    'note-outside': (program(segment(), segment(PT_NOTE, offset=0xFFFFF000, in_file=100)), STARTS, None),
    'zeros-behind-data': (program(segment(), segment(in_memory=0x5000, **DATA)), STARTS, None),
    'zeros-only': (program(segment(), segment(in_file=0, in_memory=0x5000, **DATA)), STARTS, None),
    'no-bytes': (program(segment(), segment(in_file=0, in_memory=0, **DATA)), STARTS, None),
    'unaligned-align': (program(segment(align=3)), STARTS, None),
    'align-zero': (program(segment(align=0)), STARTS, None),
    'stack-executable': (program(segment(), segment(PT_GNU_STACK, in_file=0, in_memory=0, rights=R | W | X)), STARTS, None),
    'two-stacks': (program(segment(), *[segment(PT_GNU_STACK, in_file=0, in_memory=0, rights=R | W)] * 2), STARTS, None),
    'segments-swapped': (program(segment(offset=0, at=BASE + PAGE, rights=R), segment()), STARTS, NO_PROGRAM),
    'many-segments': (program(*[segment(PT_NULL)] * 12, segment()), STARTS, None),

    # No program at all.
    'empty': (b'', NO_PROGRAM, None),
    'one-byte': (b'\x7f', NO_PROGRAM, None),
    'magic-only': (b'\x7fELF', NO_PROGRAM, None),
    'header-cut': (program()[:51], NO_PROGRAM, None),
    'header-only': (program()[:52], NO_PROGRAM, None),
    'headers-cut': (program()[:83], NO_PROGRAM, None),
    'wrong-magic': (program(magic=b'\x7fELG'), NO_PROGRAM, None),
    'relocatable': (program(kind=1), NO_PROGRAM, None),
    'core-file': (program(kind=4), NO_PROGRAM, None),
    'kind-none': (program(kind=0), NO_PROGRAM, None),
    'machine-x86-64': (program(machine=62), NO_PROGRAM, None),
    'machine-none': (program(machine=0), NO_PROGRAM, None),
    'row-size-wrong': (program(row=56), NO_PROGRAM, None),
    'row-size-zero': (program(row=0), NO_PROGRAM, None),
    'no-rows': (program(count=0), NO_PROGRAM, None),
    'too-many-rows': (program(count=0xFFFF), NO_PROGRAM, None),
    'table-at-the-end': (program(table=0x300 - 16), NO_PROGRAM, None),
    'table-beyond': (program(table=0x10000), NO_PROGRAM, None),
    'table-wraps': (program(table=0xFFFFFFF0), NO_PROGRAM, None),
    'text-file': (b'echo no program\n', NO_PROGRAM, None),

    # Segments that cannot be. Linux finds some of it when the old program is gone already, so it kills the process.
    'file-larger-than-memory': (program(segment(in_file=0x300, in_memory=0x100)), 'SIGSEGV', NO_PROGRAM),
    'memory-wraps': (program(segment(), segment(at=0xFFFFF000, offset=0, in_memory=0x2000, rights=R)), 'SIGSEGV', NO_PROGRAM),
    'memory-beyond-user-space': (program(segment(), segment(at=0xC0000000, offset=0, rights=R)), 'SIGSEGV', NO_PROGRAM),
    'offset-not-congruent': (program(segment(offset=0x10)), 'SIGSEGV', NO_PROGRAM),
    'interpreter-missing': (with_interpreter(b'/tmp/none\0'), 'ENOENT', None),
    'interpreter-empty': (with_interpreter(b'\0'), NO_PROGRAM, None),
    'interpreter-no-end': (with_interpreter(b'/tmp/none'), NO_PROGRAM, None),
    'interpreter-too-long': (with_interpreter(b'/tmp/none\0', length=0x1001), NO_PROGRAM, None),
    'interpreter-outside': (program(segment(PT_INTERP, offset=0x10000, in_file=10), segment()), 'EIO', NO_PROGRAM),
    'interpreter-is-no-program': (with_interpreter(b'/proc/version\0'), 'EACCES', None),
    'interpreter-is-a-directory': (with_interpreter(b'/tmp\0'), 'EACCES', None),

    # Those that start and die at once.
    'entry-outside': (program(entry=0x1000), 'SIGSEGV', None),
    'entry-in-the-kernel': (program(entry=0xF0000000), 'SIGSEGV', None),
    'entry-zero': (program(entry=0), 'SIGSEGV', None),
    'no-load-segment': (program(segment(PT_NOTE)), 'SIGSEGV', NO_PROGRAM),
    'data-beyond-the-file': (program(segment(offset=0x10000, at=BASE)), 'SIGBUS', NO_PROGRAM),

    # Where our kernel differs by intent.
    'linked-at-0x08048000': (program(segment(at=0x08048000), entry=0x08048000 + CODE_AT), STARTS, NO_PROGRAM),
    'below-user-space': (program(segment(), segment(at=BASE - PAGE, offset=0, rights=R)), STARTS, NO_PROGRAM),
    'across-the-end-of-user-space': (program(segment(), segment(at=0x1FFFF000, offset=0, in_memory=0x2000, rights=R | W)), STARTS,
                                     NO_PROGRAM),
    'in-library-space': (program(segment(), segment(at=0x20000000, offset=0, rights=R)), STARTS, NO_PROGRAM),
    'writable-and-executable': (program(segment(rights=R | W | X)), STARTS, NO_PROGRAM),
    'segments-overlap': (program(segment(), segment(offset=0, at=BASE, rights=R | X)), STARTS, NO_PROGRAM),
}


def expected(name, kernel):
    """What execve of that file gives; kernel: 'linux' or 'ours'."""
    _, linux, ours = TABLE[name]
    return ours if kernel == 'ours' and ours is not None else linux


def make(folder):
    for name, (content, *_) in TABLE.items():
        path = folder / name
        path.write_bytes(content)
        path.chmod(0o755)


def main():
    if len(sys.argv) != 2:
        print(__doc__.splitlines()[2], file=sys.stderr)
        return 2
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    make(folder)
    return 0


if __name__ == '__main__':
    sys.exit(main())
