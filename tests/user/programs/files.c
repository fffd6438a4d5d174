// Files in a writable memory file system: opening, reading, writing, names, directories, what stat
// tells.
#include "check.h"

#include <dirent.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/vfs.h>

static char name_255[256], name_256[257], long_path[PATH_MAX + 1];

static void make_names(void)
{
    memset(name_255, 'n', 255);
    memset(name_256, 'n', 256);
    for (unsigned i = 0; i < PATH_MAX; i++)
        long_path[i] = i % 2 == 0 ? '/' : '.';
}

static void opening(void)
{
    SECTION("open");
    TRY(open("new", O_RDWR));
    TRY(open("new", O_RDWR | O_CREAT, 0640));
    TRY(open("new", O_RDWR | O_CREAT | O_EXCL, 0640));
    TRY(open("new", O_RDONLY | O_DIRECTORY));
    TRY(open("new/x", O_RDONLY));
    TRY(open("none/x", O_RDONLY | O_CREAT, 0600));
    TRY(open("", O_RDONLY));
    TRY(syscall(SYS_open, 1, O_RDONLY));
    TRY(open(".", O_RDWR));
    TRY(open(".", O_WRONLY | O_CREAT, 0600));
    TRY(open("new/", O_RDONLY));
    TRY(open(name_255, O_RDWR | O_CREAT, 0600));
    TRY(open(name_256, O_RDWR | O_CREAT, 0600));
    TRY(unlink(name_255));
    TRY(open(long_path, O_RDONLY));
    TRY(open("/../../../tmp/files/./../files/new", O_RDONLY));
    TRY(openat(999, "new", O_RDONLY));
    TRY(openat(999, "/tmp/files/new", O_RDONLY));
    int directory = open("/tmp", O_RDONLY | O_DIRECTORY), file = open("new", O_RDONLY);
    TRY(openat(directory, "files/new", O_RDONLY));
    TRY(openat(file, "new", O_RDONLY));
    struct stat status;
    TRUE(stat("new", &status) == 0 && (status.st_mode & 07777) == 0640);
    umask(027);
    TRY(open("masked", O_RDWR | O_CREAT, 0666));
    umask(022);
    TRUE(stat("masked", &status) == 0 && (status.st_mode & 07777) == 0640);
}

static void permissions(void)
{
    SECTION("rights of a user");
    MUST(close((int)MUST(open("/tmp/files/secret", O_RDWR | O_CREAT, 0600))));
    MUST(close((int)MUST(open("/tmp/files/stranger", O_RDWR | O_CREAT, 0600))));
    MUST(mkdir("/tmp/files/closed", 0700));
    MUST(close((int)MUST(open("/tmp/files/closed/in", O_RDWR | O_CREAT, 0666))));
    IN_CHILD("a user", {
        MUST(setuid(1000));
        TRY(open("/tmp/files/secret", O_RDONLY));
        TRY(access("/tmp/files/secret", F_OK));
        TRY(access("/tmp/files/secret", R_OK));
        TRY(open("/tmp/files/closed/in", O_RDONLY));
        TRY(unlink("/tmp/files/stranger"));
        TRY(chmod("/tmp/files/secret", 0666));
        TRY(chown("/tmp/files/secret", 1000, 1000));
        TRY(open("/tmp/files/new", O_WRONLY));
        TRY(mkdir("/tmp/files/mine", 0700));
    });
    TRY(access("/tmp/files/secret", X_OK));
    TRY(access("/tmp/files/secret", 8));
    TRY(chmod("/tmp/files/secret", 04755));
    TRY(chown("/tmp/files/secret", 1000, 100));
    struct stat status;
    TRUE(stat("/tmp/files/secret", &status) == 0 && status.st_uid == 1000 && status.st_gid == 100);
    TRUE(status.st_mode == (S_IFREG | 0755)); /* a new owner does not inherit the set-user-id bit */
}

static void reading_and_writing(void)
{
    SECTION("read and write");
    char text[16] = "";
    int file = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600), read_only = open("data", O_RDONLY);
    VALUE(write(file, "0123456789", 10));
    VALUE(read(file, text, 5));
    VALUE(lseek(file, 2, SEEK_SET));
    VALUE(read(file, text, 3));
    TRUE(memcmp(text, "234", 3) == 0);
    VALUE(lseek(file, 0, SEEK_CUR));
    VALUE(lseek(file, -1, SEEK_END));
    VALUE(read(file, text, 5));
    TRY(lseek(file, -11, SEEK_END));
    TRY(lseek(file, 0, 99));
    VALUE(lseek(file, 100, SEEK_SET));
    VALUE(read(file, text, 5));
    VALUE(write(file, "x", 1));
    VALUE(lseek(file, 0, SEEK_END));
    VALUE(pread(file, text, 4, 9));
    TRUE(text[0] == '9' && text[1] == 0 && text[3] == 0); /* a hole reads as zeros */
    VALUE(pwrite(file, "yz", 2, 0));
    VALUE(lseek(file, 0, SEEK_CUR));
    TRY(pread(file, text, 4, -1));
    TRY(write(read_only, "x", 1));
    TRY(read(999, text, 1));
    TRY(write(999, text, 1));
    TRY(syscall(SYS_read, file, 1, 1));
    MUST(lseek(file, 0, SEEK_SET));
    TRY(syscall(SYS_read, file, 1, 1));
    TRY(syscall(SYS_write, file, 1, 1));
    TRY(read(open(".", O_RDONLY), text, 1));
    int append = open("data", O_WRONLY | O_APPEND);
    VALUE(write(append, "end", 3));
    VALUE(lseek(append, 0, SEEK_CUR));
    VALUE(lseek(file, 0, SEEK_END));
    MUST(close(open("data", O_WRONLY | O_TRUNC)));
    VALUE(lseek(file, 0, SEEK_END));
}

static void vectors(void)
{
    SECTION("readv and writev");
    int file = open("vectors", O_RDWR | O_CREAT, 0600);
    char first[4] = "", second[8] = "";
    struct iovec out[] = {{"one", 3}, {"", 0}, {"two", 3}}, in[] = {{first, 2}, {second, 6}};
    VALUE(writev(file, out, 3));
    MUST(lseek(file, 0, SEEK_SET));
    VALUE(readv(file, in, 2));
    TRUE(strcmp(first, "on") == 0 && strcmp(second, "etwo") == 0);
    TRY(readv(file, in, -1));
    TRY(syscall(SYS_readv, file, 1, 2));
    in[0].iov_len = 0x80000000;
    TRY(readv(file, in, 2));
}

static void descriptors(void)
{
    SECTION("descriptors");
    int file = open("data", O_RDWR | O_CREAT, 0600), copy = dup(file);
    TRUE(copy == file + 1);
    MUST(write(file, "ab", 2));
    VALUE(lseek(copy, 0, SEEK_CUR)); /* a copy shares the place */
    TRUE(dup2(file, 50) == 50);
    TRUE(dup2(file, file) == file);
    TRY(dup2(999, 50));
    TRY(dup2(file, -1));
    TRY(dup(999));
    TRY(close(50));
    TRY(close(50));
    VALUE(fcntl(file, F_DUPFD, 60));
    TRY(fcntl(file, F_DUPFD, -1));
    VALUE(fcntl(file, F_GETFD));
    TRY(fcntl(file, F_SETFD, FD_CLOEXEC));
    VALUE(fcntl(file, F_GETFD));
    VALUE(fcntl(copy, F_GETFD));
    TRY(fcntl(file, F_SETFL, O_APPEND | O_NONBLOCK));
    TRUE((fcntl(copy, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE)) ==
         (O_APPEND | O_NONBLOCK | O_RDWR));
    TRY(fcntl(999, F_GETFD));
    TRY(fcntl(file, 999));
    TRY(ioctl(file, 0x12345678));
    TRY(ioctl(999, FIONREAD));
    VALUE(fcntl(file, F_DUPFD_CLOEXEC, 61));
    VALUE(fcntl(61, F_GETFD));
    IN_CHILD("a child moves the place", lseek(copy, 7, SEEK_SET));
    VALUE(lseek(file, 0, SEEK_CUR));
}

static void truncating(void)
{
    SECTION("truncate");
    int file = open("cut", O_RDWR | O_CREAT, 0600), read_only = open("cut", O_RDONLY);
    char text[8] = "";
    MUST(write(file, "abcdef", 6));
    TRY(ftruncate(file, 3));
    TRY(ftruncate(file, 6));
    VALUE(pread(file, text, 8, 0));
    TRUE(memcmp(text, "abc\0\0\0", 6) == 0); /* what was cut off does not come back */
    TRY(ftruncate(file, -1));
    TRY(ftruncate(read_only, 1));
    TRY(ftruncate(999, 1));
    TRY(truncate("cut", 1));
    TRY(truncate("none", 1));
    TRY(truncate(".", 1));
    VALUE(lseek(file, 0, SEEK_END));
}

static void names(void)
{
    SECTION("links, renaming, unlinking");
    struct stat status;
    char text[4] = "";
    int file = open("first", O_RDWR | O_CREAT, 0600);
    MUST(write(file, "one", 3));
    TRY(link("first", "second"));
    TRY(link("first", "second"));
    TRY(link("none", "third"));
    TRY(link(".", "third"));
    TRUE(stat("second", &status) == 0 && status.st_nlink == 2 && status.st_size == 3);
    TRY(unlink("first"));
    TRUE(fstat(file, &status) == 0 && status.st_nlink == 1);
    TRY(unlink("second"));
    TRUE(fstat(file, &status) == 0 && status.st_nlink == 0);
    VALUE(pread(file, text, 3, 0)); /* it lives as long as it is open */
    TRY(unlink("second"));
    TRY(unlink("."));
    TRY(mkdir("folder", 0755));
    TRY(mkdir("folder", 0755));
    TRY(mkdir("none/folder", 0755));
    TRY(unlink("folder"));
    TRY(rmdir("."));
    TRY(rmdir("new"));
    MUST(close(open("folder/in", O_RDWR | O_CREAT, 0600)));
    TRY(rmdir("folder"));
    TRY(rename("folder/in", "out"));
    TRY(rename("none", "out"));
    TRY(rename("out", "new"));
    TRY(rename("new", "folder"));
    TRY(rename("folder", "new"));
    TRY(rename("folder", "folder/deeper"));
    MUST(mkdir("other", 0755));
    MUST(close(open("other/in", O_RDWR | O_CREAT, 0600)));
    TRY(rename("folder", "other"));
    TRY(rename("other", "folder"));
    TRY(access("folder/in", F_OK));
    TRY(access("other", F_OK));
    TRUE(stat("folder", &status) == 0 && status.st_nlink == 2);
    TRY(rename("new", "new"));
    TRY(unlink("folder/in"));
    TRY(rmdir("folder"));
    TRY(rmdir("folder"));
}

static void symbolic_links(void)
{
    SECTION("symbolic links");
    struct stat status;
    char text[16];
    TRY(symlink("target", "link"));
    TRY(symlink("target", "link"));
    TRY(symlink("", "empty"));
    VALUE(readlink("link", text, sizeof text));
    TRUE(memcmp(text, "target", 6) == 0);
    VALUE(readlink("link", text, 3));
    TRY(readlink("new", text, sizeof text));
    TRY(readlink("none", text, sizeof text));
    TRY(readlink("link", text, 0));
    TRY(stat("link", &status));
    TRUE(lstat("link", &status) == 0 && S_ISLNK(status.st_mode) && status.st_size == 6);
    TRY(open("link", O_RDONLY));
    TRY(open("link", O_RDWR | O_CREAT | O_EXCL, 0600));
    TRY(open("link", O_RDWR | O_CREAT, 0600));
    TRY(access("target", F_OK));
    TRY(open("link", O_RDONLY | O_NOFOLLOW));
    TRY(symlink("loop-b", "loop-a"));
    TRY(symlink("loop-a", "loop-b"));
    TRY(open("loop-a", O_RDONLY));
    TRY(stat("loop-a/x", &status));
    MUST(mkdir("real", 0755));
    TRY(symlink("real", "way"));
    TRY(mkdir("way/below", 0755));
    TRY(stat("real/below", &status));
    TRY(rmdir("way"));
    TRY(rmdir("way/below"));
    TRY(unlink("way"));
    TRY(unlink("link"));
    TRY(access("target", F_OK));
}

static void status(void)
{
    SECTION("stat");
    struct stat status;
    struct statfs file_system;
    MUST(close(open("sized", O_RDWR | O_CREAT | O_TRUNC, 0604)));
    MUST(truncate("sized", 5000));
    TRUE(stat("sized", &status) == 0 && status.st_size == 5000 && S_ISREG(status.st_mode));
    TRUE((status.st_mode & 07777) == 0604 && status.st_uid == 0 && status.st_gid == 0 &&
         status.st_nlink == 1);
    TRUE(status.st_blksize == 4096);
    TRUE(stat(".", &status) == 0 && S_ISDIR(status.st_mode));
    TRUE(stat("/dev/null", &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == 0x103);
    TRUE(stat("/dev/zero", &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == 0x105);
    TRY(stat("none", &status));
    TRY(stat("", &status));
    TRY(fstat(999, &status));
    TRY(syscall(SYS_stat64, "sized", 1));
    TRY(syscall(SYS_statx, AT_FDCWD, "sized", 0, 0x7FF, 1));
    unsigned char extended[256] = {0};
    TRY(syscall(SYS_statx, AT_FDCWD, "sized", 0, 0x7FF, extended));
    TRUE(*(uint64_t *)(extended + 40) == 5000 && *(uint16_t *)(extended + 28) == (S_IFREG | 0604));
    TRY(syscall(SYS_statx, AT_FDCWD, "", 0, 0x7FF, extended));
    TRY(syscall(SYS_statx, AT_FDCWD, "sized", 0x80, 0x7FF, extended));
    TRUE(statfs(".", &file_system) == 0 && file_system.f_bsize == 4096 &&
         file_system.f_namelen == 255);
    TRY(statfs("none", &file_system));
    struct timespec times[2] = {{1000, 5}, {2000, 7}};
    TRY(utimensat(AT_FDCWD, "sized", times, 0));
    TRUE(stat("sized", &status) == 0 && status.st_atim.tv_sec == 1000 &&
         status.st_mtim.tv_sec == 2000 && status.st_mtim.tv_nsec == 7);
    TRY(utimensat(AT_FDCWD, "none", times, 0));
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void directories(void)
{
    SECTION("directories");
    char buffer[4096], *found[64];
    unsigned count = 0;
    long length;
    MUST(mkdir("many", 0755));
    for (int i = 0; i < 40; i++) {
        snprintf(buffer, sizeof buffer, "many/%02d", i);
        MUST(close(open(buffer, O_RDWR | O_CREAT, 0600)));
    }
    MUST(mkdir("many/sub", 0755));
    int directory = open("many", O_RDONLY | O_DIRECTORY);
    bool types_fit = true;
    while ((length = syscall(SYS_getdents64, directory, buffer, 300)) > 0)
        for (char *at = buffer; at < buffer + length; at += ((struct dirent *)at)->d_reclen) {
            const struct dirent *entry = (const struct dirent *)at;
            found[count++] = strdup(entry->d_name);
            types_fit &= entry->d_type ==
                         (strlen(entry->d_name) == 2 && entry->d_name[0] != '.' ? DT_REG : DT_DIR);
        }
    TRUE(length == 0 && types_fit);
    qsort(found, count, sizeof found[0], compare);
    printf("%u names:", count);
    for (unsigned i = 0; i < count; i++)
        printf(" %s", found[i]);
    printf("\n");
    VALUE(lseek(directory, 0, SEEK_SET));
    TRUE(syscall(SYS_getdents64, directory, buffer, 300) > 0);
    TRY(syscall(SYS_getdents64, directory, buffer, 1));
    TRY(syscall(SYS_getdents64, open("new", O_RDONLY), buffer, 300));
    TRY(syscall(SYS_getdents64, 999, buffer, 300));
    TRY(chdir("many/sub"));
    TRUE(getcwd(buffer, sizeof buffer) != NULL && strcmp(buffer, "/tmp/files/many/sub") == 0);
    TRY(syscall(SYS_getcwd, buffer, 3));
    TRY(chdir("../.."));
    TRY(chdir("new"));
    TRY(chdir("none"));
    TRY(fchdir(directory));
    TRY(access("00", F_OK));
    TRY(fchdir(999));
    TRY(chdir("/tmp/files"));
}

static void devices(void)
{
    SECTION("devices");
    char bytes[16];
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR),
        full = open("/dev/full", O_RDWR);
    VALUE(write(null, "x", 1));
    VALUE(read(null, bytes, 16));
    memset(bytes, 1, sizeof bytes);
    VALUE(read(zero, bytes, 16));
    TRUE(bytes[0] == 0 && bytes[15] == 0);
    VALUE(read(full, bytes, 16));
    TRY(write(full, "x", 1));
    VALUE(syscall(SYS_getrandom, bytes, 16, 0));
    TRY(syscall(SYS_getrandom, bytes, 16, 0x100));
    TRY(syscall(SYS_getrandom, 1, 16, 0));
    char *mapped = mmap2(0, PAGE, RW, MAP_PRIVATE, zero, 0);
    TRUE(mapped != MAP_FAILED && mapped[0] == 0);
}

/* What cannot be opened is not made. */
static void without_descriptors(void)
{
    SECTION("no descriptor left");
    struct rlimit limit;
    int next = (int)MUST(dup(1));
    MUST(close(next));
    MUST(getrlimit(RLIMIT_NOFILE, &limit));
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)next;
    MUST(setrlimit(RLIMIT_NOFILE, &limit));
    TRY(open("/tmp/files/unmade", O_CREAT | O_RDWR, 0600));
    TRY(access("/tmp/files/unmade", F_OK));
    limit.rlim_cur = before;
    MUST(setrlimit(RLIMIT_NOFILE, &limit));
}

int main(void)
{
    make_names();
    MUST(mkdir("/tmp/files", 0755));
    MUST(chdir("/tmp/files"));
    opening();
    permissions();
    reading_and_writing();
    vectors();
    descriptors();
    truncating();
    names();
    symbolic_links();
    status();
    directories();
    devices();
    without_descriptors();
    return done();
}
