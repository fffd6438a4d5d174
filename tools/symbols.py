#!/usr/bin/env python3
"""The kernel's own table of function names, from what nm says of a first link.

symbols.py table NM         writes the table as assembly source
symbols.py same NM1 NM2     fails if a function has another address in the second
"""
import sys

HEADER = """\
/* Made by tools/symbols.py. Ascending addresses, and for each the offset of its name. */
    .section .symbols, "a", @progbits
    .balign 4
    .globl symbol_count, symbol_addresses, symbol_offsets, symbol_names
"""


def functions(path):
    """(address, name) of the text's symbols in ascending order, one name an address."""
    bounds = {}
    found = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            fields = line.split()
            if len(fields) != 3:
                continue
            address, kind, name = int(fields[0], 16), fields[1], fields[2]
            if name in ("image_text_start", "image_text_end"):
                bounds[name] = address
            elif kind in "tT" and not name.startswith("."):
                # A global name says more than a local one at the same address.
                if address not in found or kind == "T":
                    found[address] = name
    if not bounds:
        return []
    return sorted((address, name) for address, name in found.items()
                  if bounds["image_text_start"] <= address < bounds["image_text_end"])


def write_table(symbols):
    print(HEADER)
    print(f"symbol_count: .long {len(symbols)}")
    print("symbol_addresses:")
    for address, _ in symbols:
        print(f"    .long {address:#010x}")
    print("symbol_offsets:")
    offset = 0
    for _, name in symbols:
        print(f"    .long {offset}")
        offset += len(name) + 1
    print("symbol_names:")
    for _, name in symbols:
        print(f'    .asciz "{name}"')


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "table":
        write_table(functions(arguments[1]))
        return 0
    if len(arguments) == 3 and arguments[0] == "same":
        if functions(arguments[1]) == functions(arguments[2]):
            return 0
        print("symbols.py: the second link moved functions", file=sys.stderr)
        return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
