/* judge.h: the whole log, shown to an auditor. */
#ifndef TESTS_SIM_JUDGE_H
#define TESTS_SIM_JUDGE_H

#include "audit/audit.h"
#include "tests/sim/coverage.h"

/* Every record of every topic; `coverage` NULL: only to the auditor. */
void judge_show(const struct world *world, struct audit *audit, struct coverage *coverage);

#endif
