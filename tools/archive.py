#!/usr/bin/python3
"""Makes the initial archive: a cpio file in the "newc" format.

Each regular file's data starts on a page boundary of the archive, so that its pages can be mapped
where they lie. The room in front of it is NULs at the end of the file's name, which its length
includes; cpio and the kernel read the name up to the first NUL. Entries are sorted, and times,
owners and inode numbers are made up, so the same tree gives the same bytes. A command of several
names is one file, and symbolic links to it.

What is named later replaces what was named before: --base, the directory, --file, FILES, PROGRAM.
"""
import argparse
import os
import shlex
import stat
import struct
import sys

PAGE = 4096
HEADER_BYTES = 110
NAME_BYTES_MAX = 2 * PAGE  # what padding can make of a name that is shorter than a page
PATH_BYTES_LIMIT = 4096  # of a path, with the zero at its end: PATH_MAX
COMPONENT_BYTES_MAX = 255  # of a name between two slashes: NAME_MAX
FILE_BYTES_LIMIT = 1 << 32  # the header's fields are 32-bit numbers
TRAILER = 'TRAILER!!!'
PROGRAM_PATH = 'program'  # where PROGRAM goes
KERNELS_DIRECTORIES = ('dev', 'proc')
USER_SPACE = (0x10000000, 0x20000000)


class Unusable(Exception):
    """What was given cannot make an archive; the text says why."""


def header(inode, mode, links, file_bytes, name_bytes):
    fields = (inode, mode, 0, 0, links, 0, file_bytes, 0, 0, 0, 0, name_bytes, 0)
    return b'070701' + b''.join(b'%08X' % field for field in fields)


def padding(length, unit):
    return b'\0' * (-length % unit)


def read_host_file(path, status):
    if status.st_size >= FILE_BYTES_LIMIT:
        raise Unusable(f'{path}: the file is too large: 4 GiB or more')
    with open(path, 'rb') as file:
        return file.read()


class Tree:
    """What goes into the archive: {path without a leading slash: (mode, content)}."""

    def __init__(self):
        self.entries = {}

    def add(self, name, mode, content=b''):
        """One entry, and the directories that it lies in. A directory only meets a directory."""
        self.check_name(name)
        for end in (at for at, letter in enumerate(name) if letter == '/'):
            parent = name[:end]
            self.entries.setdefault(parent, (stat.S_IFDIR | 0o755, b''))
            if not self.is_directory(parent):
                raise Unusable(f'/{name}: /{parent} is no directory')
        if name in self.entries and self.is_directory(name) != stat.S_ISDIR(mode):
            raise Unusable(f'/{name}: there is a {"directory" if self.is_directory(name) else "file"} of that name')
        self.entries[name] = (mode, content)

    def is_directory(self, name):
        return name in self.entries and stat.S_ISDIR(self.entries[name][0])

    @staticmethod
    def check_name(name):
        if len(os.fsencode(f'/{name}')) >= PATH_BYTES_LIMIT:
            raise Unusable(f'{name[:40]}...: the name is too long')
        for component in name.split('/'):
            if component in ('', '.', '..') or len(os.fsencode(component)) > COMPONENT_BYTES_MAX:
                raise Unusable(f'/{name[:300]}: a plain path, please: no part of it may be empty, ".", ".." or '
                               f'longer than {COMPONENT_BYTES_MAX} bytes')

    def add_host(self, path, name):
        """What the host has at path: a file, a symbolic link, or a directory with all in it."""
        status = os.lstat(path)
        if name == TRAILER:
            raise Unusable(f'{path}: an entry of that name ends the archive')
        if stat.S_ISLNK(status.st_mode):
            self.add(name, stat.S_IFLNK | 0o777, os.fsencode(os.readlink(path)))
        elif stat.S_ISDIR(status.st_mode):
            if name:
                self.add(name, stat.S_IFDIR | 0o755)
            for child in sorted(os.listdir(path)):
                self.add_host(os.path.join(path, child), os.path.join(name, child))
        elif stat.S_ISREG(status.st_mode):
            mode = 0o755 if status.st_mode & 0o100 else 0o644
            self.add(name, stat.S_IFREG | mode, read_host_file(path, status))
        else:
            raise Unusable(f'{path}: neither a file nor a directory nor a symbolic link')

    def add_file(self, argument):
        """HOST:GUEST as it was typed. A symbolic link of the host counts as what it leads to."""
        host, colon, guest = argument.rpartition(':')
        if not colon or not host or not guest:
            raise Unusable(f'"{argument}": HOST:GUEST, please')
        if not guest.startswith('/'):
            raise Unusable(f'"{argument}": the path in the machine begins with "/"')
        if guest.split('/')[1] in KERNELS_DIRECTORIES:
            raise Unusable(f'"{argument}": the kernel itself makes what is in /{guest.split("/")[1]}')
        if not os.path.exists(host):
            raise Unusable(f'"{argument}": there is no {host}')
        self.add_host(os.path.realpath(host), guest[1:])

    def add_files(self, text):
        """The words of FILES; quotes as in a shell, for a path with a blank in it."""
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise Unusable(f'FILES={text}: {error}') from None
        for word in words:
            self.add_file(word)

    def add_links(self, argument):
        """LIST:TARGET: a symbolic link beside TARGET for each name that the file LIST has."""
        path, _, target = argument.rpartition(':')
        if not path or not target.startswith('/'):
            raise Unusable(f'"{argument}": LIST:TARGET, please')
        with open(path, encoding='ascii') as file:
            for name in file.read().split():
                self.add(os.path.join(os.path.dirname(target), name)[1:], stat.S_IFLNK | 0o777,
                         os.fsencode(os.path.basename(target)))

    def add_program(self, path):
        """The program that `make run PROGRAM=` starts; one that cannot start is refused here, with the reason."""
        if not os.path.isfile(path):
            raise Unusable(f'PROGRAM={path}: ' + ('it is no file' if os.path.exists(path) else 'there is no such file'))
        content = read_host_file(path, os.stat(path))
        reason = why_not_program(content)
        if reason:
            raise Unusable(f'PROGRAM={path}: {reason}')
        self.add(PROGRAM_PATH, stat.S_IFREG | 0o755, content)

    def add_archive(self, path):
        """What an archive that this tool made holds."""
        with open(path, 'rb') as file:
            data = file.read()
        at = 0
        while True:
            if data[at:at + 6] != b'070701' or len(data) < at + HEADER_BYTES:
                raise Unusable(f'{path} is no archive in the newc format')
            fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
            mode, file_bytes, name_bytes = fields[1], fields[6], fields[11]
            name = os.fsdecode(data[at + HEADER_BYTES:at + HEADER_BYTES + name_bytes].split(b'\0')[0])
            if name == TRAILER:
                return
            start = at + HEADER_BYTES + name_bytes
            start += -start % 4
            self.add(name, mode, data[start:start + file_bytes])
            at = start + file_bytes
            at += -at % 4

    def archive_bytes(self, align=PAGE):
        """The archive. The data of each file that has any begins at a multiple of align."""
        data = bytearray()
        for inode, name in enumerate(sorted(self.entries), 1):  # a directory before what it holds
            mode, content = self.entries[name]
            append(data, inode, name, mode, content, align if content and stat.S_ISREG(mode) else 4)
        append(data, len(self.entries) + 1, TRAILER, 0, b'', 4)
        return bytes(data + padding(len(data), 512))


def append(data, inode, name, mode, content, align):
    encoded = os.fsencode(name) + b'\0'
    encoded += padding(len(data) + HEADER_BYTES + len(encoded), align)
    if len(encoded) > NAME_BYTES_MAX:
        raise Unusable(f'{name}: the name is too long')
    links = 2 if stat.S_ISDIR(mode) else 1
    data += header(inode, mode, links, len(content), len(encoded)) + encoded
    data += content + padding(len(content), 4)


ELF_HEADER = struct.Struct('<4sBBB9xHHIIIIIHHHHHH')
PROGRAM_HEADER = struct.Struct('<IIIIIIII')
ET_EXEC, ET_DYN, EM_386, PT_LOAD, PT_INTERP = 2, 3, 3, 1, 3
HOW_TO_BUILD = 'build it with build/user/cc (docs/programs.md)'


def why_not_program(content):
    """Why the kernel could not start this file; None if it can."""
    if content[:4] != b'\x7fELF':
        return 'it is no ELF program; a script goes into the machine with FILES='
    if len(content) < ELF_HEADER.size or content[4] != 1 or content[5] != 1:
        return f'it is no 32-bit program: {HOW_TO_BUILD}'
    _, _, _, _, kind, machine, _, _, table, _, _, _, entry_bytes, count, *_ = ELF_HEADER.unpack_from(content)
    if machine != EM_386 or kind not in (ET_EXEC, ET_DYN):
        return f'it is no program for i386: {HOW_TO_BUILD}'
    if entry_bytes != PROGRAM_HEADER.size or table + count * entry_bytes > len(content):
        return 'its program headers are damaged'
    segments = [PROGRAM_HEADER.unpack_from(content, table + i * entry_bytes) for i in range(count)]
    if any(segment[0] == PT_INTERP for segment in segments):
        return f'it is linked dynamically: {HOW_TO_BUILD}'
    loads = [segment for segment in segments if segment[0] == PT_LOAD]
    if kind == ET_EXEC and any(not USER_SPACE[0] <= at or at + length > USER_SPACE[1]
                               for _, _, at, _, _, length, _, _ in loads):
        return f'it is linked at 0x{min(at for _, _, at, *_ in loads):08x}, outside of user space: {HOW_TO_BUILD}'
    return None


def tree_of(arguments):
    tree = Tree()
    if arguments.base:
        tree.add_archive(arguments.base)
    if arguments.directory:
        tree.add_host(arguments.directory, '')
    for path in arguments.make_directory:
        tree.add(path.strip('/'), stat.S_IFDIR | 0o755)
    for argument in arguments.file:
        tree.add_file(argument)
    for argument in arguments.links:
        tree.add_links(argument)
    if arguments.environment:
        tree.add_files(os.environ.get('FILES', ''))
        if os.environ.get('PROGRAM'):
            tree.add_program(os.environ['PROGRAM'])
    return tree


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('output', help='the archive to write')
    parser.add_argument('directory', nargs='?', help='what goes in; nothing if it is not named')
    parser.add_argument('--base', metavar='ARCHIVE', help='begin with what this archive holds')
    parser.add_argument('--make-directory', metavar='GUEST', action='append', default=[], help='an empty directory')
    parser.add_argument('--file', metavar='HOST:GUEST', action='append', default=[], help='a file or a directory')
    parser.add_argument('--links', metavar='LIST:TARGET', action='append', default=[],
                        help='symbolic links to TARGET, beside it, of the names in the file LIST')
    parser.add_argument('--environment', action='store_true',
                        help=f'also what FILES="HOST:GUEST ..." and PROGRAM=HOST of the environment say; the program is /{PROGRAM_PATH}')
    parser.add_argument('--plain', action='store_true', help='data not on pages: for Linux, which takes no padded names')
    arguments = parser.parse_args()
    if arguments.directory and not os.path.isdir(arguments.directory):
        print(f'archive.py: {arguments.directory} is no directory', file=sys.stderr)
        return 1
    try:
        data = tree_of(arguments).archive_bytes(4 if arguments.plain else PAGE)
        with open(arguments.output, 'wb') as file:
            file.write(data)
    except OSError as error:
        print(f'archive.py: {error.filename}: {error.strerror}', file=sys.stderr)
        return 1
    except Unusable as error:
        print(f'archive.py: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
