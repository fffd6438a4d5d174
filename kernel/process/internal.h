#ifndef KERNEL_PROCESS_INTERNAL_H
#define KERNEL_PROCESS_INTERNAL_H

#include "kernel/process/process.h"

/* For the files of this folder. */

/* The parent of a process that ended, stopped or goes on gets its signal, and whoever waits wakes.
 */
void signal_tell_parent(struct process *process, int code, int status);

/* signal_action.c; interrupts off for both. 0, -ENOMEM. */
int signal_actions_set(struct signal_actions *actions, int signal,
                       const struct signal_action *action) MUST_CHECK;
void signal_actions_set_default(struct signal_actions *actions, int signal);

/* A child has what its parent has. */
void signal_actions_share(const struct signal_actions *from, struct signal_actions *to);
/* Handlers go, and with them what was said of any signal; ignored ones stay ignored. */
void signal_actions_drop(struct signal_actions *actions);
/* What is wrong, or NULL; so many processes have the same table. */
const char *signal_actions_check(const struct signal_actions *actions, uint32_t holders);
int signal_actions_init(void) MUST_CHECK;

/* A handler's frame on the user's stack, and the trap frame leads to it. 0 or -EFAULT. */
int signal_frame_push(struct user_thread *thread, struct trap_frame *frame,
                      const struct signal_action *action,
                      const struct signal_information *information, signal_set_t mask) MUST_CHECK;

/* A thread of the process, which is not started; it inherits nothing. NULL: exhausted. */
struct user_thread *user_thread_create(struct process *process, const char *name);
void user_thread_discard(struct user_thread *thread);
void user_thread_release(struct user_thread *thread);

/* Ids and tables. Preemption off. */
uint32_t process_new_id(void); /* 0: none is free */
void process_enter(struct process *process);
void process_leave(struct process *process);
void user_thread_enter(struct user_thread *thread);
void user_thread_leave(struct user_thread *thread);

struct process *process_alloc(void);
void process_free(struct process *process);
void process_adopt(struct process *parent, struct process *child);
void process_abandon(struct process *child);

/* Limits of memory as the space wants them. */
void process_apply_limits(struct process *process);
void process_limit_space(const struct process *process, struct space *space);

/* The parent that waits for an exec or an exit goes on. */
void process_end_vfork(struct process *process);

int process_sources_init(void);

#endif
