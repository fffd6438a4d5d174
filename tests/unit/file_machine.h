#ifndef TESTS_UNIT_FILE_MACHINE_H
#define TESTS_UNIT_FILE_MACHINE_H

#include "kernel/file/files.h"
#include "kernel/file/internal.h"
#include "kernel/file/jobs.h"
#include "kernel/file/path.h"
#include "kernel/file/table.h"
#include "kernel/include/errors.h"
#include "kernel/process/process.h"
#include "tests/unit/heap_machine.h"

/*
 * A machine with files: real frames and a real heap; threads, waiting, clocks, charges and user
 * memory are what is below. There is one thread: a wait calls `machine_on_wait`, which can do what
 * another thread would have done meanwhile, and ends as that says. A lock that is taken twice, a
 * wait with preemption off or with a lock held, and a lock that is left taken fail the test.
 */
void file_machine_start(uint32_t frames);

/* The same, with an archive of these bytes, at a page. */
void file_machine_start_archive(uint32_t frames, const void *archive, uint32_t bytes);

/* Every file, mapping, path context and descriptor of the test has been given back: as many frames
 * are free and as much is charged as after the start, and all checks are clean. */
void file_machine_end(void);
void file_machine_check(void);

/* Returns what the wait does: 0, -EINTR, -ETIMEDOUT. NULL: -EINTR, or a failure where the wait
 * cannot be interrupted. */
extern int (*machine_on_wait)(unsigned flags, uint64_t deadline_ns);
extern unsigned machine_waits, machine_wakes;
extern uint64_t machine_now_ns;

/* How many pages may still be charged; and so many only (UINT32_MAX: as many as there are). */
uint32_t machine_chargeable(void);
void machine_leave_chargeable(uint32_t pages);

/* User memory: addresses USER_BASE to USER_BASE + USER_BYTES. */
#define USER_BASE  0x10000000u
#define USER_BYTES 0x20000u
extern uint8_t machine_user[USER_BYTES];
uint32_t user_text(uint32_t offset, const char *text); /* the address */

/* What jobs say of the caller, and the last signals. */
extern uint32_t machine_process, machine_group, machine_session;
extern int machine_caller_signal, machine_group_signal;
extern uint32_t machine_signalled_group;
extern bool machine_is_deaf;
extern uint64_t machine_file_limit; /* RLIMIT_FSIZE */

/* The calling process. */
extern struct process machine_caller;
#define machine_files (machine_caller.files)
#define machine_paths (machine_caller.paths)

/* Lines of the log since the start, joined by newlines. */
extern char machine_log[4096];

#endif
