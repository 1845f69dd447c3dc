/* trouble.h: what may befall a log, on any kind of stage. Where the log has to be killed for it,
 * the stage must be on a log of its own (stage_open). A breach fails the running test. */
#ifndef TESTS_SUPPORT_TROUBLE_H
#define TESTS_SUPPORT_TROUBLE_H

#include "tests/support/stage.h"

/* Out of reach until told otherwise. Kafka: kill -9 and a new start. SQLite: somebody else holds
 * the write lock, so it can be read. */
void trouble_outage(struct stage *stage, bool down);

/* As an outage, but nobody is told: Kafka is frozen, with what it was sent in its socket. */
void trouble_silence(struct stage *stage, bool silent);

/* Whatever holds the log down lets go of it: a stage closes. */
void trouble_over(struct stage *stage);

/* The records below are eaten, as by retention. */
void trouble_eat(struct stage *stage, int topic, int partition, int64_t below);

/* A record and behind it an offset that holds none. Kafka: a stranger's transaction. */
void trouble_hole(struct stage *stage, int topic, int partition, const char *value);

#endif
