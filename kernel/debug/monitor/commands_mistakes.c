/* Mistakes with objects of the heap, made for real: what becomes of them depends on the guard and
 * on the build. */
#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/memory/heap/heap.h"

/* Whole, and under its own name; gcc would make special copies otherwise. */
#if __has_attribute(noipa)
#define NOT_INLINED __attribute__((noipa))
#else
#define NOT_INLINED __attribute__((noinline))
#endif

#define BYTES 64u /* a whole number of granules: a guarded object ends where its page ends */

/* By these names, reports are to name who did what. */
static NOT_INLINED uint8_t *mistake_allocator(void)
{
    uint8_t *volatile object = kmalloc(BYTES);
    return object;
}

static NOT_INLINED void mistake_freer(uint8_t *object)
{
    kfree(object);
    __asm__ volatile("" : : : "memory"); /* no jump: this function is to be the caller */
}

static NOT_INLINED void mistake_writer(volatile uint8_t *at)
{
    *at = 1;
}

/* An object, or NULL after a sentence. */
static uint8_t *take(void)
{
    uint8_t *object = mistake_allocator();
    if (object == NULL)
        monitor_print("The heap has no memory to misuse.\n");
    return object;
}

static void write_beside(int32_t offset)
{
    uint8_t *object = take();
    if (object == NULL)
        return;
    mistake_writer(object + offset);
    monitor_print("Nothing stopped the write; kfree follows.\n");
    mistake_freer(object);
}

void mistake_overrun(void)
{
    write_beside(BYTES);
}

void mistake_underrun(void)
{
    write_beside(-1);
}

void mistake_freed(void)
{
    uint8_t *object = take();
    if (object == NULL)
        return;
    mistake_freer(object);
    mistake_writer(object + 3);
    monitor_print("Nothing stopped the write.\n");
}

void mistake_double(void)
{
    uint8_t *object = take();
    if (object == NULL)
        return;
    mistake_freer(object);
    mistake_freer(object);
}

/* Three objects that nobody will ever free. */
void mistake_leak(void)
{
    for (unsigned i = 0; i < 3; i++)
        (void)take();
}
