#include "bench/host/meter.h"

#include <inttypes.h>
#include <stdio.h>

#include "bench/host/measured.h"

struct meter meter;
uint32_t instruction_count, instruction_saved, instruction_repetitions;

static const char *const kind_names[METER_KINDS] = {"alloc", "free", "realloc"};
static const char *const row_names[METER_ROWS] = {"plain", "one-page", "special"};

void meter_note(enum meter_kind kind, enum meter_row row, uint32_t count, uint32_t argument)
{
    struct meter_histogram *histogram = &meter.histograms[kind][row];
    struct meter_worst *worst = &meter.worst[kind][row];
    if (count > worst->count)
        *worst = (struct meter_worst){count, argument, meter.calls};
    meter.calls++;
    meter.total += count;
    if (!meter.is_measuring)
        return;
    histogram->calls++;
    histogram->sum += count;
    if (count > histogram->max)
        histogram->max = count;
    if (count < METER_BUCKETS)
        histogram->buckets[count]++;
}

/* The smallest count that 99 of 100 calls do not exceed. */
static uint32_t percentile_99(const struct meter_histogram *histogram)
{
    uint64_t wanted = (histogram->calls * 99 + 99) / 100, seen = 0;
    for (uint32_t count = 0; count < METER_BUCKETS; count++) {
        seen += histogram->buckets[count];
        if (seen >= wanted)
            return count;
    }
    return histogram->max;
}

void meter_print(const char *trace)
{
    for (unsigned kind = 0; kind < METER_KINDS; kind++)
        for (unsigned row = 0; row < METER_ROWS; row++) {
            const struct meter_histogram *histogram = &meter.histograms[kind][row];
            const struct meter_worst *worst = &meter.worst[kind][row];
            if (histogram->calls != 0 || worst->count != 0)
                printf("count\t%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu32 "\t%" PRIu32
                       "\t%" PRIu32 "\t%" PRIu32 "\n",
                       trace, kind_names[kind], row_names[row], histogram->calls, histogram->sum,
                       percentile_99(histogram), histogram->max, worst->count, worst->argument);
        }
    printf("total\t%s\t%" PRIu64 "\t%" PRIu64 "\n", trace, meter.calls, meter.total);
}

static uint64_t pages_moved(const struct heap_allocator *allocator)
{
    return allocator->pages_moved != NULL ? allocator->pages_moved() : 0;
}

static enum meter_row row_of(const struct heap_allocator *allocator, uint64_t moved_before)
{
    uint64_t moved = pages_moved(allocator) - moved_before;
    if (moved == 0)
        return METER_PLAIN;
    return moved == 1 ? METER_ONE_PAGE : METER_SPECIAL;
}

static enum meter_row row_of_order(unsigned order)
{
    return order == 0 ? METER_PLAIN : METER_SPECIAL;
}

void *meter_alloc(const struct heap_allocator *allocator, size_t bytes)
{
    uint64_t pages = pages_moved(allocator);
    uint32_t before = instruction_count;
    void *object = meter.is_measuring ? measured_alloc(allocator, bytes) : allocator->alloc(bytes);
    uint32_t count = instruction_count - before;
    meter_note(METER_ALLOC, row_of(allocator, pages), count, bytes);
    return object;
}

void meter_free(const struct heap_allocator *allocator, void *object)
{
    uint64_t pages = pages_moved(allocator);
    uint32_t before = instruction_count, count;
    if (meter.is_measuring)
        measured_free(allocator, object);
    else
        allocator->free(object);
    count = instruction_count - before;
    meter_note(METER_FREE, row_of(allocator, pages), count, (uint32_t)(uintptr_t)object);
}

void *meter_realloc(const struct heap_allocator *allocator, void *object, size_t bytes)
{
    uint64_t pages = pages_moved(allocator);
    uint32_t before = instruction_count, count;
    object = meter.is_measuring ? measured_realloc(allocator, object, bytes)
                                : allocator->realloc(object, bytes);
    count = instruction_count - before;
    meter_note(METER_REALLOC, row_of(allocator, pages), count, bytes);
    return object;
}

int meter_frame_alloc(const struct frame_allocator *allocator, unsigned order)
{
    uint32_t before = instruction_count;
    int frame = allocator->alloc(order);
    meter_note(METER_ALLOC, row_of_order(order), instruction_count - before, order);
    return frame;
}

void meter_frame_free(const struct frame_allocator *allocator, int frame, unsigned order)
{
    uint32_t before = instruction_count;
    allocator->free(frame, order);
    meter_note(METER_FREE, row_of_order(order), instruction_count - before, order);
}
