"""The documents: what they point at is there, and the example that they print is what the tool prints."""
import re
import subprocess

from tests.conftest import ROOT
from tests.system.machine import boot_to_prompt


def documents():
    found = [path for path in ROOT.rglob('*.md') if 'build' not in path.relative_to(ROOT).parts]
    assert len(found) > 8
    return found


def test_links_lead_somewhere():
    dead = [f'{document.relative_to(ROOT)}: {link}' for document in documents()
            for link in re.findall(r'\]\(([^)#\s]+)\)', document.read_text())
            if '://' not in link and not (document.parent / link).exists()]
    assert not dead


def test_files_that_are_named_exist():
    """`kernel/...`, `docs/...` and the like in backquotes; a pattern counts if it matches something."""
    missing = [f'{document.relative_to(ROOT)}: {name}' for document in documents()
               for name in re.findall(r'`((?:kernel|boot|docs|tests|tools|examples)/[\w./*-]+)`', document.read_text())
               if not list(ROOT.glob(name.rstrip('/')))]
    assert not missing


def test_the_worked_example_of_e820(build, tmp_path):
    """The table in docs/memory.md: entries on the left, what the tool makes of them on the right."""
    rows = re.findall(r'^    ([0-9a-f]{16} [0-9a-f]{16} \d 1) +(.+)$', (ROOT / 'docs/memory.md').read_text(), re.M)
    assert len(rows) == 5
    table = tmp_path / 'table'
    table.write_text(''.join(f'{entry}\n' for entry, _ in rows))
    result = subprocess.run([build / 'host/e820-regions', table], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[:-1] == [region for _, region in rows]


def shape(text):
    """The words without figures, which change with the code and the machine, and without what idle time adds."""
    words = [re.sub(r'0x[0-9a-f]+|[\d.]+(?: +[KMG]iB)?|#*\.+', '0', line).split() for line in text.splitlines()]
    return [' '.join(line) for line in words if line and line[:2] != ['zeroed', '-']]


def printed(document, command):
    """What a document shows below a command at the prompt, up to the next one."""
    found = re.search(rf'^    32rtos> {command}\n((?:    (?!32rtos> ).*\n|\n(?=    ))+)', (ROOT / document).read_text(), re.M)
    return found.group(1)


def test_what_the_prompt_prints_is_what_documents_show(tmp_path):
    with boot_to_prompt(tmp_path) as machine:
        for document, command in (('README.md', 'mem'), ('README.md', 'mem check'), ('docs/memory.md', 'page 0x00551234')):
            assert shape(machine.command(command)) == shape(printed(document, command)), command
