"""The machine's figures: how they are had, and what is accepted."""
import os
import pathlib
import re
import subprocess
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ACCEPTED = ROOT / 'bench/machine/accepted.txt'

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


@dataclass
class Limit:
    """One line of accepted.txt; None: no target, or not held."""
    line: str
    target: int | None
    most: int | None
    off: int | None
    reason: str


class Unusable(Exception):
    """The machine's output, or the file of accepted figures, makes no sense; the text says why."""


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


def _number(word):
    return None if word == '-' else int(word)


@dataclass
class Accepted:
    """The file of accepted figures: its comments stay as they are when it is rewritten."""
    comments: list
    percent: int
    least: int
    limits: dict

    @classmethod
    def read(cls, path=ACCEPTED):
        accepted = cls([], 0, 0, {})
        for number, text in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            words = text.split(None, 4)
            if not words or text.startswith('#'):
                accepted.comments.append(text)
            elif words[0] == 'margin' and len(words) == 3 and words[1].endswith('%'):
                accepted.percent, accepted.least = int(words[1][:-1]), int(words[2])
            elif len(words) in (4, 5) and words[0] not in accepted.limits:
                accepted.limits[words[0]] = Limit(words[0], *map(_number, words[1:4]), ''.join(words[4:]))
            else:
                raise Unusable(f'{path}:{number}: not a line of accepted figures: {text}')
        return accepted

    def write(self, path=ACCEPTED):
        lines = [*self.comments, f'margin {self.percent}% {self.least}']
        for limit in self.limits.values():
            words = ['-' if value is None else value for value in (limit.target, limit.most, limit.off)]
            lines.append(f'{limit.line:<26}{words[0]:>7}{words[1]:>8}{words[2]:>8}  {limit.reason}'.rstrip())
        path.write_text('\n'.join(lines) + '\n', encoding='utf-8')

    def allowed(self, value):
        """An accepted figure with its margin."""
        return value + max(value * self.percent // 100, self.least)

    def complaints(self, measured):
        """A sentence for each figure above what is accepted, and each line that stands on one side only."""
        for line, (most, off) in measured.items():
            limit = self.limits.get(line)
            if limit is None:
                yield f'{line}: is measured, but accepted.txt does not have it'
                continue
            for name, value, accepted in (('maximum', most, limit.most), ('interrupts off', off, limit.off)):
                if accepted is not None and value > self.allowed(accepted):
                    yield f'{line}: {name} {value}, accepted is {accepted} (with its margin {self.allowed(accepted)})'
        for line in self.limits:
            if line not in measured:
                yield f'{line}: accepted.txt has it, but it is not measured'
        for limit in self.limits.values():
            if limit.target is not None and limit.most is not None and limit.most > limit.target and not limit.reason:
                yield f'{limit.line}: accepted is {limit.most}, the target {limit.target}: the reason is missing'

    def lower(self, measured):
        """Lowers what was measured lower; adds lines that are new. Returns what would have to be raised."""
        refused = []
        for line, (most, off) in measured.items():
            limit = self.limits.setdefault(line, Limit(line, None, most, off, ''))
            for name, value in (('most', most), ('off', off)):
                accepted = getattr(limit, name)
                if accepted is not None and value > accepted:
                    refused.append(f'{line}: {"maximum" if name == "most" else "interrupts off"} {value}, '
                                   f'accepted is {accepted}')
                elif accepted is not None:
                    setattr(limit, name, value)
            if limit.target is not None and limit.most is not None and limit.most <= limit.target:
                limit.reason = ''
        return refused
