"""The host tests: each test of each program under build/unit, as 32-bit and as 64-bit code."""
import os
import subprocess

import pytest

from tests.conftest import BUILD, ROOT, host_command


def cases():
    for program in sorted((BUILD / 'unit').glob('*-[36][24]')):
        listed = subprocess.run([*host_command(program), '--list'], capture_output=True, text=True, check=True, cwd=ROOT)
        for name in listed.stdout.split():
            yield pytest.param(program, name, id=f'{program.name}:{name}')


@pytest.mark.parametrize('program, name', cases())
def test_unit(program, name):
    result = subprocess.run([*host_command(program), name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors='replace', cwd=ROOT, timeout=600, check=False, env=os.environ)
    assert result.returncode == 0, result.stdout
