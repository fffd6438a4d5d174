#!/usr/bin/python3
"""Makes the initial archive: a cpio file in the "newc" format, from a directory.

Each regular file's data starts on a page boundary of the archive, so that its pages can be mapped
where they lie. The room in front of it is NULs at the end of the file's name, which its length
includes; cpio and the kernel read the name up to the first NUL. Entries are sorted, and times,
owners and inode numbers are made up, so the same tree gives the same bytes.
"""
import argparse
import os
import stat
import sys

PAGE = 4096
HEADER_BYTES = 110
NAME_BYTES_MAX = 2 * PAGE  # what padding can make of a name that is shorter than a page
FILE_BYTES_LIMIT = 1 << 32  # the header's fields are 32-bit numbers
TRAILER = 'TRAILER!!!'


class Unusable(Exception):
    """What was given cannot make an archive; the text says why."""


def header(inode, mode, links, file_bytes, name_bytes):
    fields = (inode, mode, 0, 0, links, 0, file_bytes, 0, 0, 0, 0, name_bytes, 0)
    return b'070701' + b''.join(b'%08X' % field for field in fields)


def padding(length, unit):
    return b'\0' * (-length % unit)


class Archive:
    """The bytes so far."""

    def __init__(self):
        self.data = bytearray()
        self.inode = 0

    def add(self, name, mode, content=b'', align=4):
        """Appends one entry. Its data begins at a multiple of align."""
        self.inode += 1
        encoded = os.fsencode(name) + b'\0'
        encoded += padding(len(self.data) + HEADER_BYTES + len(encoded), align)
        if len(encoded) > NAME_BYTES_MAX:
            raise Unusable(f'{name}: the name is too long')
        links = 2 if stat.S_ISDIR(mode) else 1
        self.data += header(self.inode, mode, links, len(content), len(encoded)) + encoded
        self.data += content + padding(len(content), 4)

    def finish(self):
        self.inode = -1
        self.add(TRAILER, 0)
        self.data += padding(len(self.data), 512)
        return bytes(self.data)


def add_path(archive, root, name):
    path = os.path.join(root, name)
    status = os.lstat(path)
    if name == TRAILER:
        raise Unusable(f'{path}: an entry of that name ends the archive')
    if stat.S_ISLNK(status.st_mode):
        archive.add(name, stat.S_IFLNK | 0o777, os.fsencode(os.readlink(path)))
    elif stat.S_ISDIR(status.st_mode):
        archive.add(name, stat.S_IFDIR | 0o755)
    elif stat.S_ISREG(status.st_mode):
        if status.st_size >= FILE_BYTES_LIMIT:
            raise Unusable(f'{path}: the file is too large: 4 GiB or more')
        with open(path, 'rb') as file:
            content = file.read()
        mode = stat.S_IFREG | (0o755 if status.st_mode & 0o100 else 0o644)
        archive.add(name, mode, content, PAGE if content else 4)
    else:
        raise Unusable(f'{path}: neither a file nor a directory nor a symbolic link')


def refuse(error):
    """os.walk would leave out what it cannot read."""
    raise error


def archive_bytes(root):
    """The archive of the tree under root; of nothing where root is None."""
    archive = Archive()
    names = []
    for directory, subdirectories, files in os.walk(root, onerror=refuse) if root else ():
        prefix = os.path.relpath(directory, root)
        names += [os.path.normpath(os.path.join(prefix, name)) for name in subdirectories + files]
    for name in sorted(names):  # a directory before what it holds
        add_path(archive, root, name)
    return archive.finish()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('output', help='the archive to write')
    parser.add_argument('directory', nargs='?', help='what goes in; nothing if it is not named')
    arguments = parser.parse_args()
    if arguments.directory and not os.path.isdir(arguments.directory):
        print(f'archive.py: {arguments.directory} is no directory', file=sys.stderr)
        return 1
    try:
        data = archive_bytes(arguments.directory)
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
