"""What all tests share: where the build is, and the closing line."""
import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get('BUILD', 'build'))
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD


@pytest.fixture(scope='session')
def build():
    """The folder with everything that was built."""
    return BUILD


@pytest.fixture(scope='session')
def root():
    """The top of the tree."""
    return ROOT


def pytest_terminal_summary(terminalreporter):
    """The runner's closing line: 'N passed, N failed'."""
    count = {kind: len(terminalreporter.stats.get(kind, [])) for kind in ('passed', 'failed', 'error', 'skipped')}
    line = f'{count["passed"]} passed, {count["failed"] + count["error"]} failed'
    if count['skipped']:
        line += f', {count["skipped"]} skipped'
    terminalreporter.write_line(line)
