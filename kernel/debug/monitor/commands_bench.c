/* `bench`. */
#include "kernel/debug/bench/bench.h"
#include "kernel/debug/monitor/commands.h"
#include "kernel/debug/monitor/monitor.h"
#include "kernel/include/errors.h"

bool command_bench(unsigned count, char **arguments)
{
    if (bench_run(count == 0 ? NULL : arguments[0]) != -ENOENT)
        return true;
    monitor_print("There is no bench \"%s\".\n", count == 0 ? "" : arguments[0]);
    return false;
}
