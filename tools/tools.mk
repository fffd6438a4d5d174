# Tools for the build host, and the targets that run the machine.
