// Starts each file of a folder, and says how that ended: "NAME: exits with 7", "NAME: ENOEXEC",
// "NAME: signal 11".
#include "tests/user/programs/check.h"

#include <dirent.h>

#define NAMES 256

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void start(const char *folder, const char *name)
{
    char path[512], *arguments[] = {path, NULL}, *environment[] = {NULL};
    int refused[2], status = 0, error = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    MUST(pipe2(refused, O_CLOEXEC));
    int child = (int)MUST(fork());
    if (child == 0) {
        execve(path, arguments, environment);
        error = errno;
        MUST(write(refused[1], &error, sizeof error));
        _exit(0);
    }
    MUST(close(refused[1]));
    MUST(read(refused[0], &error, sizeof error));
    MUST(close(refused[0]));
    MUST(waitpid(child, &status, 0));
    if (error != 0)
        printf("%s: %s\n", name, error_name(error));
    else if (WIFSIGNALED(status))
        printf("%s: signal %d\n", name, WTERMSIG(status));
    else
        printf("%s: exits with %d\n", name, WEXITSTATUS(status));
    fflush(stdout);
}

int main(int count, char **arguments)
{
    char *names[NAMES];
    unsigned found = 0;
    DIR *folder = count > 1 ? opendir(arguments[1]) : NULL;
    const struct dirent *entry;
    if (folder == NULL) {
        fprintf(stderr, "usage: starter FOLDER\n");
        return 2;
    }
    while ((entry = readdir(folder)) != NULL && found < NAMES)
        if (entry->d_name[0] != '.')
            names[found++] = strdup(entry->d_name);
    closedir(folder);
    qsort(names, found, sizeof names[0], by_name);
    for (unsigned i = 0; i < found; i++)
        start(arguments[1], names[i]);
    printf("%u files\n", found);
    return 0;
}
