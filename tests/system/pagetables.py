"""A second opinion on page tables: CR3 and the tables are read out of guest memory and decoded here."""
import dataclasses
import re
import struct

PRESENT, WRITE, USER, WRITE_THROUGH, CACHE_DISABLE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
ACCESSED, LARGE, GLOBAL, NO_EXECUTE = 1 << 5, 1 << 7, 1 << 8, 1 << 63
ADDRESS = 0x000FFFFFFFFFF000
# What the kernel loads into the page attribute table (docs: architecture of paging): entry = PCD * 2 + PWT.
CACHE_TYPES = {0: 'write-back', WRITE_THROUGH: 'write-combining', CACHE_DISABLE: 'uncached-minus',
               CACHE_DISABLE | WRITE_THROUGH: 'uncached'}


@dataclasses.dataclass(frozen=True)
class Page:
    """One 4 KiB page as the processor sees it; a 2 MiB page is 512 of them."""
    address: int
    physical: int
    rights: str  # R--, RW-, R-X, RWX
    user: bool
    shared: bool  # global
    large: bool
    cache: str


class GuestMemory:
    """Physical memory of a stopped machine."""

    def __init__(self, machine, directory):
        self.machine = machine
        self.path = directory / 'frame.bin'

    def read(self, physical, size):
        self.machine.qmp('pmemsave', val=physical, size=size, filename=str(self.path))
        return self.path.read_bytes()

    def table(self, physical):
        return struct.unpack('<512Q', self.read(physical, 4096))


def control_registers(machine):
    text = machine.monitor('info registers')
    registers = {name: int(value, 16) for name, value in re.findall(r'\b(CR[0234])=([0-9a-f]+)', text)}
    registers['EFER'] = int(re.search(r'EFER=([0-9a-f]+)', text).group(1), 16)
    return registers


def decode(memory, root):
    """Every present page under a PAE root, and the frames that hold tables."""
    pages, tables = [], [root & ~0xFFF]
    for top_index, top in enumerate(struct.unpack('<4Q', memory.read(root, 32))):
        if not top & PRESENT:
            assert top == 0, f'absent top entry {top_index} is 0x{top:x}'
            continue
        # QEMU sets the accessed bit here too, where the processor's manual has none.
        assert top & ~ADDRESS & ~ACCESSED == PRESENT, f'reserved bits in top entry 0x{top:x}'
        tables.append(top & ADDRESS)
        for directory_index, entry in enumerate(memory.table(top & ADDRESS)):
            base = top_index << 30 | directory_index << 21
            if not entry & PRESENT:
                assert entry == 0, f'absent directory entry of 0x{base:08x} is 0x{entry:x}'
            elif entry & LARGE:
                pages += [page(base + offset, entry, entry & ADDRESS & ~0x1FFFFF | offset, entry, True)
                          for offset in range(0, 1 << 21, 4096)]
            else:
                tables.append(entry & ADDRESS)
                pages += small_pages(memory, base, entry)
    return pages, tables


def small_pages(memory, base, directory_entry):
    for index, entry in enumerate(memory.table(directory_entry & ADDRESS)):
        if entry & PRESENT:
            yield page(base | index << 12, entry, entry & ADDRESS, directory_entry, False)
        else:
            assert entry == 0, f'absent entry of 0x{base | index << 12:08x} is 0x{entry:x}'


def page(address, entry, physical, upper, large):
    writable = entry & upper & WRITE
    executable = not (entry | upper) & NO_EXECUTE
    assert large or not entry & LARGE, f'0x{address:08x}: the PAT bit is set'
    return Page(address=address, physical=physical, rights='R' + ('W' if writable else '-') + ('X' if executable else '-'),
                user=bool(entry & upper & USER), shared=bool(entry & GLOBAL), large=large,
                cache=CACHE_TYPES[entry & (WRITE_THROUGH | CACHE_DISABLE)])
