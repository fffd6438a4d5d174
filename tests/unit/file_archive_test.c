#include "kernel/file/archive.h"

#include "kernel/file/memory.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/space/backing.h"
#include "kernel/syscall/table.h"
#include "tests/unit/file_machine.h"

/* Archives made here, byte by byte. */
static uint8_t archive[1 << 20];
static uint32_t used;

struct made {
    const char *name;
    uint32_t mode;
    const char *content;
    uint32_t number, links;
    bool is_aligned; /* the content begins on a page, as tools/archive.py puts it */
};

static void begin(void)
{
    memset(archive, 0, sizeof(archive));
    used = 0;
}

static void add(const struct made *made)
{
    uint32_t bytes = made->content == NULL ? 0 : (uint32_t)strlen(made->content);
    uint32_t name_bytes = (uint32_t)strlen(made->name) + 1;
    if (made->is_aligned)
        name_bytes += (FRAME_SIZE - (used + 110 + name_bytes) % FRAME_SIZE) % FRAME_SIZE;
    sprintf((char *)archive + used, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
            made->number, made->mode, 0, 0, made->links, 7, bytes, 0, 0, 5, 1, name_bytes, 0);
    archive[used + 110] = 0;
    strcpy((char *)archive + used + 110, made->name);
    used = (used + 110 + name_bytes + 3) & ~3u;
    if (bytes > 0)
        memcpy(archive + used, made->content, bytes);
    used = (used + bytes + 3) & ~3u;
}

static void end(void)
{
    static const struct made trailer = {.name = "TRAILER!!!", .links = 1};
    add(&trailer);
}

#define PATH(text) user_text(0, text)
#define BUFFER     (USER_BASE + 0x4000u)

static int32_t read_file(const char *path)
{
    int32_t descriptor = syscall_open(PATH(path), O_RDONLY, 0);
    if (descriptor < 0)
        return descriptor;
    memset(machine_user + 0x4000, 0, 0x8000);
    int32_t bytes = syscall_read((uint32_t)descriptor, BUFFER, 0x8000);
    CHECK_EQUAL(syscall_close((uint32_t)descriptor), 0);
    return bytes;
}

static void check_content(const char *path, const char *content)
{
    CHECK_EQUAL(read_file(path), strlen(content));
    CHECK(memcmp(machine_user + 0x4000, content, strlen(content)) == 0);
}

static const char *long_text(void)
{
    static char text[10001];
    for (unsigned i = 0; i < sizeof(text) - 1; i++)
        text[i] = (char)('a' + i * 7 % 26);
    return text;
}

static void make_usual(void)
{
    const struct made entries[] = {
        {".", S_IFDIR | 0711, NULL, 1, 2, false},
        {"bin", S_IFDIR | 0755, NULL, 2, 2, false},
        {"bin/program", S_IFREG | 0755, long_text(), 3, 1, true},
        {"bin/short", S_IFREG | 0644, "short", 4, 1, true},
        {"bin/link", S_IFLNK | 0777, "program", 5, 1, false},
        {"./etc/made/parents", S_IFREG | 0600, "x", 6, 1, false},
        {"/absolute", S_IFREG | 0644, "y", 7, 1, true},
        {"hard1", S_IFREG | 0644, NULL, 8, 2, false},
        {"hard2", S_IFREG | 0644, "linked", 8, 2, true},
        {"dev/node", S_IFCHR | 0600, NULL, 9, 1, false},
        {"empty", S_IFREG | 0644, NULL, 10, 1, false},
        {"twice", S_IFREG | 0644, "first", 11, 1, false},
        {"twice", S_IFREG | 0644, "second", 12, 1, true},
    };
    begin();
    for (size_t i = 0; i < ARRAY_COUNT(entries); i++)
        add(&entries[i]);
    end();
}

TEST(an_archive_becomes_a_tree)
{
    make_usual();
    file_machine_start_archive(4096, archive, used);
    check_content("/bin/program", long_text());
    check_content("/bin/link", long_text());
    check_content("/bin/short", "short");
    check_content("/etc/made/parents", "x");
    check_content("/absolute", "y");
    check_content("/hard1", "linked");
    check_content("/hard2", "linked");
    check_content("/empty", "");
    check_content("/twice", "second");
    CHECK(machine_log[0] == '\0');
    uint32_t number;
    CHECK_EQUAL(syscall_stat64(PATH("/dev/node"), BUFFER), 0);
    memcpy(&number, machine_user + 0x4000 + 32, 4);
    CHECK_EQUAL(number, DEVICE_NUMBER(5, 1));
    CHECK_EQUAL(syscall_stat64(PATH("/"), BUFFER), 0);
    memcpy(&number, machine_user + 0x4000 + 16, 4);
    CHECK_EQUAL(number, S_IFDIR | 0711);
    file_machine_end();
}

/* The frame that a mapping of a file would get for a page. */
static frame_t mapped_frame(const char *path, uint32_t index, int *error)
{
    struct file *file;
    frame_t frame = 0;
    CHECK_EQUAL(path_open(machine_paths, NULL, path, O_RDONLY, 0, &file), 0);
    struct backing *backing = file_backing(file);
    *error = backing->ops->page(backing, index, BACKING_READ, &frame);
    backing->ops->drop(backing);
    file_drop(file);
    return frame;
}

TEST(pages_of_the_archive_are_mapped_where_they_lie)
{
    int error;
    make_usual();
    file_machine_start_archive(4096, archive, used);
    CHECK_EQUAL(pageframe_release(mapped_frame("/bin/program", 0, &error)), 1);
    heap_trim();
    uint32_t before = machine_free_frames();
    for (uint32_t index = 0; index < 3; index++) {
        frame_t frame = mapped_frame("/bin/program", index, &error);
        CHECK_EQUAL(error, 0);
        const uint8_t *bytes = platform_frame_pointer(frame);
        uint32_t length = index < 2 ? 4096 : 10000 - 8192;
        CHECK(memcmp(bytes, long_text() + index * 4096, length) == 0);
        for (uint32_t i = length; i < 4096; i++)
            CHECK_EQUAL(bytes[i], 0);
        CHECK_EQUAL(bytemap_tag_state(bytemap_get(frame)), BYTEMAP_CACHE);
        CHECK_EQUAL(pageframe_references(frame), 2);
        CHECK_EQUAL(pageframe_release(frame), 1);
    }
    heap_trim();
    CHECK_EQUAL(machine_free_frames(), before);
    mapped_frame("/bin/program", 3, &error);
    CHECK_EQUAL(error, -ERANGE);
    file_machine_check();
    file_table_drop(machine_files);
    path_context_drop(machine_paths);
}

TEST(files_of_the_archive_are_written_where_they_lie)
{
    int error;
    make_usual();
    file_machine_start_archive(4096, archive, used);
    frame_t frame = mapped_frame("/bin/program", 1, &error);
    uint32_t at = (uint32_t)syscall_open(PATH("/bin/program"), O_RDWR, 0);
    CHECK_EQUAL(syscall_pwrite64(at, user_text(0x8000, "changed"), 7, 5000, 0), 7);
    CHECK(memcmp((char *)platform_frame_pointer(frame) + 5000 - 4096, "changed", 7) == 0);
    /* Growing behind the end gives zeros, and pages of its own. */
    CHECK_EQUAL(syscall_pwrite64(at, user_text(0x8000, "far"), 3, 20000, 0), 3);
    CHECK_EQUAL(syscall_pread64(at, BUFFER, 10003, 10000, 0), 10003);
    for (unsigned i = 0; i < 10000; i++)
        CHECK_EQUAL(machine_user[0x4000 + i], 0);
    file_machine_check();
    CHECK_EQUAL(syscall_ftruncate(at, 5003), 0);
    CHECK_EQUAL(syscall_ftruncate(at, 9000), 0);
    CHECK_EQUAL(syscall_pread64(at, BUFFER, 10, 5000, 0), 10);
    CHECK(memcmp(machine_user + 0x4000, "cha\0\0\0\0\0\0\0", 10) == 0);
    file_machine_check();
    CHECK_EQUAL(syscall_close(at), 0);
    CHECK_EQUAL(syscall_unlink(PATH("/bin/program")), 0);
    CHECK_EQUAL(pageframe_release(frame), 1);
    /* One whose content lies askew gets pages of its own. */
    at = (uint32_t)syscall_open(PATH("/etc/made/parents"), O_RDWR, 0);
    CHECK_EQUAL(syscall_pwrite64(at, user_text(0x8000, "z"), 1, 1, 0), 1);
    check_content("/etc/made/parents", "xz");
    CHECK_EQUAL(syscall_close(at), 0);
    file_machine_check();
    file_table_drop(machine_files);
    path_context_drop(machine_paths);
}

/* A fault at one place of the usual archive: what came before is there, and the log says where. */
TEST(a_malformed_archive_costs_a_sentence_and_nothing_else)
{
    static const struct {
        const char *find; /* the last place where this stands */
        int offset;
        char byte;
        const char *sentence;
    } cases[] = {
        {"070701", 0, 'x', "does not begin as"},
        {"TRAILER!!!", -1, 'g', "is not hexadecimal"},
        {"TRAILER!!!", -9, 'F', "is empty, too long or cut off"},
        {"TRAILER!!!", 0, 'X', "ends without its trailer"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        make_usual();
        for (uint32_t at = used - 10; at > 0; at--)
            if (memcmp(archive + at, cases[i].find, strlen(cases[i].find)) == 0) {
                archive[(int)at + cases[i].offset] = (uint8_t)cases[i].byte;
                break;
            }
        file_machine_start_archive(4096, archive, used);
        if (strstr(machine_log, cases[i].sentence) == NULL)
            test_fail(__FILE__, __LINE__, "case %zu: \"%s\"", i, machine_log);
        check_content("/twice", "second");
        file_machine_end();
    }
}

TEST(an_archive_may_be_cut_anywhere)
{
    make_usual();
    uint32_t whole = used;
    for (uint32_t bytes = 1; bytes < whole; bytes += bytes < 2000 ? 13 : 397) {
        make_usual();
        file_machine_start_archive(2048, archive, bytes);
        CHECK(strstr(machine_log, "initial archive") != NULL);
        CHECK_EQUAL(syscall_access(PATH("/dev/null"), 0), 0);
        file_machine_end();
    }
}

TEST(names_that_make_no_sense_are_left_out)
{
    const struct made entries[] = {
        {"../outside", S_IFREG | 0644, "x", 1, 1, false},
        {"a/../b", S_IFREG | 0644, "x", 2, 1, false},
        {"file", S_IFREG | 0644, "x", 3, 1, false},
        {"file/below", S_IFREG | 0644, "x", 4, 1, false},
        {"what", 0644, "x", 5, 1, false},
        {"emptylink", S_IFLNK | 0777, "", 6, 1, false},
        {"last", S_IFREG | 0644, "there", 7, 1, false},
    };
    begin();
    for (size_t i = 0; i < ARRAY_COUNT(entries); i++)
        add(&entries[i]);
    end();
    file_machine_start_archive(4096, archive, used);
    check_content("/last", "there");
    CHECK_EQUAL(syscall_access(PATH("/b"), 0), -ENOENT);
    CHECK_EQUAL(syscall_access(PATH("/outside"), 0), -ENOENT);
    CHECK(strstr(machine_log, "../outside") != NULL && strstr(machine_log, "below") != NULL);
    file_machine_end();
}

TEST(checksums_are_looked_at)
{
    static const struct made entry = {"f", S_IFREG | 0644, "sum", 1, 1, false};
    begin();
    add(&entry);
    end();
    memcpy(archive, "070702", 6);
    struct archive_reader reader = archive_open(archive, used);
    struct archive_entry found;
    CHECK(!archive_next(&reader, &found));
    CHECK(strstr(reader.problem, "checksum") != NULL);
    char sum[9];
    sprintf(sum, "%08X", 's' + 'u' + 'm');
    memcpy(archive + 102, sum, 8);
    reader = archive_open(archive, used);
    CHECK(archive_next(&reader, &found));
    CHECK(found.bytes == 3 && memcmp(archive + found.data, "sum", 3) == 0);
    CHECK(!archive_next(&reader, &found));
    CHECK(reader.problem == NULL);
}
