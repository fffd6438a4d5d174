#!/usr/bin/python3
"""Runs the host measurements and prints their tables.

usage: run.py BUILD counts|quick|full

The traces are those that the environment's TRACE names, or all; tables that need others are then left out.
counts: instructions of our allocators only. quick and full: everything, with fewer or more repetitions.
The programs that it runs print lines of fields separated by tabs; bench/README.md says what the tables mean.
"""
import concurrent.futures
import json
import os
import shutil
import statistics
import subprocess
import sys

import tables
from tables import Table, verdict_most, verdict_least

WANTED = os.environ.get('TRACE', '').split()


def wanted(*traces):
    return [trace for trace in traces if not WANTED or trace in WANTED]


HEAP_COUNTED = wanted('T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'T6b')
HEAP_TIMED = wanted('T1a', 'T1b', 'T2', 'T3', 'T4')
HEAP_MEMORY = wanted('T6', 'T6b', 'T8')
FRAME_TRACES = wanted('P1', 'P2c', 'P2d', 'P3', 'P5')
FRAME_TIMED = wanted('P1', 'P2c', 'P2d', 'P3')
FRAME_ALLOCATORS = ['ours', 'stack', 'buddy', 'buddy-cached']
HEAP_SORTS = {'plain': '{}', 'one-page': '{}, moves a page', 'special': '{}, moves pages'}
HUNTS = ['heap-pool-hunt', 'heap-kernel-hunt', 'frame-hunt']
# What runs 32-bit programs where the host does not (tools/run32). Counts are the same; times are the emulator's.
EMULATOR = os.environ.get('RUN32', '').split()
RUNS = {'counts': 0, 'quick': 1 if EMULATOR else 3, 'full': 3 if EMULATOR else 11}
HUNT_ROUNDS = {'counts': 3, 'quick': 3, 'full': 30}
FEWER = {'T2': 100000, 'T3': 100000, 'T4': 100000, 'P1': 100000, 'P2c': 100000, 'P2d': 100000, 'P3': 500000}  # quick


def together(function, *columns):
    """As map does, as many at a time as there are processors. Counts do not mind, but times would: nothing is timed meanwhile."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, *columns))


class Bench:
    def __init__(self, build, extent):
        self.programs = os.path.join(build, 'bench')
        self.extent = extent
        with open(os.path.join(os.path.dirname(__file__), 'figures.json'), encoding='utf-8') as file:
            self.figures = json.load(file)
        self.libraries = self.packaged_libraries()
        self.hunts = {}

    def packaged_libraries(self):
        """What there is to compare with besides the C library: name -> file to preload, or None."""
        found = {}
        for name in ('jemalloc', 'mimalloc'):
            path = os.path.join(self.programs, 'packaged', name + '.so')
            found[name] = os.path.realpath(path) if os.path.exists(path) else None
        return found

    def run(self, program, *arguments, preload=None, wrapper=()):
        environment = dict(os.environ, LC_ALL='C')
        emulator = list(EMULATOR)
        loaded = {'LD_PRELOAD': preload, 'LD_LIBRARY_PATH': os.path.dirname(preload)} if preload else {}
        if EMULATOR:  # itself a 64-bit program: what is to be loaded is for the program alone
            emulator += [word for name, value in loaded.items() for word in ('-E', f'{name}={value}')]
        else:
            environment.update(loaded)
        command = [*wrapper, *emulator, os.path.join(self.programs, program), *map(str, arguments)]
        # The wrapper is a 64-bit program, and complains that it cannot be preloaded with what is for the other.
        errors = subprocess.PIPE if wrapper else None
        result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
        if result.returncode != 0:
            sys.exit(f'bench: failed with status {result.returncode}: {" ".join(command)}\n{result.stderr or ""}')
        return [line.split('\t') for line in result.stdout.splitlines()]

    def hunt(self):
        """What the searches found: (kind, sort) -> (count, which call), for each program."""
        found = together(lambda program: self.run(program, HUNT_ROUNDS[self.extent]), HUNTS)
        for program, lines in zip(HUNTS, found):
            self.hunts[program] = {(line[1], line[2]): (int(line[3]), line[4]) for line in lines}

    def counts(self, program, allocator, trace, operations=None):
        """The counts of one trace: (kind, sort) -> a row of the meter, and whatever else it printed."""
        rows, other = {}, []
        if operations is None:
            operations = (FEWER[trace],) if self.extent == 'quick' and trace in FEWER else ()
        for line in self.run(program, allocator, trace, *operations):
            if line[0] == 'count':
                rows[line[2], line[3]] = tables.Count(*map(int, line[4:]))
            else:
                other.append(line)
        return rows, other

    def callgrind(self, program, allocator, trace, operations, preload=None):
        """Instructions inside measured calls, and how many calls these were."""
        out = os.path.join(self.programs, 'callgrind.out')
        wrapper = ['valgrind', '-q', '--tool=callgrind', '--callgrind-out-file=' + out]
        wrapper += [f'--toggle-collect=measured_{kind}' for kind in ('alloc', 'free', 'realloc')]
        lines = self.run(program, allocator, trace, operations, preload=preload, wrapper=wrapper)
        calls = sum(int(line[4]) for line in lines if line[0] == 'count')
        with open(out, encoding='utf-8', errors='replace') as file:
            total = next(int(line.split()[1]) for line in file if line.startswith('summary:'))
        os.unlink(out)
        return total, calls


def has_valgrind():
    """Whether it can run 32-bit programs here."""
    return shutil.which('valgrind') is not None and not EMULATOR


def time_verdict(value, target):
    """Emulated code is neither slow nor fast."""
    return '-' if EMULATOR else verdict_most(value, target)


def pair(rows):
    """Mean instructions of an allocation and a free together; of both sorts of calls."""
    return sum(tables.mean(rows.get((kind, sort)) for sort in ('plain', 'one-page', 'special')) for kind in ('alloc', 'free'))


def counts_of_ours(bench):
    forms = ('heap-pool-count', 'heap-kernel-count')
    calls = [(form, trace) for form in forms for trace in HEAP_COUNTED]
    rows = dict(zip(calls, together(lambda call: bench.counts(call[0], 'ours', call[1])[0], calls)))
    return tuple({trace: rows[form, trace] for trace in HEAP_COUNTED} for form in forms)


def print_counts(title, counts, kinds):
    table = Table(title, ['trace', 'call', 'calls', 'mean', '99 %', 'max'])
    for trace, rows in counts.items():
        for (kind, sort), row in rows.items():
            if row.calls:
                table.add(trace, kinds[sort].format(kind), row.calls, f'{row.sum / row.calls:.1f}', row.percentile, row.most)
    table.print()


def worst_of(counts, sort):
    """(count, trace, argument) for each kind of call, over whole traces, their beginnings included."""
    worst = {}
    for trace, rows in counts.items():
        for (kind, row_sort), row in rows.items():
            if row_sort == sort and row.worst > worst.get(kind, (0,))[0]:
                worst[kind] = (row.worst, trace, row.argument)
    return worst


def print_heap_worst(bench, pool, kernel):
    targets = bench.figures['heap targets']
    hunted = {'pool': bench.hunts['heap-pool-hunt'], 'kernel': bench.hunts['heap-kernel-hunt']}
    table = Table('Heap: worst single call, instructions, over all traces and the search',
                  ['pages', 'call', 'traces', 'in', 'search', 'worst', 'target', ''])
    for form, counts, sort in (('all committed', pool, 'plain'), ('as in the kernel: none moves', kernel, 'plain'),
                               ('one is committed or given back', kernel, 'one-page'), ('more are', kernel, 'special')):
        searched = hunted['pool' if counts is pool else 'kernel']
        traced = worst_of(counts, sort)
        for kind in ('alloc', 'free', 'realloc'):
            seen = traced.get(kind, (0, '-', 0))
            found = searched.get((kind, sort), (0, '-'))
            worst = max(seen[0], found[0])
            target = targets.get('worst ' + kind) if counts is pool else None
            if worst:
                table.add(form, kind, seen[0], seen[1], found[0], worst, target or '-', verdict_most(worst, target))
    table.print()
    for form, found in hunted.items():
        for (kind, sort), (count, what) in found.items():
            print(f'  search, {form}, {kind}, {sort}: {count}: {what}')
    print()


def heap_means(bench, pool, kernel):
    targets = bench.figures['heap targets']
    table = Table('Heap: mean instructions of malloc + free', ['allocator', 'T1', 'T2', 'T3', 'from'])
    traces = ('T1', 'T2', 'T3')
    for name, counts in (('ours', pool), ('ours, as in the kernel', kernel)):
        table.add(name, *(f'{pair(counts[trace]):.1f}' for trace in traces), 'counted')
    if bench.extent != 'counts':
        for name, means in packaged_means(bench, traces).items():
            table.add(name, *(f'{means[trace]:.1f}' for trace in traces), 'callgrind')
    for figure in bench.figures['heap']:
        table.add(figure['name'], '-', figure.get('T2 pair', '-'), figure.get('T3 pair', '-'), 'figures.json')
    table.add('target', '-', targets['T2 pair'], targets['T3 pair'], '')
    table.add('ours', '-', *(verdict_most(pair(pool[trace]), targets[trace + ' pair']) for trace in traces[1:]), '')
    table.print()


def packaged_means(bench, traces):
    if not has_valgrind():
        return {}
    total, calls = bench.callgrind('heap-system', 'nothing', 'T1', 2560)
    overhead = (total - 3 * calls / 2) / calls  # its two calls are two instructions and one
    means = {}
    for name, library in [('glibc', None), *bench.libraries.items()]:
        if name != 'glibc' and library is None:
            continue
        means[name] = {}
        for trace in traces:
            total, calls = bench.callgrind('heap-system', 'system', trace, 2560 if trace == 'T1' else 100000, library)
            means[name][trace] = 2 * (total / calls - overhead)
    return means


def verify_counts(bench):
    """The counters against callgrind, in total."""
    if not has_valgrind():
        print('valgrind is not installed, or cannot run 32-bit programs here: counts are not compared with callgrind\n')
        return
    table = Table('The counters against callgrind, instructions in total',
                  ['trace', 'calls', 'counters', 'callgrind', 'difference'])
    total, calls = bench.callgrind('heap-pool-plain', 'nothing', 'T1', 2560)
    overhead = round((total - 3 * calls / 2) / calls)
    for trace, operations in (('T1', 2560), ('T2', 50000), ('T3', 50000)):
        rows, _ = bench.counts('heap-pool-count', 'ours', trace, (operations,))
        counted = sum(row.sum for row in rows.values())
        total, calls = bench.callgrind('heap-pool-plain', 'ours', trace, operations)
        table.add(trace, calls, counted, total - overhead * calls, f'{total - overhead * calls - counted:+}')
    table.print()
    print('  callgrind counts a repeated string instruction once more than it repeats\n')


def print_heap_times(bench):
    """Median of interleaved runs; ratios to the C library's malloc in the same run."""
    allocators = [('ours', 'heap-pool-time', 'ours', None), ('ours, as in the kernel', 'heap-kernel-time', 'ours', None),
                  ('glibc', 'heap-pool-time', 'system', None)]
    allocators += [(name, 'heap-pool-time', 'system', library) for name, library in bench.libraries.items() if library]
    times = {name: {trace: [] for trace in HEAP_TIMED} for name, *_ in allocators}
    for _ in range(RUNS[bench.extent]):
        for trace in HEAP_TIMED:
            for name, program, allocator, library in allocators:
                times[name][trace].append(float(bench.run(program, allocator, trace, preload=library)[0][2]))
    ratio = {name: {trace: statistics.median(ours / base for ours, base in zip(times[name][trace], times['glibc'][trace]))
                    for trace in HEAP_TIMED} for name in times}
    table = Table(f'Heap: time for an operation ÷ glibc (median of {RUNS[bench.extent]} interleaved runs), ns in brackets',
                  ['allocator', *HEAP_TIMED])
    for name in times:
        table.add(name, *(f'{ratio[name][trace]:.2f} ({statistics.median(times[name][trace]):.1f})' for trace in HEAP_TIMED))
    for name, library in bench.libraries.items():
        if library is None:
            table.add(name, *['not to be had'] + [''] * (len(HEAP_TIMED) - 1))
    targets = bench.figures['heap targets']
    table.add('target', *(targets.get(trace + ' ratio', '-') for trace in HEAP_TIMED))
    table.add('ours', *(time_verdict(ratio['ours'][trace], targets.get(trace + ' ratio')) for trace in HEAP_TIMED))
    table.print()
    quoted = Table('  The same of others, figures.json: ÷ TLSF', ['allocator', 'T1a', 'T2', 'T3', 'T4'])
    for figure in bench.figures['heap']:
        quoted.add(figure['name'], *(figure.get(trace, 'fails') for trace in ('T1a', 'T2', 'T3', 'T4')))
    quoted.print()


def print_heap_memory(bench):
    targets = bench.figures['heap targets']
    table = Table('Heap: memory. T6, T6b: ÷ peak live bytes; T8: sustained fill of 32 MiB, worst of 5 seeds',
                  ['allocator', 'T6', 'T6b', 'T8 T3', 'T8 T2', 'which'])
    sizes = {trace: list(map(int, bench.run('heap-kernel-time', 'ours', trace)[0][2:])) for trace in ('T6', 'T6b')}
    measures = [('highest address', lambda live, top, books, peak, resident: top / live),
                ('highest address + bookkeeping', lambda live, top, books, peak, resident: (top + books) / live),
                ('peak of committed pages', lambda live, top, books, peak, resident: peak / live)]
    fills = {line[1]: (float(line[2]), float(line[3])) for line in bench.run('heap-kernel-time', 'ours', 'T8')}
    for (what, measure), fill in zip(measures, (None, 'window', 'memory')):
        shown = [f'{value:.3f}' for value in fills[fill]] if fill else ['-', '-']
        what += f'; T8: {fill}' if fill else ''
        table.add('ours', *(f'{measure(*sizes[trace]):.3f}' for trace in ('T6', 'T6b')), *shown, what)
    for name, library in [('glibc', None), *bench.libraries.items()]:
        if name == 'glibc' or library:
            resident = {}
            for trace in ('T6', 'T6b'):
                values = list(map(int, bench.run('heap-kernel-time', 'system', trace, preload=library)[0][2:]))
                resident[trace] = values[4] / values[0]
            table.add(name, f'{resident["T6"]:.3f}', f'{resident["T6b"]:.3f}', '-', '-', 'resident')
    for figure in bench.figures['heap']:
        table.add(figure['name'], *(figure.get(column, '-') for column in ('T6', 'T6b', 'T8 T3', 'T8 T2')), 'figures.json')
    table.add('target', *(targets[column] for column in ('T6', 'T6b', 'T8 T3', 'T8 T2')), '')
    strict = [measures[1][1](*sizes[trace]) for trace in ('T6', 'T6b')]
    table.add('ours', verdict_most(strict[0], targets['T6']), verdict_most(strict[1], targets['T6b']),
              verdict_least(fills['window'][0], targets['T8 T3']), verdict_least(fills['window'][1], targets['T8 T2']),
              'highest address + bookkeeping; T8: window')
    table.print()


def frame_counts(bench):
    counts, runs, fills, bits = {}, {}, {}, {}  # fills: what was reached, and what was possible
    calls = [(allocator, trace) for allocator in FRAME_ALLOCATORS for trace in FRAME_TRACES
             if allocator != 'stack' or trace not in ('P3', 'P5')]
    found = together(lambda call: bench.counts('frame-kernel-count', *call), calls)
    for (allocator, trace), (rows, other) in zip(calls, found):
        counts.setdefault(allocator, {})[trace] = rows
        for line in other:
            if line[0] == 'fill':
                fills[allocator] = (float(line[2]), float(line[3]))
            elif line[0] == 'metadata':
                bits[allocator] = float(line[1])
            elif line[0] == 'run':
                most = runs.setdefault(allocator, {}).setdefault(int(line[1]), [0, 0])
                most[:] = [max(most[0], int(line[2])), max(most[1], int(line[3]))]
    return counts, runs, fills, bits


def print_frames(bench):
    targets = bench.figures['frame targets']
    counts, runs, fills, bits = frame_counts(bench)
    print_counts('Frames: instructions of one call, ours', counts['ours'], {'plain': '{}', 'special': '{} run'})
    if WANTED:
        return
    runs_of = frame_times(bench) if RUNS[bench.extent] else {}
    times = {name: {trace: statistics.median(values) for trace, values in by_trace.items()}
             for name, by_trace in runs_of.items()}
    if times:
        print_frame_ratios(bench, runs_of)
    hunted = bench.hunts['frame-hunt']
    columns = [trace + ' ns' for trace in FRAME_TIMED] if times else []
    table = Table('Frames: time for an operation; instructions of alloc + free; one frame, worst alloc/free',
                  ['allocator', *columns, 'P5', 'P1 pair', 'P2c pair', 'worst alloc', 'worst free', 'bits a frame'])
    ours = {}
    for allocator in FRAME_ALLOCATORS:
        worst = worst_of(counts[allocator], 'plain')
        values = {'P5': fills.get(allocator, (None,))[0], 'bits': bits[allocator],
                  'P1 pair': pair(counts[allocator]['P1']), 'P2c pair': pair(counts[allocator]['P2c']),
                  'worst alloc': worst['alloc'][0], 'worst free': worst['free'][0]}
        if allocator == 'ours':
            for kind in ('alloc', 'free'):
                values['worst ' + kind] = max(values['worst ' + kind], hunted.get((kind, 'plain'), (0, ''))[0])
            ours = values
        timed = [f'{times[allocator][trace]:.2f}' if trace in times[allocator] else '-' for trace in FRAME_TIMED] if times else []
        p5 = f'{values["P5"]:.4f}' if values['P5'] else '-'
        table.add(allocator, *timed, p5, f'{values["P1 pair"]:.1f}', f'{values["P2c pair"]:.1f}',
                  values['worst alloc'], values['worst free'], f'{bits[allocator]:.2f}')
    for figure in bench.figures['frames']:
        table.add(figure['name'], *(figure[column] for column in columns), figure['P5'], figure['P1 pair'],
                  figure['P2c pair'], *figure['worst'], figure['bits'])
    table.add('target', *(targets[column] for column in columns), targets['P5'], targets['P1 pair'], targets['P2c pair'],
              targets['worst alloc'], targets['worst free'], 8 + 32 + targets['index bits'])
    table.add('ours', *(time_verdict(times['ours'][trace], targets[trace + ' ns']) for trace in FRAME_TIMED if times),
              verdict_least(ours['P5'], min(targets['P5'], fills['ours'][1])),
              *(verdict_most(ours[column], targets[column]) for column in ('P1 pair', 'P2c pair', 'worst alloc', 'worst free')),
              verdict_most(bits['ours'], 8 + 32 + targets['index bits']))
    table.print()
    print('  bits a frame: 8 of the bytemap, 32 of references and locks, the rest is index')
    print(f'  P5: no allocator can reach more than {fills["ours"][1]:.4f} here: the next run is of more frames than are free\n')
    print_runs(runs['ours'], hunted, targets)


def print_runs(runs, hunted, targets):
    table = Table('Frames: worst alloc and free of a run, instructions', ['frames', 'alloc', 'free', 'search alloc', 'search free', 'target', ''])
    for frames, (alloc, free) in sorted(runs.items()):
        if frames == 1:
            continue
        found = [hunted.get((kind, f'run {frames}'), (0, ''))[0] for kind in ('alloc', 'free')]
        target = targets['worst run'] + targets['worst run per frame'] * frames
        table.add(frames, alloc, free, *found, f'{target:.0f}', verdict_most(max(alloc, free, *found), target))
    table.print()
    for (kind, sort), (count, what) in hunted.items():
        print(f'  search, {kind}, {"one frame" if sort == "plain" else sort}: {count:,}: {what}')
    print()


def frame_times(bench):
    times = {name: {} for name in FRAME_ALLOCATORS}
    for _ in range(RUNS[bench.extent]):
        for trace in FRAME_TIMED:
            for name in FRAME_ALLOCATORS:
                if name != 'stack' or trace != 'P3':
                    lines = bench.run('frame-kernel-time', name, trace)
                    times[name].setdefault(trace, []).append(float(lines[0][2]))
    return times


def print_frame_ratios(bench, times):
    """Nanoseconds are of one machine, and of how busy it is; the buddy allocator was measured on both."""
    targets, buddy = bench.figures['frame targets'], bench.figures['frames'][1]
    columns = [trace + ' ns' for trace in FRAME_TIMED]
    table = Table(f'Frames: time for an operation ÷ Linux-style buddy (median of {RUNS[bench.extent]} interleaved runs)',
                  ['allocator', *FRAME_TIMED])
    ratios = {}
    for name, by_trace in times.items():
        ratios[name] = {trace: statistics.median(ours / base for ours, base in zip(values, times['buddy'][trace]))
                        for trace, values in by_trace.items()}
        table.add(name, *(f'{ratios[name][trace]:.2f}' if trace in ratios[name] else '-' for trace in FRAME_TIMED))
    wanted_ratios = [targets[column] / buddy[column] for column in columns]
    table.add('target', *(f'{ratio:.2f}' for ratio in wanted_ratios))
    table.add('ours', *(time_verdict(ratios['ours'][trace], ratio) for trace, ratio in zip(FRAME_TIMED, wanted_ratios)))
    table.print()


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in RUNS:
        sys.exit(__doc__)
    bench = Bench(sys.argv[1], sys.argv[2])
    with tables.also_into(os.path.join(bench.programs, 'results.txt')):
        if HEAP_COUNTED:
            pool, kernel = counts_of_ours(bench)
            print_counts('Heap: instructions of one call; every page is committed', pool, HEAP_SORTS)
            print_counts('Heap: instructions of one call; as many empty pages are kept as in the kernel', kernel, HEAP_SORTS)
        if not WANTED:
            bench.hunt()
            heap_means(bench, pool, kernel)
            print_heap_worst(bench, pool, kernel)
        if bench.extent != 'counts':
            if not WANTED:
                verify_counts(bench)
            if HEAP_TIMED:
                print_heap_times(bench)
            if HEAP_MEMORY:
                print_heap_memory(bench)
        if FRAME_TRACES:
            print_frames(bench)
        if EMULATOR:
            print(f'This host runs no 32-bit programs: {EMULATOR[0]} did, and times are those of emulated code.')
        print('The figures of others: ' + bench.figures['source'] + '.')


if __name__ == '__main__':
    main()
