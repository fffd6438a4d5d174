"""A machine under test: the product's own tools/run, its serial port, and QEMU's monitor protocol (QMP)."""
import json
import re
import socket
import time

import pexpect

from tests.conftest import BUILD, MACHINE_VARIABLES, ROOT, clean_environment

PROMPT = '32rtos> '
PATIENCE = 400  # seconds: generous, emulated machines on busy hosts are slow


class Machine:
    """One booted machine. Settings are those of `make run`: Machine(tmp_path, MEM=8, BOOT='cd')."""

    def __init__(self, directory, qmp=False, build=BUILD, **settings):
        unknown = set(settings) - set(MACHINE_VARIABLES)
        assert not unknown, unknown
        environment = clean_environment(**settings, BUILD=build)
        self.qmp_path = str(directory / 'qmp')
        if qmp:
            environment['QEMUFLAGS'] = f'{environment.get("QEMUFLAGS", "")} -qmp unix:{self.qmp_path},server=on,wait=off'
        self.log_path = directory / 'serial.log'
        self.log = open(self.log_path, 'a', encoding='utf-8', errors='replace')
        self.child = pexpect.spawn(str(ROOT / 'tools/run'), cwd=str(ROOT), env=environment, encoding='utf-8',
                                   codec_errors='replace', timeout=PATIENCE, logfile=self.log, dimensions=(50, 200))
        self.child.delaybeforesend = None
        self.channel = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.child.close(force=True)
        if kind is not None:
            print(f'--- serial log of {self.log_path}:\n{self.serial()}')
        self.log.close()

    def serial(self):
        """All that came over the serial port so far."""
        self.log.flush()
        return self.log_path.read_text(encoding='utf-8', errors='replace').replace('\r', '')

    def expect(self, pattern):
        """Waits for a regular expression and returns the text before it and the match."""
        self.child.expect(pattern)
        return self.child.before.replace('\r', ''), self.child.match

    def expect_prompt(self):
        return self.expect(re.escape(PROMPT))[0]

    def command(self, line):
        """Types a command at the prompt and returns what it printed."""
        self.child.send(line + '\r')
        self.child.expect_exact(line)
        self.child.expect('\r?\n')
        return self.expect_prompt()

    def send(self, text):
        self.child.send(text)

    def end(self):
        """Waits for the machine to end and returns the status of tools/run."""
        self.child.expect(pexpect.EOF)
        self.child.wait()
        return self.child.exitstatus if self.child.exitstatus is not None else -self.child.signalstatus

    def qmp(self, command, **arguments):
        """One QMP command; returns what QEMU answered."""
        if self.channel is None:
            self.channel = self._open_qmp()
        self.channel.write(json.dumps({'execute': command, 'arguments': arguments}) + '\n')
        self.channel.flush()
        return self._answer()

    def _open_qmp(self):
        connection = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection.connect(self.qmp_path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self.channel = connection.makefile('rw', encoding='utf-8')
        self.channel.readline()  # the greeting
        self.qmp('qmp_capabilities')
        return self.channel

    def _answer(self):
        while True:
            message = json.loads(self.channel.readline())
            if 'return' in message:
                return message['return']
            if 'error' in message:
                raise RuntimeError(message['error']['desc'])

    def monitor(self, line):
        """A command of QEMU's human monitor, as text."""
        return self.qmp('human-monitor-command', **{'command-line': line})


def boot_to_prompt(directory, **settings):
    """A machine that shows its prompt."""
    machine = Machine(directory, **settings)
    try:
        machine.expect_prompt()
    except Exception:
        machine.__exit__(Exception, None, None)
        raise
    return machine
