# For `make debug`, which has connected gdb to the stopped machine: runs to where the kernel begins.
set confirm off
set pagination off
set architecture i386
break kernel_main
continue
