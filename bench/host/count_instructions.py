#!/usr/bin/python3
"""Makes a compiler's assembly output count the instructions that it executes.

usage: count_instructions.py IN.s OUT.s

Each basic block begins by adding its length to the 32-bit global `instruction_count`; a string instruction with a
repeat prefix counts once for each repetition, as a processor that steps through it does (one that compares, as often as
it did until it ended). The program around it
reads the counter before and after a call, so the call's count is exact, whatever else the program does.

The added code changes no flag and no register, and uses no stack: flags may be live where a block begins.
"""
import re
import sys

LABEL = re.compile(r'^\s*([.\w$]+):')
ENDS_BLOCK = re.compile(r'^(j\w+|loop\w*|ret\w*|ud2|hlt|iret\w*)$')
STRING = re.compile(r'^(movs|stos|lods)[bwl]$')  # before others, such as bsf, the prefix "rep" means something else
COMPARE = re.compile(r'^(scas|cmps)[bwl]$')  # how often these repeat, their operands decide
REPEATS = {'rep', 'repe', 'repz', 'repne', 'repnz'}
PREFIXES = {'lock', 'notrack'}

ADD = ('\tmovl\t%eax, instruction_saved\n\tmovl\tinstruction_count, %eax\n{add}'
       '\tmovl\t%eax, instruction_count\n\tmovl\tinstruction_saved, %eax\n')
ADD_LENGTH = '\tleal\t{length}(%eax), %eax\n'
# One for no repetition at all, else as many as ecx says.
ADD_REPETITIONS = '\tjecxz\t771f\n\tleal\t-1(%eax,%ecx), %eax\n771:\tleal\t1(%eax), %eax\n'
# Before; and after, by how much ecx has become less, which is at least one.
NOTE_REPETITIONS = '\tmovl\t%ecx, instruction_repetitions\n'
ADD_NOTED = ('\tnotl\t%ecx\n\tleal\t1(%eax,%ecx), %eax\n\tnotl\t%ecx\n\txchgl\t%ecx, instruction_repetitions\n'
             '\tleal\t(%eax,%ecx), %eax\n\tmovl\tinstruction_repetitions, %ecx\n')


def statements_of(line):
    """The instructions in a line of assembly, each as its words; none for directives and comments."""
    text = line.split('#', 1)[0]
    label = LABEL.match(text)
    if label:
        text = text[label.end():]
    statements = [statement.split() for statement in text.split(';')]
    return [words for words in statements if words and not words[0].startswith('.')]


class Block:
    """Lines since the last place where control can arrive, or from which it can leave."""

    def __init__(self, out):
        self.out = out
        self.lines = []
        self.first = None  # index of the line with the first instruction
        self.length = 0

    def add(self, line, instructions):
        if instructions and self.first is None:
            self.first = len(self.lines)
        self.lines.append(line)
        self.length += instructions

    def close(self):
        for index, line in enumerate(self.lines):
            if index == self.first and self.length != 0:
                self.out.append(ADD.format(add=ADD_LENGTH.format(length=self.length)))
            self.out.append(line + '\n')
        self.__init__(self.out)


def rewrite(source):
    out = []
    block = Block(out)
    repeats = False  # the prefix may stand alone, before the instruction that it is of
    for line in source.splitlines():
        if LABEL.match(line):
            block.close()
        instructions, ends, after = 0, False, ''
        for words in statements_of(line):
            if words[0] in REPEATS or words[0] in PREFIXES:
                repeats |= words[0] in REPEATS
                words = words[1:]
            if not words:
                continue
            if repeats and STRING.match(words[0]):
                block.close()
                out.append(ADD.format(add=ADD_REPETITIONS))
            elif repeats and COMPARE.match(words[0]):
                block.close()
                out.append(NOTE_REPETITIONS)
                after = ADD.format(add=ADD_NOTED)
            else:
                instructions += 1
            repeats = False
            ends |= ENDS_BLOCK.match(words[0]) is not None
        block.add(line, instructions)
        if ends or after:
            block.close()
            out.append(after)
    block.close()
    return ''.join(out)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding='utf-8') as source:
        text = rewrite(source.read())
    with open(sys.argv[2], 'w', encoding='utf-8') as target:
        target.write(text)


if __name__ == '__main__':
    main()
