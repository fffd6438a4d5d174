/* vfork: the parent waits for its child, and ends when it is killed meanwhile. */
#include "tests/user/programs/check.h"

#include <poll.h>

static int pipes[2];

/* For as long as nothing comes, at most some seconds. */
static bool hears(char *letter)
{
    struct pollfd poll_for = {.fd = pipes[0], .events = POLLIN};
    return poll(&poll_for, 1, 20000) == 1 && read(pipes[0], letter, 1) == 1;
}

/* The parent of a vfork, whose child says 'c' and then waits until it may end. */
static void be_parent(int gate)
{
    char letter;
    pid_t child = vfork();
    if (child == 0) {
        (void)!write(pipes[1], "c", 1);
        (void)!read(gate, &letter, 1);
        (void)!write(pipes[1], "e", 1);
        _exit(0);
    }
    (void)!write(pipes[1], "p", 1);
    _exit(7);
}

static void count(int signal)
{
    (void)signal;
}

/* What becomes of such a parent that gets `signal` while it waits. */
static void kill_parent(int signal, bool has_handler)
{
    int gate[2], status = 0;
    char letter = '-';
    pid_t ended = 0;
    MUST(pipe(gate));
    MUST(pipe(pipes));
    pid_t parent = fork();
    if (parent == 0) {
        close(gate[1]);
        if (has_handler)
            sigaction(signal, &(struct sigaction){.sa_handler = count}, NULL);
        be_parent(gate[0]);
    }
    TRUE(hears(&letter) && letter == 'c');
    TRUE(waitpid(parent, &status, WNOHANG) == 0);
    TRY(kill(parent, signal));
    for (int i = 0; i < 100 && ended == 0 && !has_handler; i++) {
        usleep(20000);
        ended = waitpid(parent, &status, WNOHANG);
    }
    TRUE(ended == parent);
    TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal);
    close(gate[1]); /* now the child may end */
    TRUE(hears(&letter) && letter == 'e');
    if (ended == 0) {
        TRUE(hears(&letter) && letter == 'p');
        TRUE(waitpid(parent, &status, 0) == parent && WIFEXITED(status) &&
             WEXITSTATUS(status) == 7);
    }
    close(gate[0]);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    kill_parent(SIGKILL, false);
    kill_parent(SIGTERM, false);
    kill_parent(SIGTERM, true);
    kill_parent(SIGCHLD, true);
    return done();
}
