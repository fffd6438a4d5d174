#include "kernel/space/commit.h"
#include "kernel/syscall/table.h"
#include "tests/unit/file_machine.h"

/* The calls as programs make them: paths and buffers are in user memory. */

#define HERE ((uint32_t)AT_FDCWD)
#define BAD  0x1000u /* no user address */

/* Two paths, a buffer. */
#define PATH(text)       user_text(0x0000, text)
#define OTHER(text)      user_text(0x1000, text)
#define BUFFER           (USER_BASE + 0x4000u)
#define BUFFER_AT(bytes) (machine_user + 0x4000 + (bytes))

static int32_t open_file(const char *path, uint32_t flags)
{
    return syscall_open(PATH(path), flags, 0644);
}

static int32_t write_text(int32_t descriptor, const char *text)
{
    return syscall_write((uint32_t)descriptor, user_text(0x8000, text), (uint32_t)strlen(text));
}

static void make(const char *path, const char *text)
{
    int32_t descriptor = open_file(path, O_CREAT | O_TRUNC | O_WRONLY);
    CHECK(descriptor >= 0);
    CHECK_EQUAL(write_text(descriptor, text), strlen(text));
    CHECK_EQUAL(syscall_close((uint32_t)descriptor), 0);
}

static void check_content(const char *path, const char *text)
{
    int32_t descriptor = open_file(path, O_RDONLY);
    CHECK(descriptor >= 0);
    CHECK_EQUAL(syscall_read((uint32_t)descriptor, BUFFER, 0x1000), strlen(text));
    CHECK(memcmp(BUFFER_AT(0), text, strlen(text)) == 0);
    CHECK_EQUAL(syscall_read((uint32_t)descriptor, BUFFER, 0x1000), 0);
    CHECK_EQUAL(syscall_close((uint32_t)descriptor), 0);
}

static uint32_t mode_of(const char *path)
{
    uint32_t mode;
    CHECK_EQUAL(syscall_lstat64(PATH(path), BUFFER), 0);
    memcpy(&mode, BUFFER_AT(16), sizeof(mode));
    return mode;
}

static uint32_t links_of(const char *path)
{
    uint32_t links;
    CHECK_EQUAL(syscall_lstat64(PATH(path), BUFFER), 0);
    memcpy(&links, BUFFER_AT(20), sizeof(links));
    return links;
}

TEST(files_are_written_and_read)
{
    file_machine_start(4096);
    make("/tmp/a", "hello");
    check_content("/tmp/a", "hello");
    int32_t descriptor = open_file("/tmp/a", O_WRONLY | O_APPEND);
    CHECK_EQUAL(write_text(descriptor, " world"), 6);
    CHECK_EQUAL(syscall_close((uint32_t)descriptor), 0);
    check_content("/tmp/a", "hello world");
    make("/tmp/a", "x");
    check_content("/tmp/a", "x");
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/a")), 0);
    file_machine_end();
}

/* Each row of a table: a call on a fresh tree, and its result. */
static void make_tree(void)
{
    CHECK_EQUAL(syscall_mkdir(PATH("/tmp/d"), 0755), 0);
    CHECK_EQUAL(syscall_mkdir(PATH("/tmp/d/full"), 0755), 0);
    CHECK_EQUAL(syscall_mkdir(PATH("/tmp/empty"), 0755), 0);
    make("/tmp/d/full/f", "content");
    make("/tmp/f", "file");
    CHECK_EQUAL(syscall_symlink(PATH("f"), OTHER("/tmp/link")), 0);
    CHECK_EQUAL(syscall_symlink(PATH("d"), OTHER("/tmp/dlink")), 0);
    CHECK_EQUAL(syscall_symlink(PATH("nowhere"), OTHER("/tmp/broken")), 0);
    CHECK_EQUAL(syscall_symlink(PATH("loop2"), OTHER("/tmp/loop1")), 0);
    CHECK_EQUAL(syscall_symlink(PATH("loop1"), OTHER("/tmp/loop2")), 0);
}

static void drop_tree(void)
{
    static const char *const files[] = {"/tmp/d/full/f", "/tmp/f",     "/tmp/link", "/tmp/dlink",
                                        "/tmp/broken",   "/tmp/loop1", "/tmp/loop2"};
    static const char *const directories[] = {"/tmp/d/full", "/tmp/d", "/tmp/empty"};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        CHECK_EQUAL(syscall_unlink(PATH(files[i])), 0);
    for (size_t i = 0; i < ARRAY_COUNT(directories); i++)
        CHECK_EQUAL(syscall_rmdir(PATH(directories[i])), 0);
}

static char long_name[NAME_MAX + 10], long_path[PATH_MAX + 10];

static void make_long_names(void)
{
    memset(long_name, 'n', sizeof(long_name) - 1);
    memcpy(long_name, "/tmp/", 5); /* 264 - 5 characters: too long a name */
    memset(long_path, '/', sizeof(long_path) - 1);
}

TEST(open_gives_the_errors_of_its_manual_page)
{
    static const struct {
        const char *path;
        uint32_t flags;
        int32_t result; /* 0: a descriptor */
    } cases[] = {
        {"/tmp/f", O_RDONLY, 0},
        {"/tmp/link", O_RDONLY, 0},
        {"/tmp/dlink/full/f", O_RDWR, 0},
        {"/tmp/f", O_CREAT | O_RDWR, 0},
        {"/tmp/../tmp/./f", O_RDONLY, 0},
        {"//tmp///f", O_RDONLY, 0},
        {"/../tmp/f", O_RDONLY, 0},
        {"/", O_RDONLY, 0},
        {"/tmp/d/", O_RDONLY | O_DIRECTORY, 0},
        {"", O_RDONLY, -ENOENT},
        {"/tmp/none", O_RDONLY, -ENOENT},
        {"/none/f", O_CREAT | O_RDWR, -ENOENT},
        {"/tmp/broken", O_RDONLY, -ENOENT},
        {"/tmp/f/", O_RDONLY, -ENOTDIR},
        {"/tmp/f/x", O_RDONLY, -ENOTDIR},
        {"/tmp/f/x", O_CREAT | O_RDWR, -ENOTDIR},
        {"/tmp/f", O_RDONLY | O_DIRECTORY, -ENOTDIR},
        {"/tmp/d", O_WRONLY, -EISDIR},
        {"/tmp/d", O_RDWR, -EISDIR},
        {"/tmp/d", O_CREAT | O_RDWR, -EISDIR},
        {"/tmp/new/", O_CREAT | O_RDWR, -EISDIR},
        {"/tmp/f", O_CREAT | O_EXCL | O_RDWR, -EEXIST},
        {"/tmp/link", O_CREAT | O_EXCL | O_RDWR, -EEXIST},
        {"/tmp/broken", O_CREAT | O_EXCL | O_RDWR, -EEXIST},
        {"/tmp/link", O_RDONLY | O_NOFOLLOW, -ELOOP},
        {"/tmp/loop1", O_RDONLY, -ELOOP},
        {"/tmp/loop1", O_CREAT | O_RDWR, -ELOOP},
        {"/tmp/loop1/x", O_RDONLY, -ELOOP},
        {"/tmp/link", O_PATH | O_NOFOLLOW, 0},
        {long_name, O_RDONLY, -ENAMETOOLONG},
        {long_name, O_CREAT | O_RDWR, -ENAMETOOLONG},
        {long_path, O_RDONLY, -ENAMETOOLONG},
        {"/tmp", O_TMPFILE | O_RDWR, -EOPNOTSUPP},
        {"/proc/nothing", O_CREAT | O_RDWR, -EACCES},
        {"/proc/version", O_RDWR, -EACCES},
        {"/dev/tty", O_RDONLY, -ENXIO},
    };
    make_long_names();
    file_machine_start(4096);
    machine_session = 0;
    make_tree();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int32_t result = open_file(cases[i].path, cases[i].flags);
        if (result >= 0 ? cases[i].result != 0 : result != cases[i].result)
            test_fail(__FILE__, __LINE__, "open(\"%.40s\", 0%o) is %d, not %d", cases[i].path,
                      cases[i].flags, result, cases[i].result);
        if (result >= 0)
            CHECK_EQUAL(syscall_close((uint32_t)result), 0);
    }
    CHECK_EQUAL(syscall_open(BAD, O_RDONLY, 0), -EFAULT);
    /* A link to nothing is created through. */
    make("/tmp/broken", "made");
    check_content("/tmp/nowhere", "made");
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/nowhere")), 0);
    drop_tree();
    file_machine_end();
}

TEST(names_change_with_the_errors_of_their_manual_pages)
{
    enum call { MKDIR, RMDIR, UNLINK, LINK, RENAME, SYMLINK, NOREPLACE, EXCHANGE };
    static const struct {
        enum call call;
        const char *first, *second;
        int32_t result;
    } cases[] = {
        {MKDIR, "/tmp/d", NULL, -EEXIST},
        {MKDIR, "/tmp/f", NULL, -EEXIST},
        {MKDIR, "/tmp/broken", NULL, -EEXIST},
        {MKDIR, "/", NULL, -EEXIST},
        {MKDIR, "/tmp/.", NULL, -EEXIST},
        {MKDIR, "/none/x", NULL, -ENOENT},
        {MKDIR, "", NULL, -ENOENT},
        {MKDIR, "/tmp/f/x", NULL, -ENOTDIR},
        {MKDIR, long_name, NULL, -ENAMETOOLONG},
        {MKDIR, "/proc/x", NULL, -EPERM},
        {RMDIR, "/tmp/d", NULL, -ENOTEMPTY},
        {RMDIR, "/tmp/f", NULL, -ENOTDIR},
        {RMDIR, "/tmp/dlink", NULL, -ENOTDIR},
        {RMDIR, "/tmp/none", NULL, -ENOENT},
        {RMDIR, "/tmp/empty/.", NULL, -EINVAL},
        {RMDIR, "/tmp/empty/..", NULL, -ENOTEMPTY},
        {RMDIR, "/", NULL, -EBUSY},
        {RMDIR, "/proc", NULL, -EBUSY},
        {UNLINK, "/tmp/d", NULL, -EISDIR},
        {UNLINK, "/tmp/none", NULL, -ENOENT},
        {UNLINK, "/tmp/f/", NULL, -ENOTDIR},
        {UNLINK, "/tmp/f/x", NULL, -ENOTDIR},
        {UNLINK, "/", NULL, -EISDIR},
        {UNLINK, "/proc/version", NULL, -EPERM},
        {LINK, "/tmp/f", "/tmp/link", -EEXIST},
        {LINK, "/tmp/none", "/tmp/x", -ENOENT},
        {LINK, "/tmp/d", "/tmp/x", -EPERM},
        {LINK, "/tmp/f", "/none/x", -ENOENT},
        {LINK, "/tmp/f", "/proc/x", -EXDEV},
        {LINK, "/proc/version", "/tmp/x", -EXDEV},
        {SYMLINK, "x", "/tmp/f", -EEXIST},
        {SYMLINK, "", "/tmp/x", -ENOENT},
        {SYMLINK, "x", "/tmp/f/x", -ENOTDIR},
        {RENAME, "/tmp/none", "/tmp/x", -ENOENT},
        {RENAME, "/tmp/f", "/none/x", -ENOENT},
        {RENAME, "/tmp/f", "/tmp/d", -EISDIR},
        {RENAME, "/tmp/d", "/tmp/f", -ENOTDIR},
        {RENAME, "/tmp/empty", "/tmp/d", -ENOTEMPTY},
        {RENAME, "/tmp/d", "/tmp/d/full/x", -EINVAL},
        {RENAME, "/tmp/d", "/tmp/d/x", -EINVAL},
        {RENAME, "/tmp/f", "/tmp/f", 0},
        {RENAME, "/tmp/d", "/tmp/d", 0},
        {RENAME, "/tmp/d", "/tmp/.", -EBUSY},
        {RENAME, "/tmp/f/", "/tmp/x", -ENOTDIR},
        {RENAME, "/tmp/f", "/proc/x", -EXDEV},
        {RENAME, "/proc", "/tmp/x", -EBUSY},
        {NOREPLACE, "/tmp/f", "/tmp/link", -EEXIST},
        {EXCHANGE, "/tmp/f", "/tmp/none", -ENOENT},
        {EXCHANGE, "/tmp/d", "/tmp/d/full", -EINVAL},
        {EXCHANGE, "/tmp/d/full", "/tmp/d", -EINVAL},
    };
    make_long_names();
    file_machine_start(4096);
    make_tree();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint32_t first = PATH(cases[i].first);
        uint32_t second = cases[i].second == NULL ? 0 : OTHER(cases[i].second);
        int32_t result = 0;
        switch (cases[i].call) {
        case MKDIR:
            result = syscall_mkdir(first, 0755);
            break;
        case RMDIR:
            result = syscall_rmdir(first);
            break;
        case UNLINK:
            result = syscall_unlink(first);
            break;
        case LINK:
            result = syscall_link(first, second);
            break;
        case RENAME:
            result = syscall_rename(first, second);
            break;
        case SYMLINK:
            result = syscall_symlink(first, second);
            break;
        case NOREPLACE:
            result = syscall_renameat2(HERE, first, HERE, second, RENAME_NOREPLACE);
            break;
        case EXCHANGE:
            result = syscall_renameat2(HERE, first, HERE, second, RENAME_EXCHANGE);
            break;
        }
        if (result != cases[i].result)
            test_fail(__FILE__, __LINE__, "row %zu (%.30s, %.30s) is %d, not %d", i, cases[i].first,
                      cases[i].second == NULL ? "" : cases[i].second, result, cases[i].result);
        file_machine_check();
    }
    CHECK_EQUAL(syscall_renameat2(HERE, PATH("/tmp/f"), HERE, OTHER("/tmp/x"), 4), -EINVAL);
    drop_tree();
    file_machine_end();
}

TEST(rename_moves_and_replaces)
{
    file_machine_start(4096);
    make_tree();
    make("/tmp/g", "other");
    CHECK_EQUAL(syscall_rename(PATH("/tmp/f"), OTHER("/tmp/g")), 0);
    check_content("/tmp/g", "file");
    CHECK_EQUAL(syscall_access(PATH("/tmp/f"), 0), -ENOENT);
    CHECK_EQUAL(syscall_rename(PATH("/tmp/g"), OTHER("/tmp/f")), 0);
    /* A directory onto an empty one; its ".." follows. */
    CHECK_EQUAL(links_of("/tmp"), 4);
    CHECK_EQUAL(links_of("/tmp/d"), 3);
    CHECK_EQUAL(syscall_rename(PATH("/tmp/d/full"), OTHER("/tmp/empty")), 0);
    CHECK_EQUAL(links_of("/tmp/d"), 2);
    CHECK_EQUAL(links_of("/tmp"), 4);
    check_content("/tmp/empty/../empty/f", "content");
    CHECK_EQUAL(syscall_rename(PATH("/tmp/empty"), OTHER("/tmp/d/full")), 0);
    CHECK_EQUAL(syscall_mkdir(PATH("/tmp/empty"), 0755), 0);
    file_machine_check();
    /* Two of different kinds change places. */
    CHECK_EQUAL(
        syscall_renameat2(HERE, PATH("/tmp/d/full"), HERE, OTHER("/tmp/f"), RENAME_EXCHANGE), 0);
    check_content("/tmp/f/f", "content");
    check_content("/tmp/d/full", "file");
    file_machine_check();
    CHECK_EQUAL(
        syscall_renameat2(HERE, PATH("/tmp/d/full"), HERE, OTHER("/tmp/f"), RENAME_EXCHANGE), 0);
    drop_tree();
    file_machine_end();
}

TEST(hard_links_share_and_unlinked_files_live_while_they_are_open)
{
    file_machine_start(4096);
    make("/tmp/f", "one");
    CHECK_EQUAL(syscall_link(PATH("/tmp/f"), OTHER("/tmp/g")), 0);
    CHECK_EQUAL(links_of("/tmp/f"), 2);
    make("/tmp/g", "two");
    check_content("/tmp/f", "two");
    int32_t descriptor = open_file("/tmp/f", O_RDWR);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/f")), 0);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/g")), 0);
    CHECK_EQUAL(syscall_read((uint32_t)descriptor, BUFFER, 10), 3);
    CHECK_EQUAL(write_text(descriptor, "!"), 1);
    CHECK_EQUAL(syscall_fstat64((uint32_t)descriptor, BUFFER), 0);
    CHECK_EQUAL(BUFFER_AT(20)[0], 0);
    file_machine_check();
    CHECK_EQUAL(syscall_close((uint32_t)descriptor), 0);
    file_machine_end();
}

TEST(sizes_grow_shrink_and_show_zeros)
{
    file_machine_start(4096);
    int32_t descriptor = open_file("/tmp/f", O_CREAT | O_RDWR);
    uint32_t at = (uint32_t)descriptor;
    CHECK_EQUAL(syscall_pwrite64(at, user_text(0x8000, "end"), 3, 10000, 0), 3);
    CHECK_EQUAL(syscall_lseek(at, 0, SEEK_END), 10003);
    memset(BUFFER_AT(0), 0xAA, 0x3000);
    CHECK_EQUAL(syscall_pread64(at, BUFFER, 0x3000, 0, 0), 10003);
    for (unsigned i = 0; i < 10000; i++)
        CHECK_EQUAL(*BUFFER_AT(i), 0);
    CHECK_EQUAL(*BUFFER_AT(10003), 0xAA);
    /* What was cut off does not come back. */
    CHECK_EQUAL(syscall_ftruncate(at, 10001), 0);
    CHECK_EQUAL(syscall_ftruncate(at, 20000), 0);
    CHECK_EQUAL(syscall_pread64(at, BUFFER, 100, 10000, 0), 100);
    CHECK(*BUFFER_AT(0) == 'e' && *BUFFER_AT(1) == 0 && *BUFFER_AT(2) == 0);
    CHECK_EQUAL(syscall_ftruncate(at, 0), 0);
    CHECK_EQUAL(syscall_pread64(at, BUFFER, 100, 0, 0), 0);
    CHECK_EQUAL(syscall_ftruncate(at, (uint32_t)-1), -EINVAL);
    CHECK_EQUAL(syscall_ftruncate64(at, 0, 0x10000), -EFBIG);
    CHECK_EQUAL(syscall_pwrite64(at, BUFFER, 1, 0, 0x10000), -EFBIG);
    CHECK_EQUAL(syscall_pread64(at, BUFFER, 1, 0, 0x80000000), -EINVAL);
    CHECK_EQUAL(syscall_close(at), 0);
    CHECK_EQUAL(syscall_ftruncate(at, 0), -EBADF);
    CHECK_EQUAL(syscall_truncate(PATH("/tmp/f"), 100), 0);
    CHECK_EQUAL(syscall_truncate(PATH("/tmp"), 0), -EISDIR);
    CHECK_EQUAL(syscall_truncate(PATH("/dev/null"), 0), -EINVAL);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/f")), 0);
    file_machine_end();
}

TEST(no_file_grows_beyond_the_limit)
{
    file_machine_start(4096);
    uint32_t at = (uint32_t)open_file("/tmp/f", O_CREAT | O_RDWR);
    machine_file_limit = 10;
    machine_caller_signal = 0;
    CHECK_EQUAL(syscall_write(at, BUFFER, 7), 7);
    CHECK_EQUAL(syscall_write(at, BUFFER, 7), 3); /* what still fits */
    CHECK_EQUAL(machine_caller_signal, 0);
    CHECK_EQUAL(syscall_write(at, BUFFER, 7), -EFBIG);
    CHECK_EQUAL(machine_caller_signal, SIGXFSZ);
    machine_caller_signal = 0;
    CHECK_EQUAL(syscall_ftruncate(at, 11), -EFBIG);
    CHECK_EQUAL(machine_caller_signal, SIGXFSZ);
    machine_caller_signal = 0;
    CHECK_EQUAL(syscall_write(at, BUFFER, 0), 0);
    CHECK_EQUAL(syscall_pwrite64(at, BUFFER, 3, 4, 0), 3); /* inside */
    machine_file_limit = 5;
    CHECK_EQUAL(syscall_ftruncate(at, 8), 0); /* shrinking may leave more than the limit */
    CHECK_EQUAL(machine_caller_signal, 0);
    machine_file_limit = UINT64_MAX;
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/f")), 0);
    CHECK_EQUAL(syscall_close(at), 0);
    file_machine_end();
}

/* A model of one file's bytes, and random calls. */
TEST(random_calls_agree_with_a_model)
{
    enum { MODEL_BYTES = 60000 };
    static uint8_t model[MODEL_BYTES];
    uint32_t size = 0;
    file_machine_start(4096);
    memset(model, 0, sizeof(model));
    uint32_t at = (uint32_t)open_file("/tmp/f", O_CREAT | O_RDWR);
    for (unsigned step = 0; step < 4000; step++) {
        uint32_t position = test_random_range(0, MODEL_BYTES - 1);
        uint32_t bytes =
            test_random_range(0, 1) ? test_random_range(0, 100) : test_random_range(0, 10000);
        if (bytes > MODEL_BYTES - position)
            bytes = MODEL_BYTES - position;
        switch (test_random_range(0, 5)) {
        case 0:
            CHECK_EQUAL(syscall_ftruncate(at, position), 0);
            if (position < size)
                memset(model + position, 0, size - position);
            size = position;
            break;
        case 1:
        case 2:
            for (uint32_t i = 0; i < bytes; i++)
                *BUFFER_AT(i) = (uint8_t)test_random();
            memcpy(model + position, BUFFER_AT(0), bytes);
            CHECK_EQUAL(syscall_pwrite64(at, BUFFER, bytes, position, 0), bytes);
            if (bytes > 0 && position + bytes > size)
                size = position + bytes;
            break;
        default: {
            uint32_t expected = position >= size          ? 0
                                : size - position < bytes ? size - position
                                                          : bytes;
            CHECK_EQUAL(syscall_pread64(at, BUFFER, bytes, position, 0), expected);
            CHECK(memcmp(BUFFER_AT(0), model + position, expected) == 0);
        }
        }
        if (step % 100 == 0)
            file_machine_check();
    }
    CHECK_EQUAL(syscall_close(at), 0);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/f")), 0);
    file_machine_end();
}

TEST(a_full_file_system_says_so_and_takes_what_fits)
{
    file_machine_start(4096);
    uint32_t at = (uint32_t)open_file("/tmp/f", O_CREAT | O_RDWR);
    machine_leave_chargeable(4); /* of which the heap may take some for the file's own records */
    memset(BUFFER_AT(0), 'x', 20000);
    int32_t written = syscall_write(at, BUFFER, 20000);
    CHECK(written >= 2 * 4096 && written <= 4 * 4096 && written % 4096 == 0);
    CHECK_EQUAL(syscall_write(at, BUFFER, 1), -ENOSPC);
    CHECK_EQUAL(syscall_ftruncate(at, 50000), -ENOSPC);
    file_machine_check();
    uint32_t before = commit_charged_pages();
    CHECK_EQUAL(syscall_ftruncate(at, 100), 0);
    CHECK_EQUAL(before - commit_charged_pages(), (uint32_t)written / 4096 - 1);
    CHECK_EQUAL(syscall_close(at), 0);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/f")), 0);
    machine_leave_chargeable(UINT32_MAX);
    file_machine_end();
}

TEST(bad_buffers_are_errors_and_leave_files_whole)
{
    file_machine_start(4096);
    uint32_t at = (uint32_t)open_file("/tmp/f", O_CREAT | O_RDWR);
    CHECK_EQUAL(syscall_write(at, BAD, 10), -EFAULT);
    CHECK_EQUAL(syscall_write(at, BAD, 0), 0);
    /* The part before the end of user memory arrives. */
    CHECK_EQUAL(syscall_write(at, USER_BASE + USER_BYTES - 5, 5000), 5);
    CHECK_EQUAL(syscall_lseek(at, 0, SEEK_SET), 0);
    CHECK_EQUAL(syscall_read(at, BAD, 10), -EFAULT);
    CHECK_EQUAL(syscall_read(at, BUFFER, 10), 5);
    CHECK_EQUAL(syscall_read(77, BUFFER, 10), -EBADF);
    CHECK_EQUAL(syscall_lseek(at, 0, 9), -EINVAL);
    CHECK_EQUAL(syscall_lseek(at, (uint32_t)-1, SEEK_SET), -EINVAL);
    CHECK_EQUAL(syscall__llseek(at, 1, 0, BUFFER, SEEK_SET), 0);
    CHECK_EQUAL(syscall_lseek(at, 0, SEEK_CUR), -EOVERFLOW);
    CHECK_EQUAL(syscall_close(at), 0);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/f")), 0);
    file_machine_end();
}

TEST(vectors_move_pieces_in_order)
{
    static const struct {
        uint32_t base, bytes;
    } pieces[] = {{BUFFER, 3}, {BUFFER + 100, 0}, {BUFFER + 200, 5}},
      too_long[] = {{BUFFER, 0x80000000}};
    file_machine_start(4096);
    uint32_t at = (uint32_t)open_file("/tmp/f", O_CREAT | O_RDWR), vector = USER_BASE + 0x9000;
    memcpy(machine_user + 0x9000, pieces, sizeof(pieces));
    memcpy(BUFFER_AT(0), "abc", 3);
    memcpy(BUFFER_AT(200), "defgh", 5);
    CHECK_EQUAL(syscall_writev(at, vector, 3), 8);
    check_content("/tmp/f", "abcdefgh");
    memset(BUFFER_AT(0), 0, 300);
    CHECK_EQUAL(syscall_preadv(at, vector, 3, 1, 0), 7);
    CHECK(memcmp(BUFFER_AT(0), "bcd", 3) == 0 && memcmp(BUFFER_AT(200), "efgh", 4) == 0);
    CHECK_EQUAL(syscall_writev(at, vector, 0), 0);
    CHECK_EQUAL(syscall_writev(at, vector, 1025), -EINVAL);
    CHECK_EQUAL(syscall_writev(at, BAD, 1), -EFAULT);
    memcpy(machine_user + 0x9000, too_long, sizeof(too_long));
    CHECK_EQUAL(syscall_writev(at, vector, 1), -EINVAL);
    CHECK_EQUAL(syscall_close(at), 0);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/f")), 0);
    file_machine_end();
}

static unsigned list(const char *path, char *names, uint32_t buffer_bytes)
{
    uint32_t at = (uint32_t)open_file(path, O_RDONLY | O_DIRECTORY);
    unsigned count = 0;
    int32_t bytes;
    names[0] = '\0';
    while ((bytes = syscall_getdents64(at, BUFFER, buffer_bytes)) > 0)
        for (int32_t offset = 0; offset < bytes;) {
            uint16_t length;
            memcpy(&length, BUFFER_AT(offset + 16), sizeof(length));
            strcat(strcat(names, (const char *)BUFFER_AT(offset + 19)), " ");
            offset += length;
            count++;
        }
    CHECK_EQUAL(bytes, 0);
    CHECK_EQUAL(syscall_close(at), 0);
    return count;
}

TEST(directories_are_read_whole_whatever_the_buffer)
{
    static char names[8192];
    char path[32];
    file_machine_start(4096);
    CHECK_EQUAL(syscall_mkdir(PATH("/tmp/d"), 0755), 0);
    CHECK_EQUAL(list("/tmp/d", names, 64), 2);
    CHECK(strcmp(names, ". .. ") == 0);
    for (unsigned i = 0; i < 300; i++) {
        snprintf(path, sizeof(path), "/tmp/d/file%u", i);
        make(path, "");
    }
    CHECK_EQUAL(list("/tmp/d", names, 4096), 302);
    CHECK_EQUAL(list("/tmp/d", names, 32), 302);
    CHECK(strstr(names, "file0 ") != NULL && strstr(names, "file299 ") != NULL);
    uint32_t at = (uint32_t)open_file("/tmp/d", O_RDONLY);
    CHECK_EQUAL(syscall_getdents64(at, BUFFER, 10), -EINVAL);
    CHECK_EQUAL(syscall_read(at, BUFFER, 10), -EISDIR);
    CHECK_EQUAL(syscall_getdents64(99, BUFFER, 10), -EBADF);
    /* Those that are removed while it is read are not in the way. */
    unsigned removed = 0;
    while (syscall_getdents64(at, BUFFER, 256) > 0)
        for (unsigned i = 0; i < 3 && removed < 300; i++) {
            snprintf(path, sizeof(path), "/tmp/d/file%u", removed++);
            CHECK_EQUAL(syscall_unlink(PATH(path)), 0);
        }
    CHECK_EQUAL(syscall_close(at), 0);
    for (; removed < 300; removed++) {
        snprintf(path, sizeof(path), "/tmp/d/file%u", removed);
        CHECK_EQUAL(syscall_unlink(PATH(path)), 0);
    }
    CHECK_EQUAL(syscall_rmdir(PATH("/tmp/d")), 0);
    file_machine_end();
}

TEST(working_directories_and_their_paths)
{
    file_machine_start(4096);
    CHECK_EQUAL(syscall_getcwd(BUFFER, 100), 2);
    CHECK(strcmp((char *)BUFFER_AT(0), "/") == 0);
    CHECK_EQUAL(syscall_mkdir(PATH("/tmp/deep"), 0755), 0);
    CHECK_EQUAL(syscall_mkdir(PATH("/tmp/deep/er"), 0755), 0);
    CHECK_EQUAL(syscall_chdir(PATH("/tmp/deep/er")), 0);
    CHECK_EQUAL(syscall_getcwd(BUFFER, 100), 13);
    CHECK(strcmp((char *)BUFFER_AT(0), "/tmp/deep/er") == 0);
    CHECK_EQUAL(syscall_getcwd(BUFFER, 12), -ERANGE);
    CHECK_EQUAL(syscall_getcwd(BAD, 100), -EFAULT);
    make("x", "relative");
    check_content("/tmp/deep/er/x", "relative");
    check_content("../er/x", "relative");
    CHECK_EQUAL(syscall_chdir(PATH("x")), -ENOTDIR);
    CHECK_EQUAL(syscall_unlink(PATH("x")), 0);
    CHECK_EQUAL(syscall_rmdir(PATH("/tmp/deep/er")), 0);
    CHECK_EQUAL(syscall_getcwd(BUFFER, 100), -ENOENT);
    CHECK_EQUAL(open_file("new", O_CREAT | O_RDWR), -ENOENT);
    CHECK_EQUAL(syscall_chdir(PATH("..")), -ENOENT);
    int32_t at = open_file("/tmp/deep", O_RDONLY);
    CHECK_EQUAL(syscall_fchdir((uint32_t)at), 0);
    /* Paths that begin at a descriptor. */
    CHECK_EQUAL(syscall_mkdirat((uint32_t)at, PATH("sub"), 0700), 0);
    CHECK_EQUAL(mode_of("/tmp/deep/sub"), S_IFDIR | 0700);
    CHECK_EQUAL(syscall_unlinkat((uint32_t)at, PATH("sub"), AT_REMOVEDIR), 0);
    CHECK_EQUAL(syscall_mkdirat(99, PATH("sub"), 0700), -EBADF);
    CHECK_EQUAL(syscall_fstatat64((uint32_t)at, PATH(""), BUFFER, AT_EMPTY_PATH), 0);
    CHECK_EQUAL(syscall_fstatat64((uint32_t)at, PATH(""), BUFFER, 0), -ENOENT);
    CHECK_EQUAL(syscall_chroot(PATH("/tmp/deep")), 0);
    CHECK_EQUAL(syscall_getcwd(BUFFER, 100), 2);
    CHECK_EQUAL(syscall_access(PATH("/../tmp"), 0), -ENOENT);
    CHECK_EQUAL(syscall_close((uint32_t)at), 0);
    path_context_drop(machine_paths);
    machine_paths = path_context_create();
    CHECK_EQUAL(syscall_rmdir(PATH("/tmp/deep")), 0);
    file_machine_end();
}

TEST(what_stat_says_and_what_changes_it)
{
    file_machine_start(4096);
    make("/tmp/f", "12345");
    CHECK_EQUAL(mode_of("/tmp/f"), S_IFREG | 0644);
    CHECK_EQUAL(syscall_umask(077), 022);
    make("/tmp/g", "");
    CHECK_EQUAL(mode_of("/tmp/g"), S_IFREG | 0600);
    CHECK_EQUAL(syscall_chmod(PATH("/tmp/f"), 04755), 0);
    CHECK_EQUAL(mode_of("/tmp/f"), S_IFREG | 04755);
    CHECK_EQUAL(syscall_chown32(PATH("/tmp/f"), 7, UINT32_MAX), 0);
    CHECK_EQUAL(mode_of("/tmp/f"), S_IFREG | 0755);
    uint32_t word, size[2];
    CHECK_EQUAL(syscall_stat64(PATH("/tmp/f"), BUFFER), 0);
    memcpy(&word, BUFFER_AT(24), 4);
    CHECK_EQUAL(word, 7);
    memcpy(size, BUFFER_AT(44), 8);
    CHECK(size[0] == 5 && size[1] == 0);
    CHECK_EQUAL(syscall_access(PATH("/tmp/f"), 7), 0);
    CHECK_EQUAL(syscall_access(PATH("/tmp/g"), 6), 0);
    CHECK_EQUAL(syscall_access(PATH("/tmp/g"), 1), -EACCES);
    CHECK_EQUAL(syscall_access(PATH("/tmp/g"), 8), -EINVAL);
    int32_t times[4] = {1000, 5, 2000, 6};
    memcpy(machine_user + 0x9000, times, sizeof(times));
    CHECK_EQUAL(syscall_utimensat(HERE, PATH("/tmp/f"), USER_BASE + 0x9000, 0), 0);
    CHECK_EQUAL(syscall_stat64(PATH("/tmp/f"), BUFFER), 0);
    memcpy(times, BUFFER_AT(64), sizeof(times));
    CHECK(times[0] == 1000 && times[1] == 5 && times[2] == 2000 && times[3] == 6);
    times[1] = 1000000000;
    memcpy(machine_user + 0x9000, times, sizeof(times));
    CHECK_EQUAL(syscall_utimensat(HERE, PATH("/tmp/f"), USER_BASE + 0x9000, 0), -EINVAL);
    CHECK_EQUAL(syscall_utimensat(HERE, PATH("/tmp/f"), BAD, 0), -EFAULT);
    CHECK_EQUAL(syscall_utimensat(HERE, PATH("/tmp/f"), 0, 1), -EINVAL);
    CHECK_EQUAL(syscall_statx(HERE, PATH("/tmp/f"), 0, 0x7FF, BUFFER), 0);
    memcpy(size, BUFFER_AT(40), 8);
    CHECK_EQUAL(size[0], 5);
    CHECK_EQUAL(syscall_statx(HERE, PATH("/tmp/f"), 1, 0x7FF, BUFFER), -EINVAL);
    CHECK_EQUAL(syscall_stat64(PATH("/tmp/f"), BAD), -EFAULT);
    CHECK_EQUAL(syscall_chmod(PATH("/proc/version"), 0), -EPERM);
    CHECK_EQUAL(syscall_statfs64(PATH("/tmp"), 84, BUFFER), 0);
    memcpy(&word, BUFFER_AT(0), 4);
    CHECK_EQUAL(word, 0x01021994);
    CHECK_EQUAL(syscall_statfs64(PATH("/tmp"), 80, BUFFER), -EINVAL);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/f")), 0);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/g")), 0);
    file_machine_end();
}

TEST(descriptors_are_the_lowest_and_close_on_exec)
{
    file_machine_start(4096);
    CHECK_EQUAL(open_file("/dev/null", O_RDWR), 0);
    CHECK_EQUAL(syscall_dup(0), 1);
    CHECK_EQUAL(syscall_dup2(0, 40), 40);
    CHECK_EQUAL(syscall_dup2(0, 0), 0);
    CHECK_EQUAL(syscall_dup2(9, 9), -EBADF);
    CHECK_EQUAL(syscall_dup2(0, 1024), -EBADF);
    CHECK_EQUAL(syscall_dup3(0, 0, 0), -EINVAL);
    CHECK_EQUAL(syscall_dup3(0, 5, O_CLOEXEC), 5);
    CHECK_EQUAL(syscall_fcntl64(0, F_DUPFD, 3), 3);
    CHECK_EQUAL(syscall_fcntl64(0, F_DUPFD, 1024), -EINVAL);
    CHECK_EQUAL(syscall_fcntl64(0, F_DUPFD_CLOEXEC, 3), 4);
    CHECK_EQUAL(syscall_fcntl64(4, F_GETFD, 0), FD_CLOEXEC);
    CHECK_EQUAL(syscall_fcntl64(4, F_SETFD, 0), 0);
    CHECK_EQUAL(syscall_fcntl64(4, F_GETFD, 0), 0);
    CHECK_EQUAL(syscall_fcntl64(0, F_GETFL, 0), O_RDWR);
    CHECK_EQUAL(syscall_fcntl64(0, F_SETFL, O_NONBLOCK | O_CREAT), 0);
    CHECK_EQUAL(syscall_fcntl64(1, F_GETFL, 0), O_RDWR | O_NONBLOCK);
    CHECK_EQUAL(syscall_fcntl64(0, 999, 0), -EINVAL);
    CHECK_EQUAL(syscall_close(1), 0);
    CHECK_EQUAL(open_file("/dev/zero", O_RDONLY), 1);
    struct file_table *clone = file_table_clone(machine_files);
    file_table_close_on_exec(clone);
    CHECK_EQUAL(file_table_get_flags(clone, 5), -EBADF);
    CHECK_EQUAL(file_table_get_flags(clone, 4), 0);
    CHECK_EQUAL(file_table_get_flags(clone, 40), 0);
    file_table_drop(clone);
    file_table_set_limit(machine_files, 6);
    CHECK_EQUAL(syscall_dup(0), 2);
    CHECK_EQUAL(syscall_dup(0), -EMFILE);
    CHECK_EQUAL(syscall_close(40), 0);
    CHECK_EQUAL(syscall_close(40), -EBADF);
    file_machine_end();
}

TEST(thousands_of_descriptors)
{
    file_machine_start(4096);
    file_table_set_limit(machine_files, 4096);
    for (int32_t i = 0; i < 4096; i++)
        CHECK_EQUAL(open_file("/dev/null", O_RDWR), i);
    CHECK_EQUAL(open_file("/dev/null", O_RDWR), -EMFILE);
    CHECK_EQUAL(syscall_close(777), 0);
    CHECK_EQUAL(open_file("/dev/null", O_RDWR), 777);
    file_machine_end();
}

TEST(devices_do_what_they_are_called)
{
    file_machine_start(4096);
    uint32_t null = (uint32_t)open_file("/dev/null", O_RDWR);
    uint32_t zero = (uint32_t)open_file("/dev/zero", O_RDWR);
    uint32_t full = (uint32_t)open_file("/dev/full", O_RDWR);
    uint32_t random = (uint32_t)open_file("/dev/urandom", O_RDWR);
    CHECK_EQUAL(syscall_read(null, BUFFER, 100), 0);
    CHECK_EQUAL(syscall_write(null, BUFFER, 100), 100);
    memset(BUFFER_AT(0), 1, 200);
    CHECK_EQUAL(syscall_read(zero, BUFFER, 100), 100);
    CHECK(*BUFFER_AT(99) == 0 && *BUFFER_AT(100) == 1);
    CHECK_EQUAL(syscall_write(full, BUFFER, 100), -ENOSPC);
    CHECK_EQUAL(syscall_read(random, BUFFER, 1000), 1000);
    CHECK_EQUAL(syscall_read(random, BUFFER + 1000, 1000), 1000);
    CHECK(memcmp(BUFFER_AT(0), BUFFER_AT(1000), 1000) != 0);
    CHECK_EQUAL(syscall_getrandom(BUFFER, 300, 0), 300);
    CHECK_EQUAL(syscall_getrandom(BUFFER, 300, 8), -EINVAL);
    CHECK_EQUAL(syscall_getrandom(BAD, 300, 0), -EFAULT);
    CHECK_EQUAL(syscall_ioctl(null, TCGETS, BUFFER), -ENOTTY);
    CHECK_EQUAL(syscall_mknod(PATH("/tmp/odd"), S_IFCHR | 0600, DEVICE_NUMBER(99, 1)), 0);
    CHECK_EQUAL(open_file("/tmp/odd", O_RDWR), -ENXIO);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/odd")), 0);
    file_machine_end();
}

TEST(locks_of_processes_conflict_split_and_end)
{
    struct {
        int16_t type, whence;
        int32_t start, bytes, process;
    } lock = {F_WRLCK, SEEK_SET, 10, 10, 0};
    file_machine_start(4096);
    uint32_t at = (uint32_t)open_file("/tmp/f", O_CREAT | O_RDWR), user = USER_BASE + 0x9000;
    struct file_table *mine = machine_files, *other = file_table_clone(mine);
    memcpy(machine_user + 0x9000, &lock, sizeof(lock));
    CHECK_EQUAL(syscall_fcntl64(at, F_SETLK, user), 0);
    machine_files = other;
    CHECK_EQUAL(syscall_fcntl64(at, F_SETLK, user), -EAGAIN);
    CHECK_EQUAL(syscall_fcntl64(at, F_SETLKW, user), -512); /* a signal: made again */
    CHECK_EQUAL(syscall_fcntl64(at, F_GETLK, user), 0);
    memcpy(&lock, machine_user + 0x9000, sizeof(lock));
    CHECK(lock.type == F_WRLCK && lock.start == 10 && lock.bytes == 10 && lock.process == 1);
    /* The middle is opened: two remain. */
    machine_files = mine;
    lock = (__typeof__(lock)){F_UNLCK, SEEK_SET, 13, 2, 0};
    memcpy(machine_user + 0x9000, &lock, sizeof(lock));
    CHECK_EQUAL(syscall_fcntl64(at, F_SETLK, user), 0);
    machine_files = other;
    lock = (__typeof__(lock)){F_WRLCK, SEEK_SET, 13, 2, 0};
    memcpy(machine_user + 0x9000, &lock, sizeof(lock));
    CHECK_EQUAL(syscall_fcntl64(at, F_SETLK, user), 0);
    lock.bytes = 3;
    memcpy(machine_user + 0x9000, &lock, sizeof(lock));
    CHECK_EQUAL(syscall_fcntl64(at, F_SETLK, user), -EAGAIN);
    lock.whence = 7;
    memcpy(machine_user + 0x9000, &lock, sizeof(lock));
    CHECK_EQUAL(syscall_fcntl64(at, F_SETLK, user), -EINVAL);
    /* Closing any descriptor of the file ends them. */
    machine_files = mine;
    CHECK_EQUAL(syscall_close((uint32_t)syscall_dup(at)), 0);
    machine_files = other;
    lock = (__typeof__(lock)){F_WRLCK, SEEK_SET, 0, 0, 0};
    memcpy(machine_user + 0x9000, &lock, sizeof(lock));
    CHECK_EQUAL(syscall_fcntl64(at, F_SETLK, user), 0);
    machine_files = mine;
    file_table_drop(other);
    CHECK_EQUAL(syscall_flock(at, LOCK_EX), 0);
    uint32_t again = (uint32_t)open_file("/tmp/f", O_RDWR);
    CHECK_EQUAL(syscall_flock(again, LOCK_SH | LOCK_NB), -EAGAIN);
    CHECK_EQUAL(syscall_flock(at, LOCK_UN), 0);
    CHECK_EQUAL(syscall_flock(again, LOCK_SH | LOCK_NB), 0);
    CHECK_EQUAL(syscall_flock(at, LOCK_SH | LOCK_NB), 0);
    CHECK_EQUAL(syscall_flock(at, 9), -EINVAL);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/f")), 0);
    file_machine_end();
}

TEST(sendfile_copies_between_files)
{
    file_machine_start(4096);
    uint32_t in = (uint32_t)open_file("/tmp/in", O_CREAT | O_RDWR);
    uint32_t out = (uint32_t)open_file("/tmp/out", O_CREAT | O_RDWR);
    for (unsigned i = 0; i < 10000; i++)
        *BUFFER_AT(i) = (uint8_t)(i * 7);
    CHECK_EQUAL(syscall_write(in, BUFFER, 10000), 10000);
    uint32_t offset = 5;
    memcpy(machine_user + 0x9000, &offset, sizeof(offset));
    CHECK_EQUAL(syscall_sendfile(out, in, USER_BASE + 0x9000, 100000), 9995);
    memcpy(&offset, machine_user + 0x9000, sizeof(offset));
    CHECK_EQUAL(offset, 10000);
    CHECK_EQUAL(syscall_pread64(out, BUFFER, 0x4000, 0, 0), 9995);
    for (unsigned i = 0; i < 9995; i++)
        CHECK_EQUAL(*BUFFER_AT(i), (uint8_t)((i + 5) * 7));
    CHECK_EQUAL(syscall_sendfile(out, 99, 0, 10), -EBADF);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/in")), 0);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/out")), 0);
    file_machine_end();
}

/* Every allocation fails once: the call says so and nothing is lost. */
TEST(memory_that_is_missing_is_an_error_and_loses_nothing)
{
    file_machine_start(600);
    uint32_t at = (uint32_t)open_file("/tmp/f", O_CREAT | O_RDWR);
    for (uint32_t left = 0; left < 40; left++) {
        char path[32];
        machine_hoard_frames(left);
        snprintf(path, sizeof(path), "/tmp/new%u", left);
        (void)!syscall_mkdir(PATH(path), 0755);
        if (open_file("/tmp/created", O_CREAT | O_RDWR) < 0)
            CHECK_EQUAL(syscall_access(PATH("/tmp/created"), 0), -ENOENT);
        (void)!syscall_unlink(PATH("/tmp/created"));
        for (uint32_t page = 0; page < 70; page += 7)
            (void)!syscall_pwrite64(at, BUFFER, 1, page * 4096, 0);
        (void)!syscall_ftruncate(at, 0);
        (void)!syscall_symlink(PATH("x"), OTHER("/tmp/symlink"));
        (void)!syscall_unlink(PATH("/tmp/symlink"));
        (void)!syscall_pipe(BUFFER + 0x1000);
        machine_return_frames();
        file_machine_check();
        (void)!syscall_rmdir(PATH(path));
        for (uint32_t descriptor = 1; descriptor < 10; descriptor++)
            (void)!syscall_close(descriptor);
    }
    CHECK_EQUAL(syscall_close(at), 0);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/f")), 0);
    file_machine_end();
}
