#include <stdarg.h>

#include "tests/unit/test.h"

/* What the host tests' machines and models call, where a fuzzer and not a test program runs them.
 */

void test_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

/* The tests beside a machine or a model are not run. */
void test_register(struct test *test)
{
    (void)test;
}
