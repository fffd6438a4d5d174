#include "kernel/include/errors.h"
#include "kernel/memory/system.h"
#include "kernel/space/space.h"
#include "kernel/space/usercopy.h"
#include "tests/kernel/selftest.h"

/* Address spaces in the machine: real page tables, loaded, and copies that fault. */
#define PAGES 40u
#define RW    (PROT_READ | PROT_WRITE)

static int32_t map(struct space *space, uint32_t pages, uint32_t flags)
{
    const struct space_mapping mapping = {.length = pages * PAGE_SIZE,
                                          .protection = RW,
                                          .flags = MAP_PRIVATE | MAP_ANONYMOUS | flags};
    return space_map(space, &mapping);
}

/* What went wrong first; the rest is done anyway, so that all is given back. */
static const char *problem;

static void must(bool holds, const char *what)
{
    if (!holds && problem == NULL)
        problem = what;
}

static void use_loaded(struct space *space, uint32_t at)
{
    uint32_t word = 0;
    char text[8];
    thread_use_paging(space_paging(space));
    must(space_write_user32(at, 0x12345678) == 0, "a word is written");
    must(space_read_user32(&word, at) == 0 && word == 0x12345678, "the word is read");
    must(space_copy_to_user(at + PAGE_SIZE - 2, "abc", 4) == 0, "a copy crosses a page");
    must(space_string_from_user(text, at + PAGE_SIZE - 2, sizeof(text)) == 3 && text[2] == 'c',
         "the string is read");
    must(space_string_from_user(text, at + PAGE_SIZE - 2, 3) == -ENAMETOOLONG, "a name too long");
    must(space_clear_user(at, 7) == 0 && space_read_user32(&word, at + 4) == 0 && word == 0,
         "bytes are cleared");
    must(space_exchange_user32(at, 0, 5, &word) == 0 && word == 0, "a word is exchanged");
    must(space_copy_to_user(MAP_USER_START + 0x100000, "x", 1) == -EFAULT, "nothing there");
    must(space_copy_to_user((uint32_t)(uintptr_t)&word, "x", 1) == -EFAULT, "the kernel's stack");
    must(space_copy_to_user(MAP_LIBRARY_END - 2, "xyz", 4) == -EFAULT, "the end of the rows");
    must(space_copy_to_user_partial(at + PAGES * PAGE_SIZE - 3, "abcdefg", 7) == 4, "three fit");
    must(space_string_from_user(text, at + PAGES * PAGE_SIZE, 4) == -EFAULT, "no string there");
    thread_use_paging(NULL);
}

static void use_two(struct space *space, uint32_t at)
{
    struct space *child;
    uint32_t word = 0;
    if (space_fork(space, &child) != 0) {
        must(false, "fork");
        return;
    }
    must(memory_check(NULL) == 0, "books with shared tables");
    thread_use_paging(space_paging(child));
    must(space_read_user32(&word, at) == 0 && word == 5, "the child reads the parent's");
    thread_use_paging(NULL);
    word = 77;
    must(space_write(child, at, &word, sizeof(word)) == 0, "the child writes");
    thread_use_paging(space_paging(space));
    must(space_read_user32(&word, at) == 0 && word == 5, "the parent keeps its own");
    thread_use_paging(NULL);
    must(memory_check(NULL) == 0, "books after a copy");
    space_drop(child);
}

KERNEL_TEST(spaces_are_loaded_copied_and_shared)
{
    struct space *space = space_create();
    int32_t at;
    problem = NULL;
    SELFTEST_CHECK(space != NULL);
    at = map(space, PAGES, MAP_POPULATE);
    must(at > 0, "map");
    if (at > 0) {
        use_loaded(space, (uint32_t)at);
        use_two(space, (uint32_t)at);
    }
    must(memory_check(NULL) == 0, "books");
    space_drop(space);
    if (problem != NULL)
        selftest_fail(__FILE__, __LINE__, "%s", problem);
}
