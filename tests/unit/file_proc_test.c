#include "kernel/file/proc.h"

#include "kernel/file/memory.h"
#include "kernel/syscall/table.h"
#include "tests/unit/file_machine.h"

/* /proc over two made-up processes, 1 and 12. */

#define PATH(text) user_text(0, text)
#define BUFFER     (USER_BASE + 0x4000u)
#define TEXT       ((char *)machine_user + 0x4000)

static void totals(struct proc_totals *all)
{
    *all = (struct proc_totals){.user_ticks = 100,
                                .system_ticks = 50,
                                .idle_ticks = 1234,
                                .switches = 7,
                                .forks = 12,
                                .running = 1,
                                .processes = 2,
                                .last_id = 12,
                                .load_average = {2048, 1024, 0},
                                .stack_pages = 3};
}

static uint32_t next(uint32_t id)
{
    return id < 1 ? 1 : id < 12 ? 12 : 0;
}

static uint32_t self(void)
{
    return 12;
}

static bool read_facts(uint32_t id, struct proc_facts *facts)
{
    if (id != 1 && id != 12)
        return false;
    facts->id = id;
    facts->parent = id == 12 ? 1 : 0;
    facts->group = facts->session = 1;
    facts->state = id == 12 ? 'R' : 'S';
    strcpy(facts->name, id == 12 ? "cat" : "sh");
    facts->threads = 1;
    facts->user_ticks = 5;
    facts->start_ticks = 3;
    facts->size = 20;
    facts->resident = 10;
    facts->shared = 4;
    return true;
}

static uint32_t arguments(uint32_t id, uint32_t offset, char *buffer, uint32_t bytes)
{
    static const char text[] = "cat\0-n";
    uint32_t left = offset < sizeof(text) && id == 12 ? (uint32_t)sizeof(text) - offset : 0;
    left = left < bytes ? left : bytes;
    memcpy(buffer, text + offset, left);
    return left;
}

static struct file_table *files(uint32_t id)
{
    return id == 12 ? file_table_hold(machine_files) : NULL;
}

static struct path_context *paths(uint32_t id)
{
    return id == 12 ? path_context_hold(machine_paths) : NULL;
}

static struct inode *executable(uint32_t id)
{
    return id == 12 ? inode_hold(memory_root()) : NULL;
}

static void areas(uint32_t id, uint32_t from, proc_area_visitor visit, void *context)
{
    static const struct proc_area all[] = {
        {.start = 0x10000000,
         .end = 0x10002000,
         .device = 1,
         .inode = 77,
         .name = "/bin/cat",
         .is_readable = true,
         .is_executable = true,
         .resident = 2,
         .private_clean = 2,
         .proportional_bytes = 8192},
        {.start = 0x1fff0000,
         .end = 0x20000000,
         .name = "[stack]",
         .is_readable = true,
         .is_writable = true,
         .resident = 1,
         .private_dirty = 1,
         .anonymous = 1,
         .proportional_bytes = 4096},
    };
    (void)id;
    for (unsigned i = 0; i < ARRAY_COUNT(all); i++)
        if (all[i].start >= from && !visit(context, &all[i]))
            return;
}

static bool limit(uint32_t id, unsigned resource, uint32_t *soft, uint32_t *hard)
{
    (void)id;
    *soft = resource == 7 ? 1024 : PROC_UNLIMITED;
    *hard = PROC_UNLIMITED;
    return true;
}

static const struct proc_source source = {
    .totals = totals,
    .next = next,
    .self = self,
    .read = read_facts,
    .arguments = arguments,
    .environment = arguments,
    .files = files,
    .paths = paths,
    .executable = executable,
    .areas = areas,
    .limit = limit,
};

static void start(void)
{
    file_machine_start(4096);
    proc_set_source(&source);
}

static void finish(void)
{
    file_machine_end();
    proc_set_source(NULL);
}

static int32_t read_text(const char *path)
{
    int32_t descriptor = syscall_open(PATH(path), O_RDONLY, 0);
    if (descriptor < 0)
        return descriptor;
    int32_t bytes = syscall_read((uint32_t)descriptor, BUFFER, 0x8000);
    CHECK_EQUAL(syscall_close((uint32_t)descriptor), 0);
    if (bytes >= 0)
        TEXT[bytes] = '\0';
    return bytes;
}

TEST(texts_have_the_lines_that_programs_look_for)
{
    static const struct {
        const char *path, *has;
    } cases[] = {
        {"/proc/meminfo", "MemTotal:          16380 kB\n"},
        {"/proc/meminfo", "\nMemFree:  "},
        {"/proc/meminfo", "\nKernelStack:          12 kB\n"},
        {"/proc/meminfo", "\nCommitted_AS: "},
        {"/proc/stat", "cpu  100 0 50 1234 0 0 0 0 0 0\n"},
        {"/proc/stat", "\nctxt 7\nbtime 1699999999\nprocesses 12\nprocs_running 1\n"},
        {"/proc/uptime", " 12.34\n"},
        {"/proc/loadavg", "1.00 0.50 0.00 1/2 12\n"},
        {"/proc/version", "32RTOS version "},
        {"/proc/mounts", "proc /proc proc "},
        {"/proc/filesystems", "nodev\ttmpfs\n"},
        {"/proc/self/stat", "12 (cat) R 1 1 1 0 -1 0 0 0 0 0 5 0 0 0 20 0 1 0 3 81920 10 "},
        {"/proc/12/status", "Name:\tcat\nState:\tR (running)\nTgid:\t12\nPid:\t12\nPPid:\t1\n"},
        {"/proc/12/status", "\nVmRSS:\t      40 kB\n"},
        {"/proc/1/statm", "20 10 4 0 0 0 0\n"},
        {"/proc/1/comm", "sh\n"},
        {"/proc/12/maps", "10000000-10002000 r-xp 00000000 00:01 77"},
        {"/proc/12/maps", " /bin/cat\n1fff0000-20000000 rw-p 00000000 00:00 0   "},
        {"/proc/12/maps", " [stack]\n"},
        {"/proc/12/smaps", "Rss:                   8 kB\nPss:                   8 kB\n"},
        {"/proc/12/smaps", "VmFlags: rd wr\n"},
        {"/proc/12/limits", "Max open files            1024                 unlimited  "},
    };
    start();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CHECK(read_text(cases[i].path) > 0);
        if (strstr(TEXT, cases[i].has) == NULL)
            test_fail(__FILE__, __LINE__, "%s lacks \"%s\":\n%s", cases[i].path, cases[i].has,
                      TEXT);
    }
    CHECK_EQUAL(read_text("/proc/12/cmdline"), 7);
    CHECK(memcmp(TEXT, "cat\0-n", 7) == 0);
    CHECK_EQUAL(read_text("/proc/1/cmdline"), 0);
    finish();
}

TEST(names_of_proc_and_their_errors)
{
    static const struct {
        const char *path;
        int32_t result;
    } cases[] = {
        {"/proc/13/stat", -ENOENT},
        {"/proc/012/stat", -ENOENT},
        {"/proc/0", -ENOENT},
        {"/proc/nothing", -ENOENT},
        {"/proc/12/nothing", -ENOENT},
        {"/proc/12/fd/9", -ENOENT},
        {"/proc/12/stat/x", -ENOTDIR},
        {"/proc/99999999999", -ENOENT},
        {"/proc/1/fd", 0},
        {"/proc/12", 0},
        {"/proc/self/fd", 0},
        {"/proc", 0},
        {"/proc/12/../12/./comm", 0},
        {"/proc/12/cwd/proc/version", 0},
        {"/proc/1/exe", -ENOENT},
    };
    start();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int32_t result = syscall_open(PATH(cases[i].path), O_RDONLY, 0);
        if (result >= 0 ? cases[i].result != 0 : result != cases[i].result)
            test_fail(__FILE__, __LINE__, "open(\"%s\") is %d", cases[i].path, result);
        if (result >= 0)
            CHECK_EQUAL(syscall_close((uint32_t)result), 0);
    }
    CHECK_EQUAL(syscall_stat64(PATH("/proc/12"), BUFFER), 0);
    CHECK_EQUAL(syscall_readlink(PATH("/proc/self"), BUFFER, 10), 2);
    CHECK(memcmp(TEXT, "12", 2) == 0);
    CHECK_EQUAL(syscall_chdir(PATH("/proc/12/fd")), 0);
    CHECK_EQUAL(syscall_getcwd(BUFFER, 100), 12);
    CHECK(strcmp(TEXT, "/proc/12/fd") == 0);
    CHECK_EQUAL(syscall_chdir(PATH("/tmp")), 0);
    finish();
}

static bool lists(const char *path, const char *name)
{
    uint32_t at = (uint32_t)syscall_open(PATH(path), O_RDONLY, 0);
    bool is_there = false;
    int32_t bytes;
    while ((bytes = syscall_getdents64(at, BUFFER, 100)) > 0)
        for (int32_t offset = 0; offset < bytes;) {
            uint16_t length;
            memcpy(&length, TEXT + offset + 16, sizeof(length));
            is_there |= strcmp(TEXT + offset + 19, name) == 0;
            offset += length;
        }
    CHECK_EQUAL(bytes, 0);
    CHECK_EQUAL(syscall_close(at), 0);
    return is_there;
}

TEST(descriptors_are_links_to_what_they_stand_for)
{
    start();
    int32_t ends[2];
    CHECK_EQUAL(syscall_open(PATH("/tmp/f"), O_CREAT | O_RDWR, 0600), 0);
    CHECK_EQUAL(syscall_pipe(BUFFER), 0);
    memcpy(ends, TEXT, sizeof(ends));
    CHECK_EQUAL(syscall_readlink(PATH("/proc/self/fd/0"), BUFFER, 100), 6);
    CHECK(memcmp(TEXT, "/tmp/f", 6) == 0);
    CHECK(syscall_readlink(PATH("/proc/self/fd/1"), BUFFER, 100) > 7);
    CHECK(memcmp(TEXT, "pipe:[", 6) == 0);
    CHECK_EQUAL(syscall_write(0, user_text(0x8000, "hello"), 5), 5);
    /* Opening the link opens the file anew, at its start; a pipe gets one more end. */
    CHECK_EQUAL(syscall_open(PATH("/dev/fd/0"), O_RDONLY, 0), 3);
    CHECK_EQUAL(syscall_read(3, BUFFER, 100), 5);
    CHECK_EQUAL(syscall_open(PATH("/proc/12/fd/2"), O_WRONLY, 0), 4);
    CHECK_EQUAL(syscall_close(2), 0);
    CHECK_EQUAL(syscall_write(4, user_text(0x8000, "x"), 1), 1);
    CHECK_EQUAL(syscall_read(1, BUFFER, 100), 1);
    CHECK_EQUAL(syscall_close(4), 0);
    CHECK_EQUAL(syscall_read(1, BUFFER, 100), 0);
    CHECK_EQUAL(syscall_unlink(PATH("/tmp/f")), 0);
    CHECK(syscall_readlink(PATH("/proc/self/fd/0"), BUFFER, 100) > 0);
    CHECK(lists("/proc", "12") && lists("/proc", "meminfo") && lists("/proc", "self"));
    CHECK(!lists("/proc", "13"));
    CHECK(lists("/proc/12", "maps") && lists("/proc/12", "fd"));
    CHECK(lists("/proc/12/fd", "1") && !lists("/proc/12/fd", "77"));
    finish();
}

TEST(a_text_is_read_piece_by_piece)
{
    static char whole[0x2000];
    start();
    int32_t bytes = read_text("/proc/meminfo");
    memcpy(whole, TEXT, (size_t)bytes);
    uint32_t at = (uint32_t)syscall_open(PATH("/proc/meminfo"), O_RDONLY, 0);
    for (int32_t done = 0; done < bytes; done++) {
        CHECK_EQUAL(syscall_read(at, BUFFER, 1), 1);
        if (TEXT[0] != whole[done] && (whole[done] < '0' || whole[done] > '9'))
            test_fail(__FILE__, __LINE__, "byte %d is '%c', not '%c'", done, TEXT[0], whole[done]);
    }
    CHECK_EQUAL(syscall_read(at, BUFFER, 1), 0);
    CHECK_EQUAL(syscall_lseek(at, 0, SEEK_SET), 0);
    CHECK_EQUAL(syscall_read(at, BUFFER, 9), 9);
    CHECK(memcmp(TEXT, "MemTotal:", 9) == 0);
    CHECK_EQUAL(syscall_close(at), 0);
    finish();
}
