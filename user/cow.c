/*
 * Shows copy-on-write: after a fork, parent and child have the same pages, and only a page that one
 * of them writes is copied. The figures are the kernel's own, from /proc/self/smaps.
 *
 *      cow [PAGES]         PAGES of 4 KiB, 64 if not said
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul

struct figures {
    long shared_kib;  // in memory, and someone else has it too
    long private_kib; // in memory, and ours alone
};

/* What smaps says of the area that begins at that address; zeros if it is not there. */
static struct figures area_figures(const char *area)
{
    struct figures of = {0, 0};
    char line[256];
    unsigned long start, end;
    long kib;
    int is_ours = 0;
    FILE *smaps = fopen("/proc/self/smaps", "r");
    while (smaps != NULL && fgets(line, sizeof line, smaps) != NULL) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            is_ours = start <= (unsigned long)area && (unsigned long)area < end;
        else if (is_ours && (sscanf(line, "Shared_Clean: %ld", &kib) == 1 ||
                             sscanf(line, "Shared_Dirty: %ld", &kib) == 1))
            of.shared_kib += kib;
        else if (is_ours && (sscanf(line, "Private_Clean: %ld", &kib) == 1 ||
                             sscanf(line, "Private_Dirty: %ld", &kib) == 1))
            of.private_kib += kib;
    }
    if (smaps != NULL)
        fclose(smaps);
    return of;
}

static void show(const char *when, const char *area)
{
    struct figures of = area_figures(area);
    printf("%-40s shared %5ld KiB   private %5ld KiB\n", when, of.shared_kib, of.private_kib);
    fflush(stdout);
}

/* An area that stands alone: the inaccessible page on each side keeps it from becoming one with a
 * neighbour. */
static char *map_apart(unsigned long bytes)
{
    char *area = mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED || mprotect(area + PAGE, bytes, PROT_READ | PROT_WRITE) != 0) {
        perror("cow: mmap");
        exit(1);
    }
    return area + PAGE;
}

static void write_pages(char *area, unsigned long from, unsigned long to)
{
    for (unsigned long page = from; page < to; page++)
        area[page * PAGE]++;
}

static void be_the_child(char *area, unsigned long pages)
{
    show("child, nothing written", area);
    write_pages(area, 0, pages / 4);
    show("child, a quarter written", area);
    write_pages(area, 0, pages);
    show("child, all written", area);
    exit(0);
}

int main(int argc, char **argv)
{
    unsigned long pages = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
    if (pages < 4 || pages > 16384) {
        fprintf(stderr, "cow: from 4 to 16384 pages, please\n");
        return 2;
    }
    char *area = map_apart(pages * PAGE);
    show("nothing written yet", area);
    write_pages(area, 0, pages);
    show("all written", area);
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        perror("cow: fork");
        return 1;
    }
    if (child == 0)
        be_the_child(area, pages);
    waitpid(child, NULL, 0);
    show("the child has gone", area);
    write_pages(area, 0, pages);
    show("written again: nothing was copied", area);
    return 0;
}
