"""Programs on the screen's terminal, which is what TERM=linux says: read from the VGA's text memory."""
import re
import time

import pytest

from tests.conftest import BUILD
from tests.system.machine import PATIENCE, Machine

COLUMNS, ROWS = 80, 25
TEXT_MEMORY = 0xB8000
REVERSED, RED, GREEN_BRIGHT = 0x70, 0x04, 0x0A
KEYS = {' ': 'spc', '\r': 'ret', '\x1b': 'esc', '\x1d': 'ctrl-bracket_right'}


class Screen:
    """A machine with a shell whose screen is looked at."""

    def __init__(self, directory):
        self.path = directory / 'text'
        self.machine = Machine(directory, qmp=True, BOOT='multiboot', IMAGE_ARCHIVE=BUILD / 'archive.cpio')

    def cells(self):
        """Rows of (characters, colours)."""
        self.machine.qmp('pmemsave', val=TEXT_MEMORY, size=2 * COLUMNS * ROWS, filename=str(self.path))
        data = self.path.read_bytes()
        lines = [data[2 * COLUMNS * row:2 * COLUMNS * (row + 1)] for row in range(ROWS)]
        return [(line[::2].decode('cp437'), line[1::2]) for line in lines]

    def rows(self):
        return [text.rstrip() for text, _ in self.cells()]

    def wait(self, condition):
        """Until it is true of the rows; returns them."""
        deadline = time.monotonic() + PATIENCE
        while not condition(rows := self.rows()):
            assert time.monotonic() < deadline, '\n'.join(rows)
            time.sleep(0.1)
        return rows

    def run(self, line):
        """By the serial port."""
        self.machine.send(line + '\r')
        self.machine.child.expect_exact(line)
        return self.machine.expect('# ')[0]

    def press(self, key):
        self.machine.monitor(f'sendkey {KEYS.get(key, key)} 10')

    def type(self, text):
        """On the keyboard, no faster than it is shown."""
        for end in range(1, len(text) + 1):
            self.press(text[end - 1])
            self.wait(lambda rows: any(row.endswith(text[:end].rstrip()) for row in rows))


@pytest.fixture(scope='module', name='screen')
def fixture_screen(tmp_path_factory):
    screen = Screen(tmp_path_factory.mktemp('screen'))
    with screen.machine:
        screen.machine.expect('# ')
        yield screen


def test_an_editor_fills_the_screen(screen):
    screen.run('seq 50 > /tmp/numbers')
    screen.machine.send('vi /tmp/numbers\r')
    rows = screen.wait(lambda rows: rows[24].startswith('- /tmp/numbers 1/50'))
    assert rows[1:24] == [str(number) for number in range(1, 24)]
    screen.machine.send('\x06')  # a page on
    rows = screen.wait(lambda rows: rows[1] == '23' and '23/50' in rows[24])
    assert rows[1:24] == [str(number) for number in range(23, 46)]
    screen.machine.send('Onew line\x1b')
    screen.wait(lambda rows: rows[1] == 'new line' and '[Modified]' in rows[24])
    screen.machine.send(':q!\r')
    screen.machine.expect('# ')


def test_top_has_a_heading_in_reverse(screen):
    screen.machine.send('top -d 1\r')
    screen.wait(lambda rows: rows[1].startswith('Mem: ') and re.match(r'\s+PID\s+PPID\s+USER', rows[4] or ''))
    colours = screen.cells()[4][1]
    assert colours[2] == REVERSED and colours[79] != REVERSED
    screen.machine.send('q')
    screen.machine.expect('# ')
    screen.run('clear')


def test_colours(screen):
    screen.run('clear; ls -d --color=always /bin/lua; printf "\\033[31mred\\033[m\\n"')
    rows = screen.wait(lambda rows: 'red' in rows)
    for text, colour in (('/bin/lua', GREEN_BRIGHT), ('red', RED)):
        assert screen.cells()[rows.index(text)][1][0] == colour


def test_a_question_is_answered_where_the_last_key_was_pressed(screen):
    """`resize` asks the terminal where its last corner is."""
    screen.run('clear; stty rows 10 columns 33')
    screen.run('resize')  # nobody answers for the serial port
    assert '10 33' in screen.run('stty size')
    screen.run('clear')
    screen.type('resize')
    screen.press('\r')
    screen.wait(lambda rows: rows[1:3] == ['/ # resize', '/ #'])
    assert '24 80' in screen.run('stty size')


def test_the_keyboard_leads_to_the_monitor_and_back(screen):
    screen.run('clear')
    screen.press('\x1d')
    screen.wait(lambda rows: any('the monitor has the console' in row for row in rows) and '32rtos>' in rows)
    screen.press('\x1d')
    screen.wait(lambda rows: any('programs have the console' in row for row in rows))
    screen.machine.send('\r')
    screen.run('echo back')
