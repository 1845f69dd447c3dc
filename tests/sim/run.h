/* run.h: one plan, run and run again; and the smallest plan that still fails. */
#ifndef TESTS_SIM_RUN_H
#define TESTS_SIM_RUN_H

#include "tests/sim/world.h"

struct run_result {
    char breach[WORLD_BREACH_SIZE]; /* "": it held */
    uint64_t hash;
};

/* `tell`: the story goes to stdout. */
void run_once(const struct plan *plan, struct tally *tally, bool tell, struct run_result *result);

/* Twice, the second time unjudged and with every value decoded anew; two runs that differ are a
 * breach too. */
void run_twice(const struct plan *plan, struct tally *tally, struct run_result *result);

/* Fewer rounds, and without whatever is not needed for it to fail in some way. At most `tries`
 * runs. */
void run_shrink(struct plan *plan, int tries);

/* "--seed 7 --rounds 120 --without crash,freeze": the options that give the plan again. */
void plan_print(const struct plan *plan);

#endif
