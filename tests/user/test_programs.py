"""The programs for the machine, on Linux: each does what it is there for."""
import re

import pytest

from tests.user.linux import linux

# A command, and what its output has to be or, as an expression, to match.
SESSIONS = [
    ('hello "a b" c', 'hello from user space\nargument 1: a b\nargument 2: c\n'),
    ("lua -e 'print(2^10, arg[0], string.rep(\"x\", 3))'", '1024.0\tlua\txxx\n'),
    ("lua -e 'local t = {} for i = 1, 1e5 do t[i] = i end print(#t, pcall(error, \"e\"))'", '100000\tfalse\te\n'),
    ("sqlite3 :memory: 'select 1+1, sqlite_version() > 3'", '2|1\n'),
    ('sqlite3 t.db "create table t(a, b); insert into t values(1, \'x\'), (2, \'y\'); select sum(a), group_concat(b) from t; pragma integrity_check"',
     '3|x,y\nok\n'),
    ('seq 5 | sort -r | head -n 2 | od -An -c', '   5  \\n   4  \\n\n'),
    ("echo 'a b c' | awk '{ print $2 * 1 \"-\" $3 }' | sed s/c/d/ | tr d D", '0-D\n'),
    ('mkdir -p d/e && echo x >d/e/f && find d -type f -exec grep -l x {} + && rm -r d && ls', 'd/e/f\nt.db\n'),
    ('i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done; echo $i $(expr $i + 1); (exit 5); echo $?', '3 4\n5\n'),
    ('sleep 100 & kill $! && wait $!; echo $?', r'(Terminated\n)?143\n'),
    ('memtester 1M 1 | tail -n 1; echo $?', r'\s*Done\.\n0\n'),
    ('stress --vm 2 --vm-bytes 4M --timeout 1 >/dev/null; echo $?', '0\n'),
    ('free | head -n 2; pmap $$ | tail -n 1; top -b -n 1 | head -n 1', r'(?s).*Mem:\s+\d+.*mapped: \d+K.*Mem: \d+K used.*'),
    ('guard', '.*\n' * 2 + 'the address: byte 4096 of the array\nthe reason: no right to touch what is mapped there\n.*byte 4103 is \'x\'\n'),
    ('cow 1; echo $?', 'cow: from 4 to 16384 pages, please\n2\n'),
    ('faults none; echo $?', "faults: there is no 'none'\n2\n"),
    ('faults null', 'null .*Segmentation fault\n'),
    ('faults pointer', 'pointer .*EFAULT, and it goes on\n'),
]
FAULTS = {'null': 'Segmentation fault', 'text': 'Segmentation fault', 'constant': 'Segmentation fault', 'jump': 'Segmentation fault',
          'stack': 'Segmentation fault', 'kernel': 'Segmentation fault', 'divide': 'Arithmetic exception', 'float': 'Arithmetic exception',
          'undefined': 'Illegal instruction', 'privileged': 'Segmentation fault', 'pointer': 'EFAULT, and it goes on'}


@pytest.fixture(scope='module')
def printed():
    """What each session printed, in one boot."""
    commands = [command for command, _ in SESSIONS] + ['cow 64', 'faults']
    status, text = linux('\n'.join(f'{command}\necho "-- end"' for command in commands))
    assert status == 0, text
    return dict(zip(commands, text.split('-- end\n')))


@pytest.mark.parametrize('command, output', SESSIONS, ids=[command[:30] for command, _ in SESSIONS])
def test_session(printed, command, output):
    assert printed[command] == output or re.fullmatch(output, printed[command]), printed[command]


def test_copy_on_write_is_counted(printed):
    rows = re.findall(r'^(.*?) +shared +(\d+) KiB +private +(\d+) KiB$', printed['cow 64'], re.M)
    assert [(int(shared), int(private)) for _, shared, private in rows] == [
        (0, 0), (0, 256), (256, 0), (192, 64), (0, 256), (0, 256), (0, 256)]


def test_gallery_of_faults(printed):
    """But for `data`: whether data can be executed is up to the processor and the kernel."""
    ends = dict(re.findall(r'^(\w+) +.*?  (\S.*)$', printed['faults'], re.M))
    assert ends.pop('data') in ('Segmentation fault', 'nothing happened: status 0')
    assert ends == FAULTS
