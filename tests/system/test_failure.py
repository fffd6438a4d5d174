"""Every allocation fails once: of the boot, and of each command of the prompt (kernel/failure)."""
import functools
import pathlib
import re
import tempfile

import pytest

from tests.conftest import BUILD, ROOT
from tests.system.machine import Machine

FAILING = BUILD / 'failures'
REFUSED = 5  # the status of tools/run
MISSING = re.compile(r'no memory|cannot be (read|mapped)|out of memory|no font|cannot start|not all there', re.I)

# What the prompt's commands are tried with, where it is not the bare name; None: not tried, for the reason that
# stands there.
COMMANDS = {
    'help': ['help', 'help mem'],
    'mem states': ['mem states', 'mem states 0x100000'],
    'mem who': ['mem who 0x100000'],
    'page': ['page 0x100000', 'page 0x30000000', 'page 0x10000000'],
    'heap guard': ['heap guard', 'heap guard 0'],
    'program': ['program /none'],  # others below, from an archive that has some
    'heap cost': None,  # thousands of calls, to measure them: some fail, below
    'fault': None,  # ends in a panic on purpose
    'bench': None,  # hundreds of thousands of calls: some fail, below
    'selftest': None,  # one test at a time, below
    'poweroff': None,
    'reboot': None,
}
# What makes too many allocations for each to fail: these numbers are tried.
SAMPLED_COMMANDS = {'heap cost': (1, 2, 3, 1000), 'bench frame': (1, 300), 'bench run': (2, 1000), 'bench heap': (5000,),
                    'bench page': (5,)}
SAMPLED = {'allocators_survive_an_interrupt_storm': (1, 2, 3, 10, 1000, 20000),
           'threads_begin_and_end': (1, 2, 3, 4, 5, 1000),
           'random_calls_follow_the_model': (1, 2, 3, 10, 100, 300),
           'recorded_calls_follow_the_model': (1, 2, 3, 10, 100, 300)}


def boot(**settings):
    """Boots and ends; returns the status and what came over the serial port."""
    with tempfile.TemporaryDirectory() as directory:
        with Machine(pathlib.Path(directory), build=FAILING, **{'BOOT': 'multiboot', **settings}) as machine:
            return machine.end(), machine.serial()


@functools.lru_cache(None)
def allocations(way):
    """How often a boot asks for memory."""
    status, output = boot(BOOT=way, APPEND='fail=0', RUN='poweroff')
    assert status == 0, output
    return int(re.search(r'failure: boot asked for memory (\d+) times, 0 failed', output).group(1))


def check_boot(way, word):
    """The boot was refused with a sentence, or went on without something and says without what. Returns which."""
    status, output = boot(BOOT=way, APPEND=f'fail={word}', RUN='mem check; poweroff')
    assert 'panic' not in output, output
    if status == REFUSED:
        last = [line for line in output.splitlines() if line.startswith('[')][-1]
        assert re.search(r'cannot start: (no memory for [a-z ]+|[a-z ]+: out of memory)$', last), output
        return False
    assert status == 0 and 'memory check: ok' in output, output
    found = re.search(r'failure: boot asked for memory \d+ times, (\d+) failed', output)
    assert found and int(found.group(1)) >= 1, output
    first = re.search(r'failure: the first was \w+, called from \S+ (\w+)', output)
    makes_do = first and first.group(1) == 'page_commit'  # the heap takes a page that it kept: nothing is missing
    assert makes_do or MISSING.search(output), output
    return True


@pytest.mark.parametrize('part', range(8))
def test_each_allocation_of_boot(part):
    total = allocations('multiboot')
    assert total > 50
    went_on = [n for n in range(1 + part, total + 1, 8) if check_boot('multiboot', n)]
    # What fails early is what the kernel cannot be without.
    assert not went_on or went_on[0] > 20


@pytest.mark.parametrize('way', ['multiboot', 'disk'])
def test_boot_without_any_memory_from_some_point_on(way):
    total = allocations(way)
    for n in sorted({1, 20, *range(total - 10, total + 1, 2)}):
        check_boot(way, f'{n}+')


@pytest.mark.parametrize('part', range(2))
def test_each_allocation_for_the_screen(part):
    """From the disk there is a framebuffer, with tables and a font of its own."""
    total = allocations('disk')
    went_on = [check_boot('disk', n) for n in range(total - part, 50, -2)]
    assert any(went_on)


def judged(output, command):
    """Fails unless each try of the command ended well; returns how many allocations failed."""
    assert 'FAILED: frames' not in output and 'FAILED: 1' not in output, output
    found = re.search(rf'fail: "{re.escape(command)}": (\d+) allocations, each failed once, (\d+) times wrongly', output)
    assert found and found.group(2) == '0', output
    return int(found.group(1))


def command_lines():
    """The lines to type, for every command that the monitor has."""
    text = (ROOT / 'kernel/debug/monitor/commands.c').read_text(encoding='utf-8')
    least = {name: int(count) for name, count in
             re.findall(r'\{"([a-z ]+)",\s*"[^"]*",\s*(?:"[^"]*"\s*)+,\s*(\d+),\s*[^,{}]+,\s*command_', text)}
    assert len(least) == len(re.findall(r',\s*command_\w+\}', text)) and set(COMMANDS) <= set(least)
    missing = [name for name, count in least.items() if count > 0 and name not in COMMANDS]
    assert not missing, f'say above what these are tried with: {missing}'
    return [line for name in least for line in COMMANDS.get(name, [name]) or []]


def test_each_command():
    lines = command_lines()
    run = '; '.join(f'fail {which} {line}' for line in lines for which in ('all', 'all+'))
    status, output = boot(RUN=f'{run}; mem check; poweroff')
    assert status == 0 and 'panic' not in output, output
    for line in lines:
        judged(output, line)


def boot_with_programs(run):
    status, output = boot(RUN=run + '; mem check; poweroff', IMAGE_ARCHIVE=BUILD / 'archive-stress.cpio')
    assert status == 0 and 'panic' not in output and 'memory check: ok' in output, output
    return output


def fail_each(program):
    """Once without a failure, since a file's first mapping gives it a name. Returns how many allocations failed."""
    command = f'program {program}'
    return judged(boot_with_programs(f'{command}; fail all {command}'), command)


@pytest.mark.parametrize('program', ['/bin/true', '/bin/sh -c "echo x | cat"', '/bin/cycles action 1'])
def test_each_allocation_of_a_program(program):
    """Of exec, fork, pipes, sigaction. tests/user/stress/long.py does it with all system calls."""
    assert fail_each(program) > 40


@pytest.mark.parametrize('which', [101, 251])
def test_random_calls_without_memory(which):
    """Every call that there is, while every n-th allocation fails; fewer than that start a program."""
    output = boot_with_programs(f'program /bin/fuzz {which} 4000; fail {which}* program /bin/fuzz {which} 4000')
    assert len(re.findall(rf'^fuzz: seed {which}: 4000 calls, \d+ succeeded, \d+ kinds, 0 never made', output, re.M)) == 2, output
    assert re.search(r'^fail: \d+: \w+ by \S+ \S+, the books balance, 0 faults', output, re.M), output


def selftests():
    """The names of the machine's own tests, but for the sanitizer's."""
    text = ''.join(path.read_text(encoding='utf-8') for path in sorted((ROOT / 'tests/kernel').glob('*.c'))
                   if 'sanitizer' not in path.name)
    return re.findall(r'^KERNEL_TEST\((\w+)\)', text, re.M)


def test_each_selftest():
    tried = [name for name in selftests() if name not in SAMPLED]
    assert len(tried) > 20
    run = '; '.join(f'fail all selftest {name}' for name in tried)
    # The command line does not hold all of them.
    middle = run.index(';', len(run) // 2)
    total = 0
    for part in (run[:middle], run[middle + 2:]):
        status, output = boot(RUN=f'{part}; mem check; poweroff')
        assert status == 0 and 'panic' not in output, output
        total += sum(judged(output, line.removeprefix('fail all ')) for line in part.split('; '))
    assert total > 50


def fail_some(command, numbers, **settings):
    """Each of these allocations fails once."""
    status, output = boot(**settings, RUN=''.join(f'fail {n} {command}; ' for n in numbers) + 'mem check; poweroff')
    assert status == 0 and 'panic' not in output and 'memory check: ok' in output, output
    found = re.findall(r'^fail: \d+: \w+ by \S+ \S+, the books balance, 0 faults', output, re.M)
    assert len(found) == len(numbers), output


@pytest.mark.parametrize('name', SAMPLED)
def test_selftests_that_allocate_much(name):
    fail_some(f'selftest {name}', SAMPLED[name])


@pytest.mark.parametrize('command', SAMPLED_COMMANDS)
def test_measurements_without_memory(command):
    fail_some(command, SAMPLED_COMMANDS[command], MEM=16)  # some fill memory


def test_what_is_no_order_is_refused():
    status, output = boot(RUN='fail; fail 3; fail x mem; fail 1x mem; fail + mem; fail * mem; fail all; poweroff')
    assert status == 0
    assert output.count('usage: fail N|N+|N*|all|all+ COMMAND') == 7, output


def test_each_allocator_is_wrapped():
    """What hands memory out in the public headers stands in failure.mk, or is named here with the reason."""
    exempt = {'pageframe_take_promised_zeroed'}  # promised; the others that are do not fail, but are led through
    text = (ROOT / 'kernel/memory/pageframe/pageframe.h').read_text(encoding='utf-8')
    text += (ROOT / 'kernel/memory/heap/heap.h').read_text(encoding='utf-8')
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
    names = set(re.findall(r'\b((?:pageframe|heap|k)\w*(?:alloc|create|promise|take)\w*)\(', text))
    names -= {name for name in names if re.search(r'unpromise|release', name)} | exempt | {'pageframe_take'}
    wrapped = re.search(r'^FAILURE_WRAPPED := (.*?)\n(?!\s)', (ROOT / 'kernel/failure/failure.mk').read_text('utf-8'),
                        re.S | re.M).group(1).replace('\\\n', ' ').split()
    assert names == set(wrapped)
