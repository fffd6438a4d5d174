# Attaches to the machine that `make debug` started and stops where the kernel begins.
set confirm off
set pagination off
set architecture i386
target remote localhost:1234
break kernel_main
continue
