#!/usr/bin/python3
"""Holds the kernel's stacks against their size: the deepest way into the kernel, with an interrupt on top.

usage: tools/check_stack.py BUILD          prints the deepest ways; status 1 if they do not fit

Frames come from the compiler (-fstack-usage), calls from the linked kernel's instructions. A call through a
pointer may lead to each function whose address is somewhere in the kernel and whose file LEADS_TO names for the
caller's; such calls nest at most INDIRECT_NESTING deep. A function that comes back to itself is counted once,
and printed.
"""
import collections
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CALL_BYTES = 4               # a return address
FRAME_BYTES = 76 + 12 + 20   # a trap frame, the words for a backtrace, what is above a user's
ROOTS = ('user_before', 'trap_dispatch')
# Where a pointer that is called in a folder or file may lead; elsewhere such calls stay in their own folder.
LEADS_TO = {
    'kernel/file': tuple(f'kernel/file/{name}.c' for name in (
        'device', 'file', 'inode', 'memory', 'memory_file', 'pipe', 'poll', 'proc', 'tty', 'console', 'jobs', 'table')) + (
            'kernel/process/sources.c',),
    'kernel/file/proc_text.c': ('kernel/file/proc_', 'kernel/file/machine.c'),
    'kernel/file/proc_': ('kernel/process/sources.c', 'kernel/file/proc_text.c'),
    'kernel/file/machine.c': ('kernel/file/proc_text.c',),
    'kernel/space': ('kernel/file/memory_file.c', 'kernel/space/shared.c'),  # backings
    'kernel/space/statistics.c': ('kernel/process/futex.c', 'kernel/process/sources.c'),
    'kernel/process': ('kernel/file/memory_file.c',),
    'kernel/process/process.c': ('kernel/process/process.c', 'kernel/process/signal.c', 'kernel/process/life.c', 'kernel/process/sources.c'),
    'kernel/debug/log': ('kernel/device/serial/serial.c', 'kernel/device/screen/screen.c'),
    'kernel/cpu/irq.c': ('kernel/device/serial/serial.c', 'kernel/device/keyboard', 'kernel/cpu/timer.c'),
    'kernel/cpu/timer.c': ('kernel/thread/schedule.c',),
    'kernel/cpu/trap.c': ('kernel/process/user.c', 'kernel/thread/schedule.c'),
    'kernel/thread/schedule.c': ('kernel/process/user.c', 'kernel/process/sources.c'),
    'kernel/thread/clock.c': ('kernel/process/load.c', 'kernel/thread/wait.c', 'kernel/thread/clock.c', 'kernel/syscall/time.c'),
    'kernel/device/screen': ('kernel/device/screen/framebuffer.c', 'kernel/device/screen/text.c'),
    'kernel/device': ('kernel/file/console.c',),
}
INDIRECT_NESTING = 4
# Begin on a stack of their own; are called by mem check alone, which is the monitor's; run once, at boot.
ELSEWHERE = re.compile(r'run|\w+_run|\w+_check|user_enter|\w+_init|framebuffer_open')
ENDS = ('panic', 'panic_trap', 'backtrace_log', 'platform_panic')  # do not come back


def plain(name):
    """Without what the compiler adds to parts and copies of a function."""
    return re.sub(r'\.(part|constprop|isra|cold|localalias)\b.*', '', name)


def frames(build):
    """{(function, file's last name): (bytes, source)}."""
    found = {}
    for directory, _, names in os.walk(os.path.join(build, 'kernel')):
        for name in names:
            if not name.endswith('.su'):
                continue
            with open(os.path.join(directory, name), encoding='utf-8') as lines:
                for line in lines:
                    place, size, _ = line.rstrip('\n').split('\t')
                    source, _, _, function = place.split(':', 3)
                    key = plain(function), os.path.basename(name)[:-len('.su')].removesuffix('.o')
                    if int(size) >= found.get(key, (-1, ''))[0]:
                        found[key] = int(size), source
    return found


def functions(build, sizes):
    """{address: (function, file)}: local symbols follow their file's, global ones have one name in the kernel."""
    text = subprocess.run(['readelf', '-sW', f'{build}/kernel.elf'], capture_output=True, text=True, check=True).stdout
    globals_ = {function: file for function, file in sizes}
    found, file = {}, ''
    for value, kind, binding, name in re.findall(r'^\s*\d+: ([0-9a-f]{8})\s+\d+ (FUNC|FILE|NOTYPE)\s+(LOCAL|GLOBAL)\s+\w+\s+\w+ (\S+)', text, re.M):
        if kind == 'FILE':
            file = name
        elif kind == 'FUNC':
            here = file if binding == 'LOCAL' else globals_.get(plain(name), '')
            found[int(value, 16)] = plain(name), here
    return found


def calls(build, names):
    """{function: functions that it calls}, those with calls through pointers."""
    direct, through_pointer = collections.defaultdict(set), set()
    text = subprocess.run(['objdump', '-d', '--no-show-raw-insn', f'{build}/kernel.elf'], capture_output=True, text=True, check=True).stdout
    function = None
    for line in text.splitlines():
        head = re.match(r'([0-9a-f]{8}) <', line)
        if head:
            function = names.get(int(head.group(1), 16), function)
        elif '\tcall' in line and '*' in line:
            through_pointer.add(function)
        else:
            target = re.search(r'\t(?:call|j\w+)\s+([0-9a-f]+) <', line)
            called = names.get(int(target.group(1), 16)) if target else None
            if called and called != function:
                direct[function].add(called)
    return direct, through_pointer


def pointed_at(build, names):
    """Functions whose address some table or instruction holds."""
    with open(f'{build}/kernel.elf', 'rb') as file:
        image = file.read()
    words = set()
    for offset in range(4):
        words.update(memoryview(image[offset:len(image) - (len(image) - offset) % 4]).cast('I'))
    return {names[value] for value in words if value in names}


def leads_to(source):
    matches = [place for place in LEADS_TO if source.startswith(place)]
    return LEADS_TO[max(matches, key=len)] if matches else (os.path.dirname(source),)


def deepest(build):
    sizes = frames(build)
    names = functions(build, sizes)
    direct, through_pointer = calls(build, names)
    tables = [function for function in pointed_at(build, names)
              if function in sizes and not ELSEWHERE.fullmatch(function[0]) and not function[0].startswith('syscall_')]
    sys.setrecursionlimit(10000)
    recursive, known, path = set(), {}, []

    def depth(function, level):
        if (function, level) in known:
            return known[function, level]
        if function in path:
            recursive.add(function[0])
            return 0, ()
        if function[0] in ENDS:
            return 0, ()
        path.append(function)
        size, source = sizes.get(function, (16, ''))
        below = [depth(called, level) for called in direct.get(function, ())]
        if function in through_pointer and level > 0 and source:
            below += [depth(target, level - 1) for target in tables if sizes[target][1].startswith(leads_to(source))]
        path.pop()
        bytes_below, way = max(below, default=(0, ()))
        known[function, level] = size + CALL_BYTES + bytes_below, (function[0],) + way
        return known[function, level]

    entries = [function for function in sizes if function[0].startswith('syscall_') or function[0] in ROOTS]
    ways = sorted((depth(function, INDIRECT_NESTING) for function in entries), reverse=True)
    return ways, depth(next(function for function in sizes if function[0] == 'irq_dispatch'), INDIRECT_NESTING), recursive


def main():
    build = sys.argv[1]
    with open(os.path.join(ROOT, 'kernel/thread/stack.h'), encoding='utf-8') as header:
        pages = int(re.findall(r'#define STACK_PAGES (\d+)u', header.read())[-1])
    ways, interrupt, recursive = deepest(build)
    for size, way in ways[:3]:
        print(f'{size:6} bytes: {" > ".join(way)}')
    print(f'{interrupt[0]:6} bytes: {" > ".join(interrupt[1])}')
    print('recursive:', ', '.join(sorted(recursive)))
    need = ways[0][0] + interrupt[0] + 3 * FRAME_BYTES
    print(f'needed {need} bytes, there are {pages * 4096}')
    return 0 if need <= pages * 4096 else 1


if __name__ == '__main__':
    sys.exit(main())
