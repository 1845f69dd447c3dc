/* evening.h: one short evening on the simulated log, always the same but for the installation's id:
 * what the tests of the auditor read. tests/audit/good.log tells it. One thread, one at a time. */
#ifndef TESTS_SUPPORT_EVENING_H
#define TESTS_SUPPORT_EVENING_H

#include "bus/installation.h"
#include "bus/sim.h"

enum { EVENING_PARTITIONS = 2 };

/* Plays it, to the end and a while beyond; the log is good until evening_end. */
const struct sim *evening_play(struct installation *installation);
void evening_end(void);

#endif
