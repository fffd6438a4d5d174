#!/usr/bin/python3
"""Boots the distribution's i386 Linux kernel in QEMU with a few files as its root, and prints what its console says.

That is where programs for 32RTOS are compared with Linux: a machine that builds them need not run 32-bit programs
itself, and the kernel is the same everywhere. The first process is /init of the archive, with the words given.
With --shell, the busybox that was built for the machine is the first process: it mounts /proc, /dev and /tmp, and
runs that command in /tmp; its status is ours.
"""
import argparse
import gzip
import os
import subprocess
import sys
import tempfile

TOOLS = os.path.dirname(os.path.abspath(__file__))
STATUS_USAGE, STATUS_NONE, STATUS_HANG = 2, 125, 124
BEGIN, END = 'linux: begin', 'linux: status '
SHELL_INIT = f'''#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox mount -t tmpfs tmpfs /tmp
exec </dev/ttyS0 >/dev/ttyS0 2>&1
/bin/busybox chmod 1777 /tmp
/bin/busybox stty -F /dev/ttyS0 -opost
export PATH=/bin HOME=/tmp TERM=dumb
cd /tmp
echo '{BEGIN}'
/bin/busybox sh /command
echo "{END}$?"
/bin/busybox poweroff -f
'''


def make_initrd(options, directory):
    """Linux takes no padded names: the archive is a plain one."""
    files = list(options.file)
    if options.shell is not None:
        for name, text in (('init', SHELL_INIT), ('command', options.shell + '\n')):
            path = os.path.join(directory, name)
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text)
            os.chmod(path, 0o755)
            files.append(f'{path}:/{name}')
    target = os.path.join(directory, 'initrd.cpio')
    base = ['--base', options.base] if options.base else []
    subprocess.run([os.path.join(TOOLS, 'archive.py'), '--plain', *base, target,
                    *(word for file in files for word in ('--file', file))], check=True)
    with open(target, 'rb') as plain, gzip.open(target + '.gz', 'wb', 1) as packed:
        packed.write(plain.read())
    return target + '.gz'


def emulator(options, initrd):
    # no_timer_check: on a busy host it finds no ticks in the time that it gives them, and panics.
    words = ' '.join(['console=ttyS0', 'quiet', 'no_timer_check', options.append, 'rdinit=/init', '--', options.words])
    arguments = ['qemu-system-i386', '-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio',
                 '-m', str(options.memory), '-cpu', options.cpu, '-kernel', options.kernel, '-initrd', initrd,
                 '-append', words]
    if options.icount:
        arguments += ['-icount', 'shift=0,sleep=off', '-rtc', 'base=2026-01-01,clock=vm']
    return arguments


def run(options):
    with tempfile.TemporaryDirectory() as directory:
        initrd = make_initrd(options, directory)
        try:
            result = subprocess.run(emulator(options, initrd), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    timeout=options.timeout, check=False)
        except subprocess.TimeoutExpired as error:
            print((error.stdout or b'').decode(errors='replace').replace('\r', ''), end='')
            print(f'linux.py: no end after {options.timeout} seconds', file=sys.stderr)
            return STATUS_HANG
    text = result.stdout.decode(errors='replace').replace('\r', '')
    if options.shell is None:
        print(text, end='')
        return result.returncode
    if f'{BEGIN}\n' not in text or END not in text:
        print(text, end='')
        print('linux.py: the shell did not come to its end', file=sys.stderr)
        return STATUS_NONE
    output, status = text.split(f'{BEGIN}\n', 1)[1].rsplit(END, 1)
    print(output, end='')
    return int(status.split()[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('kernel', help="the kernel: tools/linux-kernel takes it out of the distribution's package")
    parser.add_argument('--words', default='', help='for the first process')
    parser.add_argument('--base', metavar='ARCHIVE', help='begin with what this initial archive holds')
    parser.add_argument('--file', metavar='HOST:GUEST', action='append', default=[], help='a file or a directory to add')
    parser.add_argument('--shell', metavar='COMMAND', help='run this by the shell of the archive')
    parser.add_argument('--memory', type=int, default=256, help='MiB of RAM')
    parser.add_argument('--cpu', default='max', help="the emulator's model")
    parser.add_argument('--append', default='mitigations=off', help="words for the kernel's command line")
    parser.add_argument('--icount', action='store_true', help='let the time-stamp counter count instructions')
    parser.add_argument('--timeout', type=int, default=900, help='seconds')
    return run(parser.parse_args())


if __name__ == '__main__':
    sys.exit(main())
