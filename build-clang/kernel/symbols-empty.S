/* Made by tools/symbols.py. Ascending addresses, and for each the offset of its name. */
    .section .symbols, "a", @progbits
    .balign 4
    .globl symbol_count, symbol_addresses, symbol_offsets, symbol_names

symbol_count: .long 0
symbol_addresses:
symbol_offsets:
symbol_names:
