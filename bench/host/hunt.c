#include "bench/host/hunt.h"

#include <stdarg.h>
#include <stdio.h>

#include "bench/host/meter.h"
#include "bench/host/random.h"

#define CLIMB_STEPS 250u

uint32_t random_state;

void hunt_note(struct hunt_goal *goal, uint32_t count, const char *format, ...)
{
    va_list arguments;
    goal->calls++;
    goal->sum += count;
    if (count > goal->worst)
        goal->worst = count;
    if (count <= goal->best)
        return;
    goal->best = count;
    va_start(arguments, format);
    vsnprintf(goal->description, sizeof(goal->description), format, arguments);
    va_end(arguments);
}

static struct hunt_gene random_gene(void)
{
    uint32_t bits = random_next();
    return (struct hunt_gene){(uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint16_t)bits};
}

/* A few genes change, or a part of the sequence is repeated elsewhere in it. */
static void mutate(struct hunt_genome *genome)
{
    if (random_below(4) == 0) {
        uint32_t from = random_below(HUNT_GENES), to = random_below(HUNT_GENES);
        for (uint32_t i = random_below(24); i > 0; i--)
            genome->genes[(to + i) % HUNT_GENES] = genome->genes[(from + i) % HUNT_GENES];
        return;
    }
    for (uint32_t i = 1 + random_below(6); i > 0; i--)
        genome->genes[random_below(HUNT_GENES)] = random_gene();
}

/* The worst call first, then the mean. */
static uint64_t score(const struct hunt_goal *goal)
{
    return (uint64_t)goal->worst << 32 | (goal->calls != 0 ? goal->sum * 16 / goal->calls : 0);
}

static struct hunt_goal *goals;
static unsigned goal_count;
static void (*play)(const struct hunt_genome *);

static uint64_t judge(const struct hunt_genome *genome, const struct hunt_goal *goal)
{
    for (unsigned i = 0; i < goal_count; i++) {
        goals[i].worst = goals[i].calls = 0;
        goals[i].sum = 0;
    }
    play(genome);
    return score(goal);
}

static struct hunt_genome random_genome(void)
{
    struct hunt_genome genome;
    for (unsigned i = 0; i < HUNT_GENES; i++)
        genome.genes[i] = random_gene();
    return genome;
}

static void climb(struct hunt_goal *goal, struct hunt_genome genome)
{
    uint64_t best = judge(&genome, goal);
    for (unsigned step = 0; step < CLIMB_STEPS; step++) {
        struct hunt_genome changed = genome;
        uint64_t reached;
        mutate(&changed);
        reached = judge(&changed, goal);
        if (reached < best)
            continue;
        best = reached;
        genome = changed;
    }
    if (best < goal->champion_score)
        return;
    goal->champion_score = best;
    goal->champion = genome;
}

void hunt(uint32_t rounds, struct hunt_goal *wanted, unsigned wanted_count,
          void (*prepare)(uint32_t), void (*player)(const struct hunt_genome *))
{
    goals = wanted;
    goal_count = wanted_count;
    play = player;
    for (uint32_t round = 0; round < rounds; round++) {
        random_state = 0x9E3779B9u * (round + 1);
        prepare(round);
        for (unsigned i = 0; i < goal_count; i++)
            climb(&goals[i], round % 2 == 1 ? goals[i].champion : random_genome());
    }
    for (unsigned i = 0; i < goal_count; i++)
        if (goals[i].best != 0)
            printf("worst\t%s\t%s\t%u\t%s\n", goals[i].kind, goals[i].sort, goals[i].best,
                   goals[i].description);
}
