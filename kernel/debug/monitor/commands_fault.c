/* Forbidden things, done for real, to see them diagnosed. */
#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/lib/string.h"
#include "kernel/memory/heap/heap.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/platform.h"

/* The compiler must not know what a pointer is, or it would act on what it knows. */
static void *hidden(uintptr_t address)
{
    __asm__("" : "+r"(address));
    return (void *)address;
}

static void fault_null(void)
{
    (void)*(volatile uint32_t *)hidden(MAP_NULL_START);
}

static void fault_guard(void)
{
    *(volatile uint32_t *)hidden(MAP_GUARD_BELOW_END - sizeof(uint32_t)) = 0;
}

static void fault_rodata(void)
{
    static const uint32_t constant = 0x32;
    *(volatile uint32_t *)hidden((uintptr_t)&constant) = 0;
}

static void fault_nx(void)
{
    static uint8_t data[] = {0xC3}; /* ret */
    if (!platform_features.no_execute) {
        monitor_print(
            "This processor has no no-execute bit: data can be executed here, and nothing "
            "would be seen. Nothing was done.\n");
        return;
    }
    ((void (*)(void))(uintptr_t)hidden((uintptr_t)data))();
}

/* Each call takes a page of the stack, so that the backtrace ends at the prompt and not before. The
 * call goes through a pointer that the compiler does not know: no loop, no copy of the function. */
static uint32_t fault_stack_deeper(uint32_t depth)
{
    volatile uint8_t kept[4096];
    uint32_t (*deeper)(uint32_t) =
        (uint32_t(*)(uint32_t))(uintptr_t)hidden((uintptr_t)fault_stack_deeper);
    __asm__ volatile("" : : "r"(kept) : "memory"); /* all of it is used, for all one knows */
    kept[0] = (uint8_t)depth;
    return deeper(depth + 1) + kept[0];
}

static void fault_stack(void)
{
    (void)fault_stack_deeper(0);
}

static const struct {
    const char *name;
    enum heap_misuse misuse;
} misuses[] = {
    {"double", HEAP_DOUBLE_FREE},
    {"foreign", HEAP_FOREIGN_FREE},
    {"interior", HEAP_INTERIOR_FREE},
    {"misaligned", HEAP_MISALIGNED_FREE},
};

/* Frees what must not be freed, and says whether the heap recognised it as what it is. */
static void misuse(unsigned index, uintptr_t address)
{
    struct heap_statistics before, after;
    heap_read_statistics(&before);
    kfree(hidden(address));
    heap_read_statistics(&after);
    enum heap_misuse kind = misuses[index].misuse;
    bool is_refused = after.misuses[kind] == before.misuses[kind] + 1 &&
                      after.frees == before.frees && after.objects == before.objects;
    monitor_print("%-10s kfree(0x%08x): %s\n", misuses[index].name, (uint32_t)address,
                  is_refused ? "recognised and refused" : "NOT RECOGNISED");
}

static void fault_heap(void)
{
    uint8_t *freed = kmalloc(64), *object = kmalloc(64);
    if (freed == NULL || object == NULL) {
        monitor_print("The heap has no memory to misuse.\n");
    } else {
        uintptr_t address = (uintptr_t)freed;
        kfree(freed);
        freed = NULL;
        misuse(0, address);
        misuse(1, (uintptr_t)misuses);
        misuse(2, (uintptr_t)object + 16);
        misuse(3, (uintptr_t)object + 1);
    }
    kfree(freed);
    kfree(object);
}

bool command_fault(unsigned count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } kinds[] = {{"null", fault_null},         {"guard", fault_guard},
                 {"rodata", fault_rodata},     {"nx", fault_nx},
                 {"stack", fault_stack},       {"heap", fault_heap},
                 {"overrun", mistake_overrun}, {"underrun", mistake_underrun},
                 {"freed", mistake_freed},     {"double", mistake_double},
                 {"leak", mistake_leak}};
    (void)count;
    for (unsigned i = 0; i < ARRAY_COUNT(kinds); i++)
        if (strcmp(arguments[0], kinds[i].name) == 0) {
            kinds[i].run();
            return true;
        }
    monitor_print("There is no fault \"%s\".\n", arguments[0]);
    return false;
}
