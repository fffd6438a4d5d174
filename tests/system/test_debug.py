"""`make debug`: gdb, attached to the stopped machine, with the kernel's symbols."""
import pexpect

from tests.conftest import BUILD, ROOT, clean_environment


def test_gdb_stops_where_the_kernel_begins():
    child = pexpect.spawn(str(ROOT / 'tools/run'), ['--debug'], cwd=str(ROOT), timeout=180, encoding='utf-8',
                          env=clean_environment(BUILD=BUILD, RUN='poweroff', TERM='dumb'), dimensions=(50, 200))
    try:
        child.expect(r'Breakpoint 1, kernel_main \(.*\) at kernel/main\.c:\d+')
        child.expect_exact('(gdb) ')
        child.sendline('backtrace')
        child.expect(r'#0\s+kernel_main')
        child.expect_exact('(gdb) ')
        child.sendline('quit')
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
