#!/usr/bin/python3
"""Says which lines and branches of the memory tree the host tests reach.

usage: tools/coverage.py OBJECTS EXPLAINED PROGRAM...

OBJECTS is the folder with what gcc --coverage made of the tree: kernel/memory/NAME.c.o with its notes beside it, there
or in folders below it, where a file is compiled in more ways than one. The PROGRAMs are run, two at a time; then each
line of kernel/memory that none of them reached is printed with the reason that the file EXPLAINED gives for it. Status 1
if a program fails, if a line has no reason, or if a reason has no line any more. OBJECTS/branches.txt lists the branches
that were not taken.

The branches of an assertion (MEMORY_ASSERT) are not counted: one side of them must never be taken.

EXPLAINED holds one entry a place, and # before a remark:

    kernel/memory/heap/run.c bin_from               the file and the function
    > return 0;                                     its unreached lines, without the blanks around them
        Why no test reaches them, in one or more indented lines.

A line that stands twice in a function is named as often as it is unreached. An entry with the word `branches` in place
of a function and without lines says why a file's branches are far from all taken; a file below BRANCHES_LOW needs one.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import textwrap

TREE = 'kernel/memory'
BRANCHES_LOW = 90.0  # per cent
BRANCHES = 'branches'
ASSERTION = re.compile(r'\bMEMORY_ASSERT\(')
# Random tests take the same way each time, so that what is explained stays unreached.
SEED = '1'


class Source:
    """What is known of one file: how often each line ran, in which function, and its branches' counts."""

    def __init__(self, path):
        self.path = path
        self.text = pathlib.Path(path).read_text(encoding='utf-8').splitlines()
        self.counts = collections.Counter()
        self.functions = {}
        self.branches = {}
        self.asserted = set(assertion_lines(self.text))

    def add(self, line):
        """Takes one line of one object: a header's lines come from every object that includes it."""
        number = line['line_number']
        self.counts[number] += line['count']
        self.functions[number] = line.get('function_name', '?')
        if number not in self.asserted:
            taken = [branch['count'] for branch in line['branches']]
            before = self.branches.get(number, [])
            if len(before) == len(taken):
                self.branches[number] = [a + b for a, b in zip(before, taken)]
            elif len(before) < len(taken):
                self.branches[number] = taken

    def unreached(self):
        return [number for number in sorted(self.counts) if self.counts[number] == 0]

    def untaken(self):
        return [number for number in sorted(self.branches) if 0 in self.branches[number]]

    def line_figures(self):
        return len(self.counts) - len(self.unreached()), len(self.counts)

    def branch_figures(self):
        taken = [count for counts in self.branches.values() for count in counts]
        return sum(count > 0 for count in taken), len(taken)

    def key(self, number):
        return self.path, self.functions[number], self.text[number - 1].strip()


def assertion_lines(text):
    """The numbers of the lines over which assertions stretch."""
    depth = 0
    for number, line in enumerate(text, 1):
        if depth == 0:
            found = ASSERTION.search(line)
            if not found or line.lstrip().startswith('#'):
                continue
            line = line[found.start():]
        depth += line.count('(') - line.count(')')
        yield number


def percent(figures):
    return 100.0 * figures[0] / figures[1] if figures[1] else 100.0


def run_programs(programs, objects):
    """Runs them all from a clean slate; what they count adds up. Prints what a failing one says."""
    for counted in objects.rglob('*.gcda'):
        counted.unlink()
    environment = dict(os.environ, SEED=os.environ.get('SEED', SEED))
    emulator = os.environ.get('RUN32', '').split()  # tools/run32: for hosts that do not start 32-bit programs

    def run(program):
        return program, subprocess.run([*emulator, os.path.abspath(program)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True, errors='replace', env=environment, timeout=1800, check=False)

    passed = True
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for program, result in pool.map(run, programs):
            if result.returncode != 0:
                print(result.stdout[-4000:])
                print(f'coverage: {program} fails with status {result.returncode}')
                passed = False
    return passed


def read_counts(objects):
    """The Source of each file of the tree that has code, by path."""
    notes = []
    for path in sorted(pathlib.Path(TREE).rglob('*.c')):
        found = sorted(objects.rglob(f'{path}.gcno'))
        if not found:
            sys.exit(f'coverage: no program that was given links {path}')
        notes += map(str, found)
    # gcov answers with a document a line, one for each object.
    answer = subprocess.run(['gcov', '--json-format', '--stdout', '--branch-probabilities', *notes],
                            capture_output=True, text=True, check=True)
    sources = {}
    for document in answer.stdout.splitlines():
        for file in json.loads(document)['files']:
            path = os.path.relpath(file['file'])
            if not path.startswith(TREE + '/'):
                continue
            if path not in sources:
                sources[path] = Source(path)
            for line in file['lines']:
                sources[path].add(line)
    return dict(sorted(sources.items()))


def read_explained(path):
    """The entries of the file: (file, function, [line, ...], reason)."""
    entries = []
    for number, line in enumerate(pathlib.Path(path).read_text(encoding='utf-8').splitlines(), 1):
        words = line.split()
        if not words or line.startswith('#'):
            continue
        if line.startswith('> ') and entries:
            entries[-1][2].append(line[2:].strip())
        elif line[0].isspace() and entries:
            entries[-1][3].append(line.strip())
        elif not line[0].isspace() and len(words) == 2:
            entries.append((*words, [], []))
        else:
            sys.exit(f'coverage: {path}:{number}: is no entry, no source line and no reason')
    for file, function, lines, reason in entries:
        if not reason or (not lines) != (function == BRANCHES):
            sys.exit(f'coverage: {path}: the entry {file} {function} lacks its lines or its reason')
    return [(file, function, lines, ' '.join(reason)) for file, function, lines, reason in entries]


def print_table(sources):
    print(f'{"":40}{"lines":>14}{"":9}{"branches":>12}')
    rows = [(source.path, source.line_figures(), source.branch_figures()) for source in sources]
    total = [tuple(map(sum, zip(*(row[column] for row in rows)))) for column in (1, 2)]
    for path, lines, branches in rows + [('all of ' + TREE, *total)]:
        print(f'{path:40}{lines[0]:5} of {lines[1]:5}{percent(lines):7.1f} %'
              f'{branches[0]:6} of {branches[1]:5}{percent(branches):7.1f} %')
    print('The branches of assertions are not counted.\n')


def print_reason(reason):
    print(textwrap.fill(reason, 118, initial_indent='    ', subsequent_indent='    ') + '\n')


def judge_lines(sources, entries):
    """Prints each unreached line with its reason; returns the sentences about what does not fit."""
    reasons = collections.defaultdict(list)
    for file, function, lines, reason in entries:
        for line in lines:
            reasons[file, function, line].append(reason)
    faults, said = [], None
    for source in sources:
        for number in source.unreached():
            key = source.key(number)
            where = f'{source.path}:{number}: {key[1]}'
            reason = reasons[key].pop(0) if reasons[key] else None
            if reason is None:
                faults.append(f'{where}: no test reaches this line, and nothing explains it: {key[2]}')
            if reason != said and said is not None:
                print_reason(said)
            said = reason
            print(f'{where}: {key[2]}')
    if said is not None:
        print_reason(said)
    for (file, function, line), left in reasons.items():
        faults += [f'{file}: {function}: is explained, but reached or gone: {line}'] * len(left)
    return faults


def judge_branches(sources, entries):
    """Prints why a file's branches are few; returns the sentences about what does not fit."""
    reasons = {file: reason for file, function, _, reason in entries if function == BRANCHES}
    faults = []
    for source in sources:
        share = percent(source.branch_figures())
        reason = reasons.pop(source.path, None)
        if reason is not None:
            print(f'{source.path}: {share:.1f} % of the branches')
            print_reason(reason)
        if reason is None and share < BRANCHES_LOW:
            faults.append(f'{source.path}: {share:.1f} % of the branches are taken, and nothing explains it')
        elif reason is not None and share == 100:
            faults.append(f'{source.path}: its branches are explained, but all are taken')
    return faults + [f'{file}: its branches are explained, but it has no code' for file in reasons]


def write_untaken(sources, path):
    with open(path, 'w', encoding='utf-8') as file:
        for source in sources:
            for number in source.untaken():
                if source.counts[number] != 0:
                    file.write(f'{source.path}:{number}: {source.branches[number]} {source.text[number - 1].strip()}\n')


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    objects, explained, programs = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if not run_programs(programs, objects):
        return 1
    sources = list(read_counts(objects).values())
    entries = read_explained(explained)
    write_untaken(sources, objects / 'branches.txt')
    print_table(sources)
    faults = judge_lines(sources, entries) + judge_branches(sources, entries)
    for fault in faults:
        print(f'coverage: {fault}')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
