# The boot loader's three parts.
