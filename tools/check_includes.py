#!/usr/bin/python3
"""Holds the direction of includes: each part of the tree may include only what the table below allows.

usage: tools/check_includes.py [ROOT]      prints one line a violation; status 1 if there is any
"""
import os
import re
import sys

# Part of the tree -> the parts that it may include, besides itself. The longest matching prefix is a file's part.
# Data flows along kernel/memory: bytemap, e820 -> pageframe -> paging -> heap -> thread -> space -> file -> process
# -> syscall; nothing includes what is to its right.
PURE = ['kernel/include', 'kernel/lib']
PORT = PURE + ['kernel/memory']  # memory.h, platform.h, check.h: what all five modules share
FRAMES = PORT + ['kernel/memory/bytemap', 'kernel/memory/e820', 'kernel/memory/pageframe']
MEMORY = FRAMES + ['kernel/memory/paging', 'kernel/memory/heap', 'kernel/memory/system']
BELOW_FILES = MEMORY + ['kernel/cpu', 'kernel/thread', 'kernel/space']
SYSTEM = BELOW_FILES + ['kernel/file', 'kernel/process', 'kernel/syscall']
MACHINE = ['kernel/cpu', 'kernel/device', 'kernel/device/power', 'kernel/device/serial', 'kernel/debug/symbols']
MAY_INCLUDE = {
    'boot': PURE + ['kernel/memory', 'kernel/memory/e820', 'kernel/device/power'],
    'kernel/include': [],
    'kernel/lib': ['kernel/include'],
    'kernel/memory': PURE,
    'kernel/memory/bytemap': PORT,
    'kernel/memory/e820': PORT,
    'kernel/memory/pageframe': FRAMES,
    'kernel/memory/paging': FRAMES,
    'kernel/memory/heap': FRAMES + ['kernel/memory/paging'],
    'kernel/memory/system': MEMORY,
    'kernel/cpu': PORT,
    'kernel/start': PORT + ['kernel/memory/e820', 'kernel/cpu', 'kernel/device/power', 'kernel/device/serial'],
    'kernel/device/serial': PURE + ['kernel/cpu'],  # works before everything else
    'kernel/device/power': PURE + ['kernel/cpu', 'kernel/device/serial'],  # how the machine ends concerns everyone
    'kernel/device': MEMORY + ['kernel/cpu', 'kernel/device/power', 'kernel/device/serial'],
    'kernel/debug/symbols': PURE,
    'kernel/thread': MEMORY + ['kernel/cpu'],
    'kernel/space': MEMORY + ['kernel/cpu', 'kernel/thread'],
    'kernel/file': BELOW_FILES + ['kernel/device', 'kernel/device/serial'],
    'kernel/process': BELOW_FILES + ['kernel/file', 'kernel/device/power'],
    'kernel/syscall': BELOW_FILES + ['kernel/file', 'kernel/process', 'kernel/device/power'],
    'kernel/sanitizer': MEMORY + MACHINE + ['kernel/debug', 'kernel/start', 'kernel/thread'],  # stands beside all it checks
    'kernel/failure': MEMORY + ['kernel/thread', 'kernel/debug'],  # stands between allocators and all who call them
    'kernel/debug': SYSTEM + MACHINE + ['tests/kernel'],
    'kernel/kernel.ld.S': PORT,
    'kernel/main.c': SYSTEM + MACHINE + ['kernel/debug', 'kernel/start'],
    'tests/kernel': SYSTEM + MACHINE + ['kernel/sanitizer', 'tests/model'],
    'tests/model': MEMORY,
}
# Single files that stand in a folder but are a part of their own.
ALIASES = {'kernel/memory/system.h': 'kernel/memory/system', 'kernel/memory/system.c': 'kernel/memory/system'}
# Where any part of the tree may be included: host tests, fuzzers and tools look inside on purpose.
FREE = ('tests/unit', 'tests/fuzz', 'tools', 'bench')

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
FREESTANDING = {'stdarg.h', 'stdbool.h', 'stddef.h', 'stdint.h', 'limits.h', 'stdalign.h', 'cpuid.h'}


def part_of(path):
    if path in ALIASES:
        return ALIASES[path]
    matches = [part for part in MAY_INCLUDE if path == part or path.startswith(part + '/')]
    return max(matches, key=len) if matches else None


def violations_of(root, path):
    part = part_of(path)
    if part is None:
        yield f'{path}: stands in no part of the tree that the table of includes knows'
        return
    with open(os.path.join(root, path), encoding='utf-8') as source:
        for line_number, line in enumerate(source, 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            kind, target = found.groups()
            where = f'{path}:{line_number}'
            if kind == '<':
                if target not in FREESTANDING:
                    yield f'{where}: <{target}> is not a freestanding header'
            elif not os.path.exists(os.path.join(root, target)):
                yield f'{where}: "{target}" is not a full path from the root of the tree'
            elif part_of(target) != part and part_of(target) not in MAY_INCLUDE[part]:
                yield f'{where}: {part} may not include "{target}"'


def sources(root):
    for top in ('boot', 'kernel', 'tests/kernel', 'tests/model'):
        for directory, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                path = os.path.relpath(os.path.join(directory, name), root)
                if name.endswith(('.c', '.h', '.S')) and not path.startswith(FREE):
                    yield path


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else '.'
    found = [violation for path in sorted(sources(root)) for violation in violations_of(root, path)]
    print('\n'.join(found), end='\n' if found else '')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
