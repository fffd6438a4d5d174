"""Real work for a machine: a shell script with pipes, lua, sqlite, memtester, programs that check calls, births and ends."""
import functools
import pathlib
import subprocess
import tempfile

from tests.conftest import BUILD, ROOT
from tests.system.machine import Machine

SCRIPT = r"""
cd /tmp
echo "numbers: $(seq 1000 | grep 7 | sort -rn | head -n 3 | tr '\n' ' ')"
i=0
while [ $i -lt 20 ]; do echo $i; i=$((i + 1)); done | while read n; do (exit $n) || echo $((n * n)); done | tail -n 1
lua -e 'local t = {} for i = 1, 2000 do t[i] = i % 7 .. "" end print(#table.concat(t), 2^10)'
sqlite3 t.db 'create table t(a, b);
    with recursive c(n) as (select 1 union all select n + 1 from c where n < 300) insert into t select n, n * n from c;
    select sum(b), count(*) from t where a % 3 = 0; pragma integrity_check'
memtester $1 1 >memtester; echo "memtester: $?"
/check/memory_mremap
/check/memory_random 1 100
/bin/cycles all 2
cow 64
"""
# Of its output; the rest has to be as on the first emulator, where tests/user compares with Linux.
LINES = ['numbers: 997 987 979 ', '361', '2000\t1024.0', '3045150|100', 'ok', 'memtester: 0', 'cycles: all: 2 of each, 0 wrong']


def archive(directory):
    """An initial archive with the work in it."""
    script, made = directory / 'work', directory / 'archive.cpio'
    script.write_text(SCRIPT)
    files = [f'{script}:/work', f'{BUILD}/user/stress/cycles:/bin/cycles']
    files += [f'{BUILD}/user/check/{name}:/check/{name}' for name in ('memory_mremap', 'memory_random')]
    subprocess.run([ROOT / 'tools/archive.py', '--base', BUILD / 'archive.cpio', made,
                    *(word for file in files for word in ('--file', file))], check=True)
    return made


def commands(megabytes):
    """For the prompt."""
    return f'program /bin/sh /work {megabytes}; mem check; poweroff'


def output(serial):
    """The lines that the work printed, of a serial port's text."""
    text = serial.replace('\r', '').split('32rtos> program /bin/sh /work')[1].split('/bin/sh ended with status 0.')[0]
    return [line for line in text.splitlines()[1:] if line]


@functools.lru_cache(None)
def usual_output():
    with tempfile.TemporaryDirectory(prefix='32rtos-') as directory:
        with Machine(pathlib.Path(directory), RUN=commands('64K'), BOOT='multiboot', IMAGE_ARCHIVE=archive(pathlib.Path(directory))) as machine:
            assert machine.end() == 0
            return output(machine.serial())


def check(serial):
    """The work was done, as everywhere, and the machine's books are whole."""
    assert 'memory check: ok (' in serial, serial
    lines = output(serial)
    assert set(LINES) <= set(lines), serial
    assert lines == usual_output(), serial
