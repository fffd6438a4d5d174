"""The machine's figures: how they are had, and what is accepted."""
import os
import re
import subprocess
from dataclasses import dataclass

from bench.accepted import ROOT, Accepted, Unusable

ACCEPTED = ROOT / 'bench/machine/accepted.txt'
HELD = ('maximum', 'interrupts off')

# What the figures are for: changing any of it changes them. The machine's clock runs by its instructions too: the
# kernel waits for it to change at boot, and that moment decides which tick falls into what.
SETTINGS = {'MEM': '64', 'CPU': 'qemu32', 'MACHINE': 'pc', 'BOOT': 'multiboot', 'APPEND': '', 'TIMEOUT': '600',
            'QEMUFLAGS': '-icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm'}

ROW = re.compile(r'^([a-z]+)/(\S+) +(\d+) +(\d+) +(\d+\.\d) +(\d+) +(\d+|-)$', re.MULTILINE)
COLUMNS = ('state', 'line', 'calls', 'min', 'mean', 'max', 'off')


@dataclass
class Row:
    """One line of a table that the machine printed."""
    state: str
    line: str
    calls: int
    least: int
    mean: float
    most: int
    off: int


def boot(build, commands):
    """Runs commands at the prompt of a machine that counts instructions; returns what it printed."""
    environment = {**os.environ, **SETTINGS, 'RUN': f'{commands}; poweroff', 'BUILD': str(build)}
    result = subprocess.run([ROOT / 'tools/run'], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    output = result.stdout.decode(errors='replace').replace('\r', '')
    if result.returncode != 0:
        raise Unusable(f'the machine ended with status {result.returncode}:\n{output}')
    return output


def tables(output):
    """The part of the output that the bench printed."""
    return output[output.index('bench: counter:'):output.rindex('32rtos> ')]


def rows(output):
    """The rows of all tables. Refuses figures that are not exact, and books that do not balance."""
    for sentence in ('bench: counter: exact;', 'bench: traps: exact;', 'bench: the books balance;'):
        if sentence not in output:
            raise Unusable(f'the machine did not say "{sentence}":\n{output}')
    found = [Row(state, line, int(calls), int(least), float(mean), int(most), 0 if off == '-' else int(off))
             for state, line, calls, least, mean, most, off in ROW.findall(output)]
    if not found:
        raise Unusable(f'the machine printed no table:\n{output}')
    return found


def worst(found):
    """For each line the greatest maximum and the longest stretch over all states."""
    most, off = {}, {}
    for row in found:
        most[row.line] = max(most.get(row.line, 0), row.most)
        off[row.line] = max(off.get(row.line, 0), row.off)
    return {line: (most[line], off[line]) for line in most}


def write_rows(path, found):
    """The figures for machines: a header, then a row a line, separated by tabs."""
    with open(path, 'w', encoding='utf-8') as file:
        print(*COLUMNS, sep='\t', file=file)
        for row in found:
            print(row.state, row.line, row.calls, row.least, row.mean, row.most, row.off, sep='\t', file=file)


def accepted(path=ACCEPTED):
    return Accepted.read(path, HELD)
