"""The memory map as the documentation states it: what tests expect comes from here, not from the kernel's headers."""
import dataclasses
import re

from tests.conftest import ROOT

MAP_PAGE = ROOT / 'docs/memory-map.md'


@dataclasses.dataclass(frozen=True)
class Row:
    start: int
    end: int
    name: str
    mapping: str

    def pages(self):
        """Addresses of the pages that begin in this row."""
        return range(-(-self.start // 4096) * 4096, self.end, 4096)


def number(text):
    return 1 << 32 if text == '4 GiB' else int(text.strip('`'), 16)


def rows():
    found = []
    for line in MAP_PAGE.read_text(encoding='utf-8').splitlines():
        cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
        if len(cells) == 6 and re.fullmatch('`0x[0-9A-F]{8}`', cells[0]):
            found.append(Row(number(cells[0]), number(cells[1]), cells[3], cells[4]))
    assert len(found) == 22, 'the table of docs/memory-map.md changed its form'
    return found


def row(name):
    matches = [candidate for candidate in rows() if candidate.name == name]
    assert len(matches) == 1, name
    return matches[0]


# A part of a mapping: rights, perhaps a cache type, perhaps where or for what.
CLAUSE = re.compile(r'(R[W-][X-])( uncached| write-combining)?(?: to (0x[0-9A-F]{8}))?(?: (on demand|above|text|rodata|data|over .*))?')


@dataclasses.dataclass(frozen=True)
class Clause:
    rights: str
    cache: str
    end: int  # where the part ends, 0 if the document does not say
    about: str


def clauses(row_):
    """The parts of a row's mapping; empty for rows that the kernel leaves unmapped."""
    if row_.mapping in ('never', 'none', 'process'):
        return []
    found = [CLAUSE.fullmatch(part) for part in row_.mapping.split(', ')]
    assert all(found), f'{row_.name}: the mapping "{row_.mapping}" is not understood'
    return [Clause(part[1], (part[2] or ' write-back').strip(), int(part[3] or '0', 16), part[4] or '') for part in found]
