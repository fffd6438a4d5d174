// Time: clocks, sleeping, timers.
#include "check.h"

#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>

static volatile int alarms;

static void count_alarm(int number)
{
    (void)number;
    alarms++;
}

/* The calls with 64-bit times: what a C library of today uses. */
#define gettime(clock, to) syscall(SYS_clock_gettime64, clock, to)

static int64_t now_us(void)
{
    struct timespec time;
    MUST(clock_gettime(CLOCK_MONOTONIC, &time));
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void clocks(void)
{
    SECTION("clocks");
    struct timespec first, second, resolution;
    int64_t wide[2];
    TRY(gettime(CLOCK_REALTIME, wide));
    TRUE(wide[0] > 1500000000 && wide[1] >= 0 && wide[1] < 1000000000);
    TRY(gettime(CLOCK_MONOTONIC, wide));
    TRY(gettime(99, wide));
    TRY(gettime(CLOCK_REALTIME, 1));
    TRY(syscall(SYS_clock_gettime32, CLOCK_MONOTONIC, &first));
    TRY(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &first));
    TRY(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &first));
    TRY(clock_gettime(CLOCK_BOOTTIME, &first));
    bool forward = true;
    MUST(clock_gettime(CLOCK_MONOTONIC, &first));
    for (int i = 0; i < 10000; i++) {
        MUST(clock_gettime(CLOCK_MONOTONIC, &second));
        forward &= second.tv_sec > first.tv_sec ||
                   (second.tv_sec == first.tv_sec && second.tv_nsec >= first.tv_nsec);
        first = second;
    }
    TRUE(forward);
    TRUE(clock_getres(CLOCK_MONOTONIC, &resolution) == 0 && resolution.tv_sec == 0);
    TRY(clock_getres(99, &resolution));
    struct timeval day;
    TRUE(gettimeofday(&day, NULL) == 0 && day.tv_sec > 1500000000 && day.tv_usec < 1000000);
    TRUE(time(NULL) >= day.tv_sec);
    struct tms used;
    TRUE(times(&used) != -1 && used.tms_utime >= 0);
}

static void sleeping(void)
{
    SECTION("nanosleep");
    struct timespec time = {0, 20000000}, left;
    int64_t before = now_us();
    TRY(nanosleep(&time, &left));
    TRUE(now_us() - before >= 20000);
    time.tv_nsec = 1000000000;
    TRY(nanosleep(&time, &left));
    time = (struct timespec){-1, 0};
    TRY(nanosleep(&time, &left));
    TRY(syscall(SYS_nanosleep, 1, NULL));
    time = (struct timespec){0, 0};
    TRY(nanosleep(&time, NULL));
    time = (struct timespec){0, 10000000};
    TRY(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL));
    before = now_us();
    MUST(clock_gettime(CLOCK_MONOTONIC, &time));
    time.tv_nsec += 20000000;
    if (time.tv_nsec >= 1000000000)
        time = (struct timespec){time.tv_sec + 1, time.tv_nsec - 1000000000};
    TRUE(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == 0);
    TRUE(now_us() - before >= 20000);
}

static void timers(void)
{
    SECTION("setitimer and alarm");
    struct itimerval set = {.it_interval = {0, 10000}, .it_value = {0, 10000}}, old,
                     wrong = {.it_value = {0, 1000000}};
    signal(SIGALRM, count_alarm);
    TRY(setitimer(ITIMER_REAL, &set, NULL));
    while (alarms < 3)
        pause();
    TRUE(getitimer(ITIMER_REAL, &old) == 0 && old.it_interval.tv_usec == 10000);
    TRUE(setitimer(ITIMER_REAL, &(struct itimerval){0}, &old) == 0 &&
         old.it_interval.tv_usec == 10000);
    int count = alarms;
    usleep(40000);
    TRUE(alarms == count);
    TRY(setitimer(ITIMER_REAL, &wrong, NULL));
    TRY(setitimer(99, &set, NULL));
    TRY(syscall(SYS_setitimer, ITIMER_REAL, 1, NULL));
    TRY(syscall(SYS_getitimer, ITIMER_REAL, 1));
    VALUE(alarm(100));
    TRUE(alarm(0) >= 99);
    IN_CHILD("a child has no timers", {
        set.it_interval.tv_usec = 0;
        _exit(alarms == count && getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_usec == 0
                  ? 0
                  : 1);
    });
    IN_CHILD("an alarm without a handler", signal(SIGALRM, SIG_DFL); set.it_value.tv_usec = 1000;
             setitimer(ITIMER_REAL, &set, NULL); pause());
    alarms = 0;
    signal(SIGVTALRM, count_alarm);
    MUST(setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value = {0, 20000}}, NULL));
    while (alarms == 0)
        ;
    TRUE(alarms == 1);
}

int main(void)
{
    clocks();
    sleeping();
    timers();
    return done();
}
