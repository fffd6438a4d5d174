"""Counts the instructions of memory calls in the machine.

usage: python3 -m bench.machine.measure [--accept] BUILD

Prints the machine's tables and holds them against bench/machine/accepted.txt; BUILD/bench-machine.tsv gets
them for machines. --accept lowers the accepted figures to what was measured, and never raises one: what
would have to be raised is named, and the status is 1.
"""
import pathlib
import sys

from bench.accepted import Limit, Unusable
from bench.machine import figures


def compare(accepted, measured):
    print(f'{"line":<26}{"target":>8}{"accepted":>10}{"max":>10}{"accepted":>10}{"off":>10}')
    for line, (most, off) in measured.items():
        limit = accepted.limits.get(line, Limit(line, None, [None, None], ''))
        words = ['-' if value is None else value for value in (limit.target, limit.held[0], most, limit.held[1], off)]
        print(f'{line:<26}{words[0]:>8}' + ''.join(f'{word:>10}' for word in words[1:]))


def main():
    arguments = sys.argv[1:]
    accept = arguments[:1] == ['--accept']
    if len(arguments) != 1 + accept:
        print(__doc__.split('\n\n')[1], file=sys.stderr)
        return 2
    build = pathlib.Path(arguments[-1]).resolve()
    output = figures.boot(build, 'bench')
    found = figures.rows(output)
    measured = figures.worst(found)
    accepted = figures.accepted()
    print(figures.tables(output))
    compare(accepted, measured)
    figures.write_rows(build / 'bench-machine.tsv', found)
    if accept:
        complaints = accepted.lower(measured)
        accepted.write()
    else:
        complaints = list(accepted.complaints(measured))
    for complaint in complaints:
        print(f'{"not raised" if accept else "above"}: {complaint}')
    return 1 if accept and complaints else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except Unusable as error:
        print(f'bench-machine: {error}', file=sys.stderr)
        sys.exit(1)
