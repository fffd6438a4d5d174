"""What all tests share: where the build is, and the closing line."""
import fcntl
import functools
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get('BUILD', 'build'))
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD


@functools.lru_cache(None)
def emulator_of_32_bit_programs():
    """What has to stand in front of a 32-bit program of the host: nothing, where it runs them by itself."""
    return subprocess.run([ROOT / 'tools/run32', '--prefix'], capture_output=True, text=True, check=True).stdout.split()


def host_command(program):
    """The words that run a test program of the host; a name that ends with -32 is that of a 32-bit one."""
    return [*(emulator_of_32_bit_programs() if str(program).endswith('-32') else ()), program]


@pytest.fixture(scope='session')
def build():
    """The folder with everything that was built."""
    return BUILD


@pytest.fixture(scope='session')
def root():
    """The top of the tree."""
    return ROOT


# What `make run` exports, and what a make that runs the tests would hand down to the makes that they run.
MACHINE_VARIABLES = ('MEM', 'RUN', 'BOOT', 'CPU', 'MACHINE', 'APPEND', 'QEMUFLAGS', 'TIMEOUT',
                     'ARCHIVE', 'IMAGE', 'IMAGE_ARCHIVE', 'FILES', 'PROGRAM', 'ARGS', 'SH')
MAKE_VARIABLES = ('MAKEFLAGS', 'MAKEOVERRIDES', 'MFLAGS', 'MAKELEVEL', 'GNUMAKEFLAGS', 'V', 'CC', 'BUILD', 'SANITIZE',
                  'FAILURES')


def clean_environment(**variables):
    """The environment of a user who set nothing but these variables."""
    kept = {name: value for name, value in os.environ.items() if name not in MACHINE_VARIABLES + MAKE_VARIABLES}
    return {**kept, **{name: str(value) for name, value in variables.items()}}


def run_make(*arguments, timeout=900):
    """make in the top folder, as a user types it; the result has stdout and stderr together."""
    return subprocess.run(['make', *map(str, arguments)], cwd=ROOT, env=clean_environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
                          timeout=timeout, check=False)


@pytest.fixture
def own_image():
    """For tests whose make has FILES or PROGRAM: what they add stands in one file of the build, one test at a time."""
    with open(BUILD / 'own-image.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def pytest_terminal_summary(terminalreporter, config):
    """Counts for the closing line, 'N passed, N failed', which comes after pytest's own words."""
    count = {kind: len(terminalreporter.stats.get(kind, [])) for kind in ('passed', 'failed', 'error', 'skipped')}
    line = f'{count["passed"]} passed, {count["failed"] + count["error"]} failed'
    if count['skipped']:
        line += f', {count["skipped"]} skipped'
    config.closing_line = line


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    if hasattr(config, 'closing_line'):
        print(config.closing_line)
