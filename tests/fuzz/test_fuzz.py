"""Each fuzz target for a short time: its saved inputs, then new ones (`make fuzz-NAME`)."""
import pytest

from tests.conftest import BUILD, ROOT, run_make

TARGETS = sorted(path.name.removesuffix('_fuzz.c') for path in (ROOT / 'tests' / 'fuzz').glob('*_fuzz.c'))


@pytest.mark.parametrize('target', TARGETS)
def test_fuzz(target):
    result = run_make(f'BUILD={BUILD}', f'fuzz-{target}')
    assert result.returncode == 0, result.stdout
    assert 'nothing found' in result.stdout
