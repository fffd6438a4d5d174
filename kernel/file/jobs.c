#include "kernel/file/jobs.h"

#include "kernel/include/errors.h"

static uint32_t nobody(void)
{
    return 0;
}

static void ignore_signal(int signal)
{
    (void)signal;
}

static void ignore_group_signal(uint32_t group, int signal)
{
    (void)group;
    (void)signal;
}

static bool is_deaf(int signal)
{
    (void)signal;
    return true;
}

static uint32_t no_session(uint32_t group)
{
    (void)group;
    return 0;
}

static uint64_t no_limit(void)
{
    return UINT64_MAX;
}

static int begin_mask(uint32_t mask, uint32_t bytes)
{
    (void)bytes;
    return mask == 0 ? 0 : -EINVAL;
}

static void end_mask(uint32_t mask, int32_t result)
{
    (void)mask;
    (void)result;
}

static const struct file_jobs no_jobs = {
    .begin_mask = begin_mask,
    .end_mask = end_mask,
    .process = nobody,
    .group = nobody,
    .session = nobody,
    .signal_caller = ignore_signal,
    .signal_group = ignore_group_signal,
    .is_deaf = is_deaf,
    .file_bytes_limit = no_limit,
    .session_of_group = no_session,
};

static const struct file_jobs *jobs = &no_jobs;

void file_set_jobs(const struct file_jobs *given)
{
    jobs = given;
}

const struct file_jobs *file_jobs(void)
{
    return jobs;
}
