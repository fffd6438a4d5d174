#!/usr/bin/python3
"""Holds the kernel's stacks against their size: the deepest way into the kernel, with an interrupt on top.

usage: tools/check_stack.py BUILD          prints the deepest ways; status 1 if they do not fit

Frames come from the compiler (-fstack-usage), calls from the linked kernel's instructions. A call through a field of
a structure leads to what the sources put into a field of that name; one through a parameter or a variable to what
GIVEN names for the caller. Such calls nest at most INDIRECT_NESTING deep. A function that comes back to itself is
counted once in a way, and printed.
"""
import collections
import fnmatch
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CALL_BYTES = 4               # a return address
FRAME_BYTES = 76 + 12 + 20   # a trap frame, the words for a backtrace, what is above a user's
ROOTS = ('user_before', 'trap_dispatch', 'trap_interrupt')
# Who calls through a parameter, a variable or a table without names: what it may be.
GIVEN = {
    'change_descriptor': ('change_mode', 'change_owner'),
    'change_to': ('path_change_directory', 'path_change_root'),
    'change_two_paths': ('link_paths', 'rename_paths'),
    'directory_visit': ('put_entry',),
    'feed': ('serial_write', 'screen_write'),
    'format_text_arguments': ('symbols_name_caller',),
    'handle': ('on_typed',),
    'irq_dispatch': ('on_interrupt', 'handle'),
    'log_visit_since': ('count_line', 'copy_line'),
    'lookup_in_process': ('read_facts',),
    'lookup_in_root': ('read_facts',),
    'make_table': ('cpu_page_clear', 'clear_by_words'),
    'write_monitor': ('lend_to_monitor',),
    'own_table': ('cpu_page_clear', 'clear_by_words'),
    'on_interrupt': ('on_tick', 'on_typed'),
    'on_tick': ('on_tick',),
    'pass_answer': ('on_answer',),
    'power_exit': ('switch_off',),
    'print': ('proc_text_put',),
    'print_added': ('print_cpuinfo', 'print_memmap', 'print_bytemap', 'print_heap'),
    'print_strings': ('read_arguments', 'read_environment'),
    'process_visit_all': ('look_for_next', 'look_for_number', 'look_for_guardian', 'send_one', 'visit_nice', 'visit_member'),
    'process_visit_group': ('note_session', 'hang_up', 'send_member', 'look_for_guardian'),
    'read_facts': ('read_facts',),
    'read_text': ('print_*',),
    'show_area': ('print_maps_line', 'print_smaps_paragraph'),
    'space_visit_areas': ('is_shared_area', 'show_area'),
    'stat_descriptor': ('put_stat32', 'put_stat64'),
    'storm': ('on_tick',),
    'syscall_unlinkat': ('remove_file', 'remove_directory'),
    'thread_visit': ('count_states',),
    'timers_look': ('look', 'on_deadline', 'on_interval', 'on_stretch'),
    'visit_process': ('put_entry',),
    'visit_root': ('put_entry', 'next_id'),
    'visit_node': ('put_entry',),
}
INDIRECT_NESTING = 4
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


def read_sources():
    """{file: {function: body}}, and {field: names of what is put into it}."""
    bodies, fields = {}, collections.defaultdict(set)
    for path in sorted(glob.glob('kernel/**/*.[ch]', root_dir=ROOT, recursive=True)):
        with open(os.path.join(ROOT, path), encoding='utf-8') as file:
            text = re.sub(r'/\*.*?\*/|__attribute__\(\(\w+\)\)', '', file.read(), flags=re.S)
        bodies[path] = dict(re.findall(r'^[A-Za-z_][^;{}=#]*?\b(\w+)\([^;{}]*\)\s*\n\{\n(.*?)^\}', text, re.M | re.S))
        for field, name in re.findall(r'(?:\.|->)(\w+)\s*=\s*&?(\w+)\s*[,;}]', text):
            fields[field].add(name)
    return bodies, fields


class Pointers:
    """Where calls through pointers lead."""

    def __init__(self, names, direct):
        self.bodies, self.fields = read_sources()
        self.inline = {name: body for path, there in self.bodies.items() if path.endswith('.h') for name, body in there.items()}
        self.direct = direct
        self.unknown = set()
        self.functions = collections.defaultdict(list)
        for function in names.values():
            self.functions[function[0]].append(function)

    def called_fields(self, name, path, calls, seen):
        """The fields through which a function calls, or what was compiled into it: what it does not call any more."""
        body = self.bodies.get(path, {}).get(name) or self.inline.get(name)
        if body is None or name in seen:
            return set()
        seen.add(name)
        found = set(re.findall(r'(?:->|\.)(\w+)\(', body))
        for other in set(re.findall(r'\b(\w+)\(', body)) - calls:
            if other in self.inline or other in self.bodies.get(path, {}):
                found |= self.called_fields(other, path, calls, seen)
        return found

    def targets(self, function, path):
        if function[0] in GIVEN:
            names = {name for pattern in GIVEN[function[0]] for name in fnmatch.filter(self.functions, pattern)}
        else:
            calls = {called[0] for called in self.direct.get(function, ())}
            names = {name for field in self.called_fields(function[0], path, calls, set()) for name in self.fields[field]}
        found = sorted(target for name in names for target in self.functions.get(name, ()))
        if not found:
            self.unknown.add(function[0])
        return found


def deepest(build):
    sizes = frames(build)
    names = functions(build, sizes)
    direct, through_pointer = calls(build, names)
    pointers = Pointers(names, direct)
    sys.setrecursionlimit(10000)
    recursive, known, path = set(), {}, {}

    def depth(function, level):
        """The bytes, the way, and how near to its start the way was cut because it came back to what is on it."""
        if (function, level) in known:
            return known[function, level]
        if function in path:
            recursive.add(function[0])
            return 0, (), path[function]
        if function[0] in ENDS:
            return 0, (), len(path)
        here = path[function] = len(path)
        size, source = sizes.get(function, (16, ''))
        below = [depth(called, level) for called in sorted(direct.get(function, ()))]
        if function in through_pointer and level > 0 and source:
            below += [depth(target, level - 1) for target in pointers.targets(function, source)]
        del path[function]
        bytes_below, way, _ = max(below, default=(0, (), here))
        cut = min((entry[2] for entry in below), default=here)
        found = size + CALL_BYTES + bytes_below, (function[0],) + way, cut
        if cut >= here:  # else it depends on how we came here
            known[function, level] = found
        return found

    entries = sorted(function for function in sizes if function[0].startswith('syscall_') or function[0] in ROOTS)
    ways = sorted((depth(function, INDIRECT_NESTING) for function in entries), reverse=True)
    interrupt = depth(next(function for function in sizes if function[0] == 'irq_dispatch'), INDIRECT_NESTING)
    return ways, interrupt, recursive, pointers.unknown


def main():
    build = sys.argv[1]
    with open(os.path.join(ROOT, 'kernel/thread/stack.h'), encoding='utf-8') as header:
        pages = int(re.findall(r'#define STACK_PAGES (\d+)u', header.read())[-1])
    ways, interrupt, recursive, unknown = deepest(build)
    for size, way, _ in ways[:3]:
        print(f'{size:6} bytes: {" > ".join(way)}')
    print(f'{interrupt[0]:6} bytes: {" > ".join(interrupt[1])}')
    print('recursive:', ', '.join(sorted(recursive)))
    need = ways[0][0] + interrupt[0] + 3 * FRAME_BYTES
    print(f'needed {need} bytes, there are {pages * 4096}')
    if unknown:
        print('where these call through a pointer is not known, and GIVEN does not say it:', ', '.join(sorted(unknown)))
    return 0 if need <= pages * 4096 and not unknown else 1


if __name__ == '__main__':
    sys.exit(main())
