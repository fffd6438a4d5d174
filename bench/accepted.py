"""Files of accepted figures: what is measured may cost so much, and what costs more is named.

A line holds a name, the target, one accepted figure for each of the file's columns, and a reason where the first of
these is above the target; `-` where there is nothing. A line `margin P% N` says how much more passes, in percent and
at least. Comments stay as they are when a file is written anew.
"""
import pathlib
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Unusable(Exception):
    """What was measured, or the file of accepted figures, makes no sense; the text says why."""


@dataclass
class Limit:
    """One line; None: no target, or not held."""
    line: str
    target: int | None
    held: list
    reason: str

    def is_missed(self):
        return None not in (self.target, self.held[0]) and self.held[0] > self.target


def _number(word):
    return None if word == '-' else int(word)


@dataclass
class Accepted:
    """columns are the names of the figures that each line holds. What is measured comes as {line: figures}."""
    path: pathlib.Path
    columns: tuple
    comments: list
    percent: int
    least: int
    limits: dict

    @classmethod
    def read(cls, path, columns):
        accepted = cls(path, columns, [], 0, 0, {})
        fields = 2 + len(columns)
        for number, text in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            words = text.split(None, fields)
            if not words or text.startswith('#'):
                accepted.comments.append(text)
            elif words[0] == 'margin' and len(words) == 3 and words[1].endswith('%'):
                accepted.percent, accepted.least = int(words[1][:-1]), int(words[2])
            elif len(words) in (fields, fields + 1) and words[0] not in accepted.limits:
                target, *held = map(_number, words[1:fields])
                accepted.limits[words[0]] = Limit(words[0], target, held, ''.join(words[fields:]))
            else:
                raise Unusable(f'{path}:{number}: not a line of accepted figures: {text}')
        return accepted

    def write(self):
        width = max([26, *(len(line) + 1 for line in self.limits)])
        lines = [*self.comments, f'margin {self.percent}% {self.least}']
        for limit in self.limits.values():
            target, *held = ('-' if value is None else value for value in (limit.target, *limit.held))
            lines.append(f'{limit.line:<{width}} {target:>6}' + ''.join(f' {value:>7}' for value in held)
                         + f'  {limit.reason}')
        self.path.write_text(''.join(line.rstrip() + '\n' for line in lines), encoding='utf-8')

    def allowed(self, value):
        """An accepted figure with its margin."""
        return value + max(value * self.percent // 100, self.least)

    def complaints(self, measured):
        """A sentence for each figure above what is accepted, each line that stands on one side only, and each target
        that is missed without a reason."""
        for line, values in measured.items():
            limit = self.limits.get(line)
            if limit is None:
                yield f'{line}: is measured, but {self.path.name} does not have it'
                continue
            for name, value, held in zip(self.columns, values, limit.held):
                if held is not None and value > self.allowed(held):
                    yield f'{line}: {name} {value}, accepted is {held} (with its margin {self.allowed(held)})'
        for line in self.limits:
            if line not in measured:
                yield f'{line}: {self.path.name} has it, but it is not measured'
        for limit in self.limits.values():
            if limit.is_missed() and not limit.reason:
                yield f'{limit.line}: accepted is {limit.held[0]}, the target {limit.target}: the reason is missing'

    def lower(self, measured, may_rise=()):
        """Lowers what was measured lower, raises the lines that may rise, and adds lines that are new. Returns a
        sentence for each figure that would have to be raised, which is one that the margin does not cover."""
        refused = []
        for line, values in measured.items():
            limit = self.limits.setdefault(line, Limit(line, None, list(values), ''))
            for i, (name, value) in enumerate(zip(self.columns, values)):
                if limit.held[i] is None:
                    continue
                if value <= limit.held[i] or line in may_rise:
                    limit.held[i] = value
                elif value > self.allowed(limit.held[i]):
                    refused.append(f'{line}: {name} {value}, accepted is {limit.held[i]}')
            if limit.target is not None and not limit.is_missed():
                limit.reason = ''
        return refused
