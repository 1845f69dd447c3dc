/* clock.h: base/clock.h over simulated time. clock.c defines its functions again; being linked
 * before core.a it takes their place in this program. The monotonic clock is the simulator's time,
 * the wall clock the log's, steps included. Whoever measures this machine asks clock_gettime. */
#ifndef TESTS_SIM_CLOCK_H
#define TESTS_SIM_CLOCK_H

#include "bus/sim.h"

/* Whose time it is from now on; NULL: nobody's, and it is 0. Borrowed. */
void clock_follow(const struct sim *sim);

/* While it hurries every look at the monotonic clock makes it later: whoever waits for something in
 * a loop of his own, as a process does while it opens the log, gives up in the end. */
void clock_hurry(bool hurry);

#endif
