"""Measures what memory and process calls take, by the program in this folder.

usage: python3 -m bench.user.measure ours|accept|linux BUILD

ours     prints the lines of our kernel, and holds them against bench/user/accepted.txt
accept   the same, and lowers what accepted.txt has to what was measured; it raises only the lines that RAISE names
linux    our kernel beside the distribution's Linux: instructions, and the ratio of times

BENCHFLAGS are words for the program, RUNS is how often times are measured for the ratio.
"""
import json
import os
import pathlib
import statistics
import sys

from bench.accepted import Limit, Unusable
from bench.host.tables import Table, also_into, verdict_most
from bench.user import figures

WORDS = os.environ.get('BENCHFLAGS', '')
IS_PART = 'only=' in WORDS or 'skip=' in WORDS
RUNS = int(os.environ.get('RUNS') or 5)
TIMED_WORDS = f'{WORDS} reps=3'.strip()


def whole(value):
    return '-' if value is None else round(value)


def ours(build, accept):
    text = figures.lines(figures.boot_ours(build, WORDS))
    print(text)
    measured = figures.counted(text)
    times = figures.figures(figures.lines(figures.boot_ours(build, WORDS, counts=False)))
    if not IS_PART:
        measured[figures.SMALLEST] = figures.smallest(figures.boot_ours, build, figures.OURS_RANGE)
    accepted = figures.accepted()
    table = Table('instructions; the clock is what the host\'s took without -icount',
                  ['line', 'count', 'accepted', 'target', '', 'clock'])
    for line, value in measured.items():
        limit = accepted.limits.get(line, Limit(line, None, [None], ''))
        clock = times.get(line) if not line.startswith('mem_') and not line.endswith('_percent') else None
        table.add(line, value, whole(limit.held[0]), whole(limit.target), verdict_most(value, limit.target), whole(clock))
    table.print()
    return settle(accepted, {line: (value,) for line, value in measured.items()}, accept)


def settle(accepted, measured, accept):
    if not accept:
        for complaint in accepted.complaints(measured):
            if not IS_PART or not complaint.endswith('not measured'):
                print(f'above: {complaint}')
        return 0
    before = {line: limit.held[0] for line, limit in accepted.limits.items()}
    refused = accepted.lower(measured, os.environ.get('RAISE', '').split())
    accepted.write()
    for line, limit in accepted.limits.items():
        if limit.held[0] != before.get(line):
            print(f'accepted: {line}: {whole(before.get(line))} -> {limit.held[0]}')
    for sentence in refused:
        print(f'not raised: {sentence}')
    for limit in accepted.limits.values():
        if limit.is_missed() and not limit.reason:
            print(f'not explained: {limit.line}: accepted is {limit.held[0]}, the target {limit.target}')
    return 1 if refused else 0


def ratios(build):
    """{line: time of Linux ÷ ours}: the median of runs that alternate."""
    found = {}
    for _ in range(RUNS):
        theirs, mine = (figures.figures(figures.lines(boot(build, TIMED_WORDS, counts=False)))
                        for boot in (figures.boot_linux, figures.boot_ours))
        for line, value in mine.items():
            if value and line in theirs and not line.startswith('mem_') and not line.endswith('_percent'):
                found.setdefault(line, []).append(theirs[line] / value)
    return {line: statistics.median(values) for line, values in found.items()}


def linux(build):
    with open(pathlib.Path(__file__).parent / 'figures.json', encoding='utf-8') as file:
        known = json.load(file)
    counts = [figures.counted(figures.lines(boot(build, WORDS))) for boot in (figures.boot_linux, figures.boot_ours)]
    times = ratios(build)
    if not IS_PART:
        for found, boot, limits in zip(counts, (figures.boot_linux, figures.boot_ours),
                                       (figures.LINUX_RANGE, figures.OURS_RANGE)):
            found[figures.SMALLEST] = figures.smallest(boot, build, limits)
    accepted = figures.accepted()
    with also_into(build / 'bench/user/comparison.txt'):
        print_comparison(known, *counts, times, accepted)
        package = (build / 'distribution/linux-686.package').read_text(encoding='ascii').strip()
        print(f'Linux is {package} with mitigations=off; -cpu {figures.CPU} -m {figures.MEMORY}; instructions under '
              f'{figures.ICOUNT.split(" -rtc")[0]}.')
        print(f'time ÷: Linux\'s time ÷ ours without -icount, the median of {RUNS} pairs of runs that alternate.')
        print(f'Tilck and xv6: {known["source"]}.')
    return 0


def print_comparison(known, theirs, mine, times, accepted):
    others = known['others']
    table = Table('', ['benchmark', 'Linux', *others, 'ours', 'Linux ÷ ours', 'time ÷', 'target', ''])
    named = [line for line in known['titles'] if line in mine]
    for line in [*named, *(line for line in mine if line not in known['titles'])]:
        value, other = mine[line], theirs.get(line)
        target = accepted.limits[line].target if line in accepted.limits else None
        table.add(known['titles'].get(line, line), whole(other), *(figure.get(line, '-') for figure in others.values()), value,
                  f'{other / value:.1f}' if other and value else '-',
                  f'{times[line]:.1f}' if line in times else '-', whole(target), verdict_most(value, target))
    table.print()


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ('ours', 'accept', 'linux'):
        print(__doc__.split('\n\n', 1)[1], file=sys.stderr)
        return 2
    build = pathlib.Path(sys.argv[2]).resolve()
    if sys.argv[1] == 'linux':
        return linux(build)
    return ours(build, sys.argv[1] == 'accept')


if __name__ == '__main__':
    try:
        sys.exit(main())
    except Unusable as error:
        print(f'bench-user: {error}', file=sys.stderr)
        sys.exit(1)
