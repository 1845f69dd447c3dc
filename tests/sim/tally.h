/* tally.h: what happened in all runs, printed. */
#ifndef TESTS_SIM_TALLY_H
#define TESTS_SIM_TALLY_H

#include "tests/sim/world.h"

void tally_add(struct tally *sum, const struct tally *more);

/* Prints it; returns how many points, messages, reasons and codes never occurred. */
int tally_print(const struct tally *tally);

#endif
