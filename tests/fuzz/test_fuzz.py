"""Each fuzz target for a short time: its saved inputs, then new ones (`make fuzz-NAME`)."""
import os
import subprocess

import pytest

from tests.conftest import BUILD, ROOT

TARGETS = sorted(path.name.removesuffix('_fuzz.c') for path in (ROOT / 'tests' / 'fuzz').glob('*_fuzz.c'))


@pytest.mark.parametrize('target', TARGETS)
def test_fuzz(target):
    environment = {name: value for name, value in os.environ.items() if name not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL')}
    result = subprocess.run(['make', f'BUILD={BUILD}', f'fuzz-{target}'], cwd=ROOT, env=environment, timeout=600,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
    assert result.returncode == 0, result.stdout
    assert 'nothing found' in result.stdout
