#include "kernel/thread/run_queue.h"
#include "tests/unit/test.h"

#define THREADS 64u

/* Against a naive model: who was queued when, with what. */
struct model {
    struct thread thread;
    bool is_queued;
    bool is_expired;
    int64_t stamp; /* order among equals; the front gets lower ones */
};

static struct model models[THREADS];
static int64_t next_back, next_front;
static struct run_queue queue;

static void reset(void)
{
    memset(models, 0, sizeof(models));
    memset(&queue, 0, sizeof(queue));
    next_back = 1;
    next_front = -1;
}

static void add(struct model *model, enum run_queue_end end)
{
    bool has_slice = model->thread.slice_left != 0;
    bool is_fair = model->thread.effective_priority == 0;
    model->is_expired = is_fair && !has_slice;
    model->stamp = end == RUN_QUEUE_FRONT && has_slice ? next_front-- : next_back++;
    model->is_queued = true;
    run_queue_add(&queue, &model->thread, end);
    CHECK(model->thread.slice_left > 0);
}

static bool is_before(const struct model *a, const struct model *b)
{
    if (a->thread.effective_priority != b->thread.effective_priority)
        return a->thread.effective_priority > b->thread.effective_priority;
    if (a->is_expired != b->is_expired)
        return b->is_expired;
    return a->stamp < b->stamp;
}

/* The first of all; when no fair thread has a slice left, the expired ones have their turn. */
static struct model *first(void)
{
    struct model *found = NULL;
    for (unsigned i = 0; i < THREADS; i++)
        if (models[i].is_queued && (found == NULL || is_before(&models[i], found)))
            found = &models[i];
    if (found != NULL && found->is_expired)
        for (unsigned i = 0; i < THREADS; i++)
            models[i].is_expired = false;
    return found;
}

/* One that is not queued gives way to the first. */
static void exchange(struct model *running)
{
    struct model *expected = first();
    const uint16_t slice = running->thread.slice_left;
    if (expected == NULL ||
        expected->thread.effective_priority < running->thread.effective_priority) {
        CHECK(run_queue_exchange(&queue, &running->thread) == NULL);
        CHECK_EQUAL(running->thread.slice_left, slice);
        return;
    }
    expected->is_queued = false;
    running->is_queued = true;
    running->is_expired = running->thread.effective_priority == 0 && slice == 0;
    running->stamp = next_back++;
    CHECK(run_queue_exchange(&queue, &running->thread) == &expected->thread);
    CHECK(running->thread.slice_left > 0 && expected->thread.ready_queue == NULL);
}

TEST(run_queue_agrees_with_a_model)
{
    reset();
    for (unsigned step = 0; step < 200000; step++) {
        struct model *model = &models[test_random_range(0, THREADS - 1)];
        if (model->is_queued) {
            run_queue_remove(&queue, &model->thread);
            model->is_queued = false;
        } else {
            model->thread.effective_priority =
                (uint8_t)(test_random_range(0, 1) ? 0 : test_random_range(1, 99));
            model->thread.nice = (int8_t)((int)test_random_range(0, 39) - 20);
            model->thread.slice_left = (uint16_t)test_random_range(0, 3);
            if (test_random_range(0, 2) == 0)
                exchange(model);
            else
                add(model, test_random_range(0, 3) == 0 ? RUN_QUEUE_FRONT : RUN_QUEUE_BACK);
        }
        struct model *expected = first();
        CHECK(run_queue_first(&queue) == (expected != NULL ? &expected->thread : NULL));
        if (step % 64 == 0)
            CHECK(run_queue_is_sound(&queue));
    }
}

TEST(run_queue_slices)
{
    static const struct {
        int nice;
        enum thread_policy policy;
        uint8_t priority;
        uint16_t slice;
    } rows[] = {
        {0, THREAD_FAIR, 0, THREAD_SLICE_TICKS},
        {-20, THREAD_FAIR, 0, 2 * THREAD_SLICE_TICKS},
        {19, THREAD_FAIR, 0, 1},
        {10, THREAD_BATCH, 0, THREAD_SLICE_TICKS / 2},
        {-20, THREAD_IDLE, 0, 1},
        {19, THREAD_ROUND_ROBIN, 7, THREAD_SLICE_TICKS},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        struct thread thread = {.nice = (int8_t)rows[i].nice,
                                .policy = rows[i].policy,
                                .effective_priority = rows[i].priority};
        CHECK_EQUAL(run_queue_slice(&thread), rows[i].slice);
    }
}

TEST(run_queue_precedence)
{
    struct thread high = {.effective_priority = 2, .policy = THREAD_FIFO, .slice_left = 1};
    struct thread fifo = {.effective_priority = 1, .policy = THREAD_FIFO};
    struct thread turn = {.effective_priority = 1, .policy = THREAD_ROUND_ROBIN};
    struct thread fair = {.slice_left = 1};
    CHECK(run_queue_precedes(&high, &fifo) && !run_queue_precedes(&fifo, &high));
    CHECK(run_queue_precedes(&fifo, &turn)); /* its slice is over */
    CHECK(!run_queue_precedes(&turn, &fifo));
    CHECK(!run_queue_precedes(&fair, &fair));
}

TEST(run_queue_finds_broken_links)
{
    reset();
    for (unsigned i = 0; i < 3; i++)
        add(&models[i], RUN_QUEUE_BACK);
    CHECK(run_queue_is_sound(&queue));
    queue.count++;
    CHECK(!run_queue_is_sound(&queue));
    queue.count--;
    queue.occupied[2] ^= 1;
    CHECK(!run_queue_is_sound(&queue));
    queue.occupied[2] ^= 1;
    queue.occupied_words ^= 1;
    CHECK(!run_queue_is_sound(&queue));
    queue.occupied_words ^= 1;
    CHECK(run_queue_is_sound(&queue));
    models[1].thread.ready_previous = NULL;
    CHECK(!run_queue_is_sound(&queue));
}
