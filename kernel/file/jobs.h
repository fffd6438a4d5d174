#ifndef KERNEL_FILE_JOBS_H
#define KERNEL_FILE_JOBS_H

#include "kernel/include/types.h"

/*
 * What files need to know of processes and cannot include: process fills these in before the first
 * program runs (file_set_jobs). Ids are those that programs see. Until then there are no signals,
 * and the caller is process 0 in group 0 and session 0.
 */
struct file_jobs {
    /* ppoll and pselect6: the signal mask at a user's address (0: none, nothing happens) holds from
     * begin to end. 0, -EFAULT, -EINVAL. `result` is what the call returns: after -EINTR the mask
     * before it comes back only when the signal is being handled. */
    int (*begin_mask)(uint32_t mask, uint32_t bytes);
    void (*end_mask)(uint32_t mask, int32_t result);
    uint32_t (*process)(void); /* of the calling thread; 0: a kernel thread */
    uint32_t (*group)(void);
    uint32_t (*session)(void);
    /* A signal to the calling process (SIGPIPE) or to each process of a group. From threads. */
    void (*signal_caller)(int signal);
    void (*signal_group)(uint32_t group, int signal);
    /* True if the calling thread ignores or blocks the signal, or its group is orphaned: then
     * reading from the background is -EIO and not a signal. */
    bool (*is_deaf)(int signal);
    /* How large the calling process may make a file, in bytes (RLIMIT_FSIZE). */
    uint64_t (*file_bytes_limit)(void);
    /* The session that a group belongs to; 0: there is no such group. */
    uint32_t (*session_of_group)(uint32_t group);
};

void file_set_jobs(const struct file_jobs *jobs); /* kept by reference */
const struct file_jobs *file_jobs(void);

/* For process: the console becomes the controlling terminal of the first session, with this group
 * in its foreground, as a session's leader does by opening it or by TIOCSCTTY. */
void tty_begin_session(uint32_t session, uint32_t group);

/* The session and the foreground group of the terminal, for /proc; 0: none. */
uint32_t tty_session(void);
uint32_t tty_group(void);

/* For process: the leader of a session exits. Its terminal is given up: SIGHUP and SIGCONT go to
 * the group in the foreground. */
void tty_end_session(uint32_t session);

#endif
