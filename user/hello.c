// The smallest program: its arguments, one a line.
#include <stdio.h>

int main(int argc, char **argv)
{
    puts("hello from user space");
    for (int i = 1; i < argc; i++)
        printf("argument %d: %s\n", i, argv[i]);
    return 0;
}
