#include <stdarg.h>
#include <time.h>

#include "tests/unit/test.h"

static struct test *first_test;
static struct test **last_link = &first_test;
static const char *running = "";
static uint32_t seed;
static uint32_t random_state;

void test_register(struct test *test)
{
    *last_link = test;
    last_link = &test->next;
}

void test_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    fprintf(stderr, "%s:%d: in test %s: ", file, line, running);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, " (SEED=%" PRIu32 ")\n", seed);
    abort();
}

/* xorshift32: never zero. */
uint32_t test_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

void test_random_restart(uint32_t state)
{
    random_state = state;
}

uint32_t test_random_range(uint32_t low, uint32_t high)
{
    return low + (uint32_t)(((uint64_t)test_random() * (high - low + 1)) >> 32);
}

static void run(const struct test *test)
{
    running = test->name;
    random_state = seed;
    test->run();
    printf("ok %s\n", test->name);
}

static bool is_wanted(const struct test *test, char **names)
{
    if (*names == NULL)
        return true;
    for (; *names != NULL; names++)
        if (strcmp(test->name, *names) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    const char *given = getenv("SEED");
    unsigned ran = 0;
    seed = given != NULL ? (uint32_t)strtoul(given, NULL, 0) : (uint32_t)time(NULL);
    if (seed == 0)
        seed = 1;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (const struct test *test = first_test; test != NULL; test = test->next)
            puts(test->name);
        return 0;
    }
    for (const struct test *test = first_test; test != NULL; test = test->next)
        if (is_wanted(test, argv + 1)) {
            run(test);
            ran++;
        }
    if (ran == 0) {
        fprintf(stderr, "%s: no such test\n", argv[0]);
        return 2;
    }
    return 0;
}
