/* plays.h: the cases of the conformance suite, a table for each part of bus.h, and what they share.
 * A play gets a fresh stage of any kind and says only what it waits for; the stage's journals judge
 * all the rest. Which promise is held by which play: tests/bus/README.md. */
#ifndef TESTS_BUS_PLAYS_PLAYS_H
#define TESTS_BUS_PLAYS_PLAYS_H

#include "tests/support/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Which kinds of log a play is about; whether it breaks the log, which is then its own; whether
 * threads of a handle meet in it, so that ThreadSanitizer shall watch. */
enum { REAL = ON_SQLITE | ON_KAFKA, ANYWHERE = ON_SIM | REAL, BREAKS = 8, THREADS = 16 };

struct play {
    const char *name; /* NULL ends a table */
    void (*run)(struct stage *);
    unsigned where;
};

#define PLAY(function, where)                                                                      \
    {                                                                                              \
#function, function, where                                                                 \
    }

extern const struct play landing_plays[], staying_plays[], reading_plays[], claims_plays[],
    limits_plays[], topics_plays[], membership_plays[], waiting_plays[], trouble_plays[];

static const int both_topics[STAGE_TOPICS] = {ACTS, SCENES};

enum { ALL = (1 << STAGE_PARTITIONS) - 1, HANDOVER_MS = 4000 };

/* The values of a partition are `first`, `first`+1, …: what role_say_lines said. */
void assert_lines(struct role *reader, int topic, int partition, int first, int count);

void assert_same_text(struct text came, struct text went);

#endif
