"""The memory manager as a library: what it asks for, what it brings, and a kernel that uses nothing else."""
import os
import re
import shutil
import subprocess

import pytest

from tests.conftest import BUILD, ROOT
from tests.system.machine import PATIENCE

EXAMPLE = ROOT / 'examples/embed'
FUNCTIONS = {f'platform_{name}' for name in ('interrupts_save', 'interrupts_restore', 'frame_pointer', 'tlb_flush_page',
                                             'tlb_flush_all', 'load_root', 'log', 'panic')}
STATUS_GOOD, STATUS_PANIC = 2 * 0x10 + 1, 2 * 0x12 + 1


def run(*command, **settings):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=PATIENCE,
                          check=False, **settings)


def names(archive, *options):
    """The symbols that nm lists."""
    result = run('nm', *options, archive)
    assert result.returncode == 0, result.stderr
    return {line.split()[-1] for line in result.stdout.splitlines() if len(line.split()) > 1}


def needs(archive):
    return names(archive, '--undefined-only') - names(archive, '--defined-only')


def test_the_library_asks_only_for_the_port(build):
    """No symbol is missing but those of platform.h: fewer than a dozen functions, and one structure."""
    assert needs(build / 'libmemory.a') == FUNCTIONS | {'platform_features'}
    assert len(FUNCTIONS) < 12
    declared = set(re.findall(r'\b(platform_\w+)\(', (build / 'include/kernel/memory/platform.h').read_text()))
    assert declared == FUNCTIONS


def test_the_port_can_be_inline(tmp_path):
    result = run('make', f'BUILD={tmp_path}', 'PLATFORM_INLINE=kernel/cpu/platform_inline.h', 'lib', cwd=ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert needs(tmp_path / 'libmemory.a') == {'platform_features', 'platform_log', 'platform_panic'}


def test_the_embedder_may_have_names_of_its_own(build, tmp_path):
    """memcpy and what the compiler's library has give way to the embedder's; what it does not have is there."""
    source = tmp_path / 'own.c'
    source.write_text('''
        int own;
        unsigned long long __udivdi3(unsigned long long a, unsigned long long b) { (void)a; (void)b; return own; }
        void *memcpy(void *to, const void *from, unsigned size) { (void)from; own += (int)size; return to; }
        void *memmove(void *to, const void *from, unsigned size);
        unsigned long long __umoddi3(unsigned long long a, unsigned long long b);
        int memory_init(const void *setup);
        void start(void) { memcpy(memmove(&own, &own, 4), &own, (unsigned)__umoddi3(9, 4)); memory_init(0); }
        ''')
    result = run('gcc', '-m32', '-ffreestanding', '-fno-builtin', '-fno-pic', '-c', '-o', tmp_path / 'own.o', source)
    assert result.returncode == 0, result.stderr
    result = run('ld', '-m', 'elf_i386', '-e', 'start', '--unresolved-symbols=ignore-all', '-o', tmp_path / 'own.elf',
                 tmp_path / 'own.o', build / 'libmemory.a')
    assert result.returncode == 0, result.stderr
    symbols = run('nm', tmp_path / 'own.elf').stdout
    assert re.search(r'^\w+ T memcpy$', symbols, re.M) and re.search(r'^\w+ [WV] memmove$', symbols, re.M)


HEAP_ALONE = '''
    #include "kernel/memory/heap/debug.h"
    #include "kernel/memory/paging/paging.h"
    struct paging_space paging_kernel;
    int paging_map_page(struct paging_space *space, uintptr_t address, uint32_t frame, uint32_t flags)
    { (void)space; (void)address; (void)frame; (void)flags; return -1; }
    uint32_t paging_unmap_page(struct paging_space *space, uintptr_t address)
    { (void)space; (void)address; return FRAME_NONE; }
    void start(struct check *check);
    void start(struct check *check)
    {
        int error = heap_init();
        kfree(krealloc(kmalloc(error == 0), 5));
        heap_cache_free(heap_cache_create("own", 8, 8), kmalloc_aligned(8, 8));
        heap_guard_set(100);
        heap_trim();
        MORE(check);
    }
    '''
HEAP_ASKS_FOR = {'platform_interrupts_save', 'platform_interrupts_restore', 'platform_frame_pointer', 'platform_log',
                 'platform_panic'}


@pytest.mark.parametrize('more, wanted', [('(void)', set()),
                                          ('heap_check', {'paging_query', 'paging_visit', 'platform_features'})])
def test_the_heap_asks_for_two_calls_of_paging(build, tmp_path, more, wanted):
    """On page tables of the embedder's own, as docs/embedding.md says: our modules for paging stay out."""
    source = tmp_path / 'heap.c'
    stubs = [name for name in wanted if name.startswith('paging')]
    source.write_text(HEAP_ALONE)
    result = run('gcc', '-m32', '-std=gnu11', '-ffreestanding', '-fno-pic', f'-DMORE={more}', f'-I{build}/include', '-c',
                 '-o', tmp_path / 'heap.o', source)
    assert result.returncode == 0, result.stderr
    result = run('ld', '-m', 'elf_i386', '-e', 'start', '--gc-sections', '--warn-unresolved-symbols',
                 *(f'--defsym={name}=0' for name in stubs), '-o', tmp_path / 'heap.elf', tmp_path / 'heap.o', build / 'libmemory.a')
    assert result.returncode == 0, result.stderr
    assert set(re.findall(r"undefined reference to `(\w+)'", result.stderr)) == HEAP_ASKS_FOR | wanted - set(stubs)


def public_headers():
    return sorted((BUILD / 'include').rglob('*.h'))


@pytest.mark.parametrize('compiler', ['gcc', 'clang'])
def test_every_public_header_stands_alone(build, compiler):
    """Each compiles by itself, with nothing but its like and the compiler's own, and is the kernel's file."""
    headers = public_headers()
    assert len(headers) >= 10
    for header in headers:
        name = header.relative_to(build / 'include')
        result = run(compiler, '-m32', '-std=gnu11', '-ffreestanding', '-Wall', '-Wextra', '-Werror', '-fsyntax-only',
                     f'-I{build}/include', '-include', name, '-x', 'c', '/dev/null')
        assert result.returncode == 0, result.stderr
        assert header.read_bytes() == (ROOT / name).read_bytes(), name


def test_the_example_is_small_and_uses_only_the_library(build):
    sources = sorted(EXAMPLE.glob('*.[chS]'))
    assert len(sources) >= 3
    assert sum(len(source.read_text().splitlines()) for source in sources) < 200
    for source in sources:
        for target in re.findall(r'^\s*#\s*include\s+"([^"]+)"', source.read_text(), re.M):
            assert (build / 'include' / target).exists(), target


def boot(*arguments, kernel=BUILD / 'embed.elf'):
    """Boots the example; returns its status and what it said."""
    result = run('qemu-system-i386', '-display', 'none', '-no-reboot', '-serial', 'stdio', '-monitor', 'none', '-device',
                 'isa-debug-exit,iobase=0xf4,iosize=4', '-kernel', kernel, *arguments)
    return result.returncode, result.stdout


def usable_kib(mebibytes):
    """What the firmware's own table gives in whole pages."""
    table = ROOT / f'tests/data/e820/emulators/qemu7.2-i386-pc-m{mebibytes}.txt'
    total = 0
    for line in table.read_text().splitlines():
        words = line.split()
        if len(words) >= 4 and words[0] != '#' and words[2] == '1':
            start = int(words[0], 16)
            end = start + int(words[1], 16)
            total += end // 4096 - -(-start // 4096)
    return total * 4


def read_lines(output):
    """{moment: {what: number}} of the lines about memory."""
    found = {moment: [int(number) for number in re.findall(r'\d+', line)]
             for moment, line in re.findall(r'^(\w+): (usable .*)$', output, re.M)}
    assert list(found) == ['start', 'used', 'end'], output
    return {moment: dict(zip(('usable', 'free', 'heap', 'objects', 'faults'), numbers))
            for moment, numbers in found.items()}


def check_lines(lines):
    """What the heap took is what became less; all of it comes back; and at no moment was anything wrong."""
    start, used, end = lines['start'], lines['used'], lines['end']
    assert used['heap'] - start['heap'] == start['free'] - used['free']
    assert end == start and start['objects'] == 0
    assert all(line['faults'] == 0 for line in lines.values())
    assert start['free'] < start['usable'] == used['usable']


@pytest.mark.parametrize('mebibytes', [16, 512])
@pytest.mark.parametrize('processor', ['qemu32', 'max'])
def test_the_example_prints_its_memory(mebibytes, processor):
    status, output = boot('-m', mebibytes, '-cpu', processor)
    assert status == STATUS_GOOD, output
    lines = read_lines(output)
    check_lines(lines)
    assert lines['start']['usable'] == usable_kib(mebibytes)
    assert lines['start']['free'] > 0.95 * usable_kib(mebibytes)
    assert lines['used']['objects'] == 100
    assert lines['used']['heap'] > sum(16 << i % 16 for i in range(100)) // 1024
    assert output.count('double free') == 1


def test_the_example_runs_out_and_goes_on():
    """6 MiB do not fit into 2: some objects cannot be had, and nothing else happens."""
    status, output = boot('-m', 2, '-cpu', 'max')
    assert status == STATUS_GOOD, output
    lines = read_lines(output)
    check_lines(lines)
    assert 0 < lines['used']['objects'] < 100


def test_the_example_refuses_a_machine_without_memory():
    status, output = boot('-m', '1280K', '-cpu', 'max')
    assert status == STATUS_PANIC, output
    assert re.search(r'^memory: .*\npanic at .*: memory_init: out of memory$', output, re.M), output


def test_the_example_gives_its_archive_back(tmp_path):
    """A module of three pages, the last of which is not full, is set aside and becomes free."""
    module = tmp_path / 'module'
    module.write_bytes(b'x' * 9000)
    without, with_module = (boot('-m', 64, '-cpu', 'max', *more) for more in ((), ('-initrd', module)))
    for (status, output), frames in ((without, 0), (with_module, 3)):
        assert status == STATUS_GOOD, output
        assert f', archive {frames}\n' in output
    check_lines(read_lines(with_module[1]))
    assert read_lines(with_module[1]) == read_lines(without[1])


def test_an_image_with_a_hole_is_refused(build, tmp_path):
    """A part that ends a page too early would leave code without a mapping: a reset without a word."""
    shutil.copytree(EXAMPLE, tmp_path / 'example')
    script = tmp_path / 'example/embed.ld.S'
    text = script.read_text()
    assert text.count('LONG(text) LONG(rodata)') == 1
    script.write_text(text.replace('LONG(text) LONG(rodata)', 'LONG(text) LONG(text + 4096)'))
    result = run('make', '-C', tmp_path / 'example', f'MEMORY={build}', f'OUT={tmp_path}')
    assert result.returncode == 0, result.stdout + result.stderr
    status, output = boot('-m', 64, kernel=tmp_path / 'embed.elf')
    assert status == STATUS_PANIC, output
    assert re.match(r'memory: the image has a hole between two of its parts\n', output), output


def test_the_page_can_be_followed_literally(build, tmp_path):
    """The commands of docs/embedding.md's first chapter, as they stand there."""
    commands = re.search(r'^    make lib\n(?:    .*\n)+', (ROOT / 'docs/embedding.md').read_text(), re.M).group()
    assert '/tmp/mykernel' in commands and 'qemu-system-i386' in commands
    commands = commands.replace('make lib', f'make BUILD={build} lib').replace('build/', f'{build}/')
    commands = commands.replace('/tmp/mykernel', str(tmp_path / 'mykernel'))
    result = run('bash', '-ec', commands, cwd=ROOT, env={k: v for k, v in os.environ.items() if k != 'BUILD'})
    assert result.returncode == 0, result.stdout + result.stderr
    check_lines(read_lines(result.stdout))


def move_rows(header, rows):
    text = header.read_text()
    for name, address in rows.items():
        text, count = re.subn(rf'^#define MAP_{name}_START .*', f'#define MAP_{name}_START {address:#x}', text, flags=re.M)
        assert count == 1
    header.write_text(text)


def test_rows_can_be_moved(tmp_path):
    """The two layouts that docs/embedding.md names, one on top of the other, each with nothing but memory.h edited."""
    tree = tmp_path / 'tree'
    shutil.copytree(ROOT, tree, ignore=lambda folder, names: {'.git', 'build', '__pycache__'} & set(names))
    for rows in (dict(HEAP=0x01000000, GUARD_BELOW=0x09000000, STACK=0x09010000, GUARD_ABOVE=0x09020000,
                      FRAMEBUFFER=0x09030000),
                 dict(DIRECT=0xC0000000, STACKS=0xF0000000, SANITIZER=0xF4000000)):
        move_rows(tree / 'kernel/memory/memory.h', rows)
        result = run('make', f'BUILD={tmp_path}/build', 'example', cwd=tree)
        assert result.returncode == 0, result.stdout + result.stderr
        status, output = boot('-m', 1024, '-cpu', 'max', kernel=tmp_path / 'build/embed.elf')
        assert status == STATUS_GOOD, output
        check_lines(read_lines(output))
