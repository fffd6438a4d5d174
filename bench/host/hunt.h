#ifndef BENCH_HOST_HUNT_H
#define BENCH_HOST_HUNT_H

#include "kernel/include/types.h"

/*
 * The search for the worst single call: sequences of operations, written for what our structures
 * find hard, are changed at random, and what makes the worst call worse is kept (hill climbing).
 * Everything follows from the number of the round.
 */
#define HUNT_GENES 160u

struct hunt_gene {
    uint8_t action;
    uint8_t choice;
    uint16_t value;
};

struct hunt_genome {
    struct hunt_gene genes[HUNT_GENES];
};

/* One thing to make as large as possible: what it is called in the results, and where it stands. */
struct hunt_goal {
    const char *kind, *sort;
    uint32_t worst; /* of the run that is under way */
    uint64_t sum;   /* of all calls of that sort: tells two runs with the same worst call apart */
    uint32_t calls;
    uint32_t best; /* of all runs */
    char description[96];
    struct hunt_genome champion; /* of the climbs so far */
    uint64_t champion_score;
};

/* Notes a call under a goal. A new maximum of all runs gets the description. */
void hunt_note(struct hunt_goal *goal, uint32_t count, const char *format, ...) PRINTF_LIKE(3, 4);

/* The program: `rounds` climbs for each goal, from a random sequence or, every other
 * round, from the best one so far. `play` runs a sequence
 * and leaves everything as it was before; `prepare` comes before each round. */
void hunt(uint32_t rounds, struct hunt_goal *goals, unsigned goal_count, void (*prepare)(uint32_t),
          void (*play)(const struct hunt_genome *));

#endif
