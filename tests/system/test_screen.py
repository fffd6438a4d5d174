"""The screen: what the log says of it is what the emulator shows, in each mode and with each way to a cache type."""
import re
import time

import pytest

from tests.system.bare import BareMachine
from tests.system.machine import PATIENCE, boot_to_prompt

FIRST_TEXT_ROWS = range(16, 16 + 4 * 16)  # four lines of characters below the title
RED = (0xA0, 0x30, 0x30)  # paper of an alarm


class Picture:
    """A portable pixmap (P6), as QEMU's screendump writes it."""

    def __init__(self, path):
        data = path.read_bytes()
        header = re.match(rb'P6\s+(\d+)\s+(\d+)\s+255\s', data)
        assert header, data[:20]
        self.width, self.height = int(header.group(1)), int(header.group(2))
        self.pixels = data[header.end():]
        assert len(self.pixels) == 3 * self.width * self.height

    def line(self, y):
        return self.pixels[3 * self.width * y:3 * self.width * (y + 1)]

    def colours(self, lines):
        """How often each colour occurs in these lines."""
        count = {}
        for y in lines:
            line = self.line(y)
            for x in range(0, len(line), 3):
                colour = tuple(line[x:x + 3])
                count[colour] = count.get(colour, 0) + 1
        return count


def shot(machine, directory):
    path = directory / 'screen.ppm'
    machine.qmp('screendump', filename=str(path))
    return Picture(path)


def assert_text_is_drawn(picture):
    """Ink on paper: a few per cent of the pixels have another colour than the ground."""
    counts = sorted(picture.colours(FIRST_TEXT_ROWS).values())
    total = sum(counts)
    assert len(counts) >= 2, 'one colour only'
    assert total // 200 < total - counts[-1] < total // 4, counts


@pytest.mark.parametrize('way', ['disk', 'cd'])
def test_text_is_drawn_into_the_framebuffer(tmp_path, way):
    with boot_to_prompt(tmp_path, qmp=True, BOOT=way) as machine:
        assert re.search(r'screen: 1920 x 1080 pixels at 0x[0-9a-f]+, seen at 0x08[0-9a-f]+\n',
                         machine.serial())
        assert 'screen: its memory is write-combining\n' in machine.serial()
        picture = shot(machine, tmp_path)
        assert (picture.width, picture.height) == (1920, 1080)
        assert_text_is_drawn(picture)
        before = picture.colours(range(16, 1080))
        machine.command('mem')
        after = shot(machine, tmp_path).colours(range(16, 1080))
        ground = max(before, key=before.get)
        assert after[ground] < before[ground], 'the table of `mem` is on the screen, too'
        assert RED not in after


def test_a_panic_is_red_and_stays(tmp_path):
    with BareMachine(tmp_path) as machine:
        machine.expect_prompt()
        machine.send('fault null\r')
        machine.expect('the system is halted')
        deadline = time.monotonic() + PATIENCE
        while is_red_missing(shot(machine, tmp_path)):
            assert time.monotonic() < deadline, 'the report is not on the screen'


def is_red_missing(picture):
    """The title is the alarm, and the report below stands on red."""
    title, text = picture.colours(range(16)), picture.colours(range(16, picture.height))
    return max(title, key=title.get) != RED or text.get(RED, 0) < 20 * 8 * 16 * 10


def test_a_mode_that_is_asked_for(tmp_path):
    with boot_to_prompt(tmp_path, qmp=True, APPEND='video=1024x768') as machine:
        assert 'screen: 1024 x 768 pixels' in machine.serial()
        picture = shot(machine, tmp_path)
        assert (picture.width, picture.height) == (1024, 768)
        assert_text_is_drawn(picture)


def test_text_mode_that_is_asked_for(tmp_path):
    with boot_to_prompt(tmp_path, qmp=True, APPEND='video=text') as machine:
        assert 'screen: 80 x 25 characters' in machine.serial()
        assert 'pixels' not in machine.serial()
        picture = shot(machine, tmp_path)
        assert (picture.width, picture.height) == (720, 400)
        assert_text_is_drawn(picture)


def test_a_mode_that_does_not_exist_falls_back_and_says_so(tmp_path):
    with boot_to_prompt(tmp_path, qmp=True, APPEND='video=1234x567') as machine:
        assert re.search(r'1234x567', machine.serial().replace('video=1234x567', '')), 'a line says it'
        assert 'screen: 1920 x 1080 pixels' in machine.serial()
        assert_text_is_drawn(shot(machine, tmp_path))


@pytest.mark.parametrize('flags', ['-vga cirrus', '-vga none'])
def test_a_machine_without_the_mode_or_without_a_screen_works(tmp_path, flags):
    with boot_to_prompt(tmp_path, QEMUFLAGS=flags) as machine:
        assert re.search(r'screen: (80 x 25 characters|none)', machine.serial())
        assert 'memory check: ok' in machine.command('mem check')


# What gives the framebuffer its cache type, and what `page` and `mem` say of it.
CACHES = [
    ('max', 64, 'write-combining', 'wc'),
    ('max,-pat', 3072, 'write-combining by an MTRR (no PAT)', 'wc'),
    ('pentium3,-pat', 3072, 'write-combining by an MTRR (no PAT)', 'wc'),
    # This firmware covers 2 GiB by one uncached block then, and cutting it takes a register too many.
    ('max,-pat', 64, 'uncached (no PAT, too few free MTRRs)', 'uc'),
    ('max,-pat,-mtrr', 64, 'uncached (no PAT, no usable MTRRs)', 'uc'),
]


@pytest.mark.parametrize('processor, size, words, letters', CACHES, ids=str)
def test_the_cache_type_is_what_the_processor_can(tmp_path, processor, size, words, letters):
    with boot_to_prompt(tmp_path, CPU=processor, MEM=size) as machine:
        found = re.search(r'seen at (0x[0-9a-f]+)\s+.*its memory is (.*)\n', machine.serial())
        assert found and found.group(2) == words
        assert f', {words.split(" ")[0]}, ' in machine.command(f'page {found.group(1)}')
        assert re.search(rf'^framebuffer .* {letters}$', machine.command('mem'), re.M)
        assert 'memory check: ok' in machine.command('mem check')
