#!/usr/bin/python3
"""Records the calls of a boot and of commands, for the model to make again.

usage: tests/model/record.py BUILD FOLDER     (make records; BUILD is one with FAILURES=1)
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMMANDS = {'boot': 'record', 'selftest': 'record selftest', 'bench': 'record bench heap'}


def main():
    if len(sys.argv) != 3:
        print(__doc__.split('\n\n')[1], file=sys.stderr)
        return 2
    environment = {**os.environ, 'BUILD': str(pathlib.Path(sys.argv[1]).resolve()), 'BOOT': 'disk', 'MEM': '64',
                   'CPU': 'max', 'MACHINE': 'pc', 'APPEND': '', 'RUN': '; '.join([*COMMANDS.values(), 'poweroff'])}
    result = subprocess.run([ROOT / 'tools/run'], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            check=True)
    found = re.findall(r'# record: \d+ bytes\n(.*?)# end', result.stdout.decode(errors='replace').replace('\r', ''), re.S)
    for (name, command), text in zip(COMMANDS.items(), found, strict=True):
        lines = re.findall(r'^\d+(?: \d+){4}$', text, re.M)
        path = pathlib.Path(sys.argv[2]) / f'{name}.txt'
        shorter = [re.sub(r'( 0)+$', '', line) for line in lines]
        path.write_text(f'# {command}\n' + ''.join(f'{line}\n' for line in shorter), encoding='utf-8')
        print(f'{path}: {len(lines)} calls')
    return 0


if __name__ == '__main__':
    sys.exit(main())
