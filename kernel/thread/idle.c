#include "kernel/cpu/cpu.h"
#include "kernel/memory/pageframe/pageframe.h"
#include "kernel/memory/platform.h"
#include "kernel/thread/internal.h"

/*
 * Nobody else wants the processor: frames are zeroed ahead, one between two looks at who is ready,
 * until there are enough; then the processor sleeps until an interrupt. A frame is zeroed without
 * being preempted, so that nobody finds one missing.
 */
_Noreturn void idle_run(void *unused)
{
    (void)unused;
    for (;;) {
        preempt_disable();
        bool has_work = pageframe_zero_one();
        preempt_enable();
        if (has_work)
            continue;
        unsigned long saved = platform_interrupts_save();
        if (thread_now->work & THREAD_WORK_SWITCH)
            thread_interrupts_restore(saved);
        else
            cpu_idle();
    }
}
