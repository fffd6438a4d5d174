"""The emulator is the second opinion on page tables: its memory against docs/memory-map.md, both ways."""
import collections
import re
import struct
import subprocess

import pytest

from tests.conftest import BUILD, ROOT
from tests.system import memorymap, pagetables
from tests.system.machine import boot_to_prompt

FIXTURES = ROOT / 'tests/data/e820/emulators'
# Settings of the machine, the firmware map that it has, and whether the processor has NX.
MACHINES = {
    'disk-max-64': (dict(MEM=64), 'i386-pc-m64', True),
    'cd-max-8': (dict(MEM=8, BOOT='cd'), 'i386-pc-m8', True),
    'q35-max-4096': (dict(MEM=4096, MACHINE='q35'), 'i386-q35-m4G', True),
    'multiboot-qemu32-512': (dict(MEM=512, CPU='qemu32', BOOT='multiboot'), 'i386-pc-m512', False),
    'disk-qemu32nx-3072': (dict(MEM=3072, CPU='qemu32,+nx'), 'i386-pc-m3G', True),
    'disk-pentium3-1024': (dict(MEM=1024, CPU='pentium3'), 'i386-pc-m1G', False),
}


class View:
    """What one machine maps."""

    def __init__(self, machine, fixture, directory):
        self.registers = pagetables.control_registers(machine)
        memory = pagetables.GuestMemory(machine, directory)
        self.pages, self.tables = pagetables.decode(memory, self.registers['CR3'])
        self.usable = usable_regions(fixture)
        self.framebuffer = framebuffer_address(machine)

    def inside(self, row):
        """The pages of a row; a page that begins before the row but reaches into it is its own."""
        return [page for page in self.pages if row.start <= page.address + 4095 and page.address < row.end]

    def is_ram(self, physical):
        return any(start <= physical < end for start, end in self.usable)


def usable_regions(fixture):
    tool = subprocess.run([BUILD / 'host/e820-regions', FIXTURES / f'qemu7.2-{fixture}.txt'], capture_output=True,
                          text=True, check=True)
    lines = [line.split() for line in tool.stdout.splitlines()]
    return [(int(line[0], 16), int(line[1], 16)) for line in lines if line[-1] == 'usable']


def framebuffer_address(machine):
    found = re.search(r'VGA controller.*?BAR0: 32 bit prefetchable memory at 0x([0-9a-f]+)', machine.monitor('info pci'), re.S)
    return int(found.group(1), 16)


def image_rights():
    """Page address -> rights of the kernel image, from the ELF file's program headers, without the boot part."""
    data = (BUILD / 'kernel.elf').read_bytes()
    offset, = struct.unpack_from('<I', data, 28)
    size, count = struct.unpack_from('<HH', data, 42)
    symbols = dict(reversed(line.split()[::2]) for line in subprocess.run(
        ['nm', BUILD / 'kernel.elf'], capture_output=True, text=True, check=True).stdout.splitlines() if len(line.split()) == 3)
    boot = range(int(symbols['image_boot_start'], 16), int(symbols['image_boot_end'], 16))
    rights = {}
    for index in range(count):
        kind, _, address, _, _, bytes_in_memory, flags, _ = struct.unpack_from('<8I', data, offset + index * size)
        if kind == 1:
            for page in range(address & ~0xFFF, address + bytes_in_memory, 4096):
                if page not in boot:
                    rights[page] = 'R' + ('W' if flags & 2 else '-') + ('X' if flags & 1 else '-')
    return rights


@pytest.fixture(scope='module', params=MACHINES)
def view(request, tmp_path_factory):
    settings, fixture, has_nx = MACHINES[request.param]
    directory = tmp_path_factory.mktemp('machine')
    with boot_to_prompt(directory, qmp=True, **settings) as machine:
        machine.qmp('stop')
        view = View(machine, fixture, directory)
    view.has_nx = has_nx
    view.settings = settings
    return view


def rights_without_nx(view, rights):
    """A processor without NX executes whatever it reads."""
    return rights if view.has_nx else rights[:2] + 'X'


def expect_all(view, pages, clause):
    """The pages are as a clause of the documentation's mapping column says."""
    expected = rights_without_nx(view, clause.rights), clause.cache
    wrong = [page for page in pages if (page.rights, page.cache) != expected]
    assert not wrong, f'{len(wrong)} pages, first: {wrong[0]}; expected {expected}'


def row_and_clauses(name, count=1):
    row = memorymap.row(name)
    clauses = memorymap.clauses(row)
    assert len(clauses) == count, f'{name}: {row.mapping}'
    return row, *clauses


def addresses(pages):
    return [page.address for page in pages]


def test_processor_is_set_up(view):
    cr0, cr4 = view.registers['CR0'], view.registers['CR4']
    assert cr0 >> 31 & 1 and cr0 >> 16 & 1, 'paging and write protection are on'
    assert cr4 >> 5 & 1, 'PAE is on'
    assert cr4 >> 7 & 1, 'global pages are on'
    assert bool(view.registers['EFER'] >> 11 & 1) == view.has_nx


def test_unmapped_rows_are_unmapped(view):
    first_of_firmware = memorymap.row('EBDA, video, BIOS').start & ~0xFFF  # this page begins in the row before
    for row in memorymap.rows():
        if not memorymap.clauses(row):
            stray = [page for page in view.inside(row) if page.address != first_of_firmware]
            assert not stray, f'{row.name}: {stray[0]}'


def test_supervisor_only_and_global(view):
    assert not [page for page in view.pages if page.user]
    assert not [page for page in view.pages if not page.shared]


def test_e820_copy(view):
    row, everything = row_and_clauses('E820 copy')
    pages = view.inside(row)
    assert addresses(pages) == list(row.pages())
    assert all(page.physical == page.address for page in pages)
    expect_all(view, pages, everything)


def test_firmware_row(view):
    row, lower, upper = row_and_clauses('EBDA, video, BIOS', 2)
    pages = view.inside(row)
    assert addresses(pages) == list(range(row.start & ~0xFFF, row.end, 4096))
    assert all(page.physical == page.address for page in pages)
    expect_all(view, [page for page in pages if page.address < lower.end], lower)
    expect_all(view, [page for page in pages if page.address >= lower.end], upper)


def test_kernel_image(view):
    row, text, rodata, data = row_and_clauses('kernel image', 3)
    pages = view.inside(row)
    expected = image_rights()
    assert addresses(pages) == sorted(expected)
    assert all(page.physical == page.address and not page.large for page in pages)
    assert set(expected.values()) == {text.rights, rodata.rights, data.rights}
    for clause in (text, rodata, data):
        expect_all(view, [page for page in pages if expected[page.address] == clause.rights], clause)


def test_heap(view):
    row, everything = row_and_clauses('kernel heap')
    pages = view.inside(row)
    assert pages, 'the heap has no page'
    expect_all(view, pages, everything)
    assert all(view.is_ram(page.physical) for page in pages)


def test_kernel_stack(view):
    row, everything = row_and_clauses('kernel stack')
    pages = view.inside(row)
    assert addresses(pages) == list(row.pages())
    expect_all(view, pages, everything)


def test_framebuffer(view):
    row, everything = row_and_clauses('framebuffer')
    pages = view.inside(row)
    if view.settings.get('BOOT') == 'multiboot':
        assert not pages, 'this loader leaves the screen in text mode'
        return
    physical = view.framebuffer
    first = next(address for address in row.pages() if (address - physical) % 0x200000 == 0)
    assert addresses(pages) == list(range(first, first + 4096 * len(pages), 4096))
    assert [page.physical - page.address for page in pages] == [physical - first] * len(pages)
    assert len(pages) >= 1920 * 1080 * 4 // 4096
    expect_all(view, pages, everything)


def test_mmio(view):
    """Local APIC, I/O APIC and HPET, which these machines have, and nothing else."""
    row, everything = row_and_clauses('MMIO')
    pages = view.inside(row)
    assert sorted(page.physical for page in pages) == [0xFEC00000, 0xFED00000, 0xFEE00000]
    expect_all(view, pages, everything)


def test_direct_view(view):
    row, rest, constant = row_and_clauses('direct view', 2)
    pages = view.inside(row)
    firmware, copy, null = (memorymap.row(name) for name in ('EBDA, video, BIOS', 'E820 copy', 'IVT + BDA'))
    withheld = {*null.pages(), *copy.pages(), *range(firmware.start & ~0xFFF, firmware.end, 4096)}
    expected = {physical for start, end in view.usable for physical in range(start, min(end, row.end - row.start), 4096)}
    assert {page.physical for page in pages} == expected - withheld
    assert all(page.physical == page.address - row.start for page in pages)
    constants = {address for address, rights in image_rights().items() if 'W' not in rights}
    expect_all(view, [page for page in pages if page.physical in constants], constant)
    expect_all(view, [page for page in pages if page.physical not in constants], rest)
    if len(pages) > 8192:
        assert sum(page.large for page in pages) > len(pages) * 0.9, 'most of it in 2 MiB pages'


def test_rows_that_are_used_on_demand_are_empty_at_the_prompt(view):
    """The views through which firmware tables were read are gone."""
    row, everything = row_and_clauses('temporary')
    assert everything.about == 'on demand'
    assert not view.inside(row)


def test_stacks_of_threads_have_unmapped_pages_on_both_sides(view):
    """Of the idle thread, and of whatever waits in the kernel."""
    row, everything = row_and_clauses('kernel stacks')
    assert everything.about == 'on demand'
    pages = view.inside(row)
    assert pages and not {row.start, row.end - 4096} & set(addresses(pages))
    expect_all(view, pages, everything)


def test_nothing_is_writable_and_executable(view):
    rights = collections.defaultdict(set)
    for page in view.pages:
        rights[page.physical].update(page.rights)
    both = [hex(physical) for physical, letters in rights.items() if {'W', 'X'} <= letters]
    assert bool(both) != view.has_nx, 'a processor without NX cannot keep them apart; any other must'


def test_no_frame_has_two_cache_types(view):
    caches = collections.defaultdict(set)
    for page in view.pages:
        caches[page.physical].add(page.cache)
    assert not [hex(physical) for physical, types in caches.items() if len(types) > 1]


def test_tables_are_ram_and_reached_once(view):
    assert len(set(view.tables)) == len(view.tables)
    assert all(view.is_ram(table) for table in view.tables)
    direct = memorymap.row('direct view')
    outside_direct = {page.physical for page in view.pages if not direct.start <= page.address < direct.end}
    assert not outside_direct & set(view.tables), 'a page table is mapped outside the direct view'
