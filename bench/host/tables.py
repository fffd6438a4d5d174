"""Plain text tables, and what stands in them."""
import contextlib
import sys


class Count:
    """A row of the meter: calls of one kind in the measured part of a trace, and the worst of the whole trace."""

    def __init__(self, calls, total, percentile, most, worst, argument):
        self.calls, self.sum, self.percentile = calls, total, percentile
        self.most, self.worst, self.argument = most, worst, argument


def mean(rows):
    rows = [row for row in rows if row is not None]
    calls = sum(row.calls for row in rows)
    return sum(row.sum for row in rows) / calls if calls else 0


def _verdict(value, target, is_met):
    if target is None:
        return '-'
    if is_met:
        return 'met'
    return f'missed by {abs(value / target - 1):.1%}' if value < 3 * target else f'missed: {value / target:,.1f} times'


def verdict_most(value, target):
    return _verdict(value, target, target is None or value <= target)


def verdict_least(value, target):
    return _verdict(value, target, target is None or value >= target)


def _text(cell):
    if isinstance(cell, int):
        return f'{cell:,}'
    return str(cell)


class Table:
    def __init__(self, title, columns):
        self.title = title
        self.rows = [[str(column) for column in columns]]

    def add(self, *cells):
        self.rows.append([_text(cell) for cell in cells])

    def print(self):
        widths = [max(len(row[i]) for row in self.rows if i < len(row)) for i in range(len(self.rows[0]))]
        print(self.title)
        for row in self.rows:
            print('  ' + '  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        print(flush=True)


class _Both:
    def __init__(self, *files):
        self.files = files

    def write(self, text):
        for file in self.files:
            file.write(text)

    def flush(self):
        for file in self.files:
            file.flush()


@contextlib.contextmanager
def also_into(path):
    """What is printed meanwhile goes to a file, too."""
    with open(path, 'w', encoding='utf-8') as file:
        with contextlib.redirect_stdout(_Both(sys.stdout, file)):
            yield
