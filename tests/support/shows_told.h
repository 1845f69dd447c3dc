/* shows_told.h: what the events of shows tell, folded by a spectator who does not know the core.
 *
 * It watches a play of the shows service and holds every outcome against its own books and against
 * the table of messages.md: each rejection has the first reason of its ladder that is true, and
 * what is granted has none (invariants 5, 7, 10); every field of an outcome follows from the input
 * and the books; `seq` is gapless and `after` is the fold (1, 2); a hold lives as it may (3);
 * timers keep their times (9). A breach fails the test. One thread. */
#ifndef TESTS_SUPPORT_SHOWS_TOLD_H
#define TESTS_SUPPORT_SHOWS_TOLD_H

#include "tests/support/core_play.h"

struct told;

/* Watches the play from its beginning; closed after it. */
struct told *told_open(struct play *play);
void told_close(struct told *told);

/* For those who make up what comes next. */
bool told_has_show(const struct told *told, const char *show_id); /* archived ones, too */
bool told_has_hold(const struct told *told, int reservation);     /* of any state; r<reservation> */
int64_t told_amount_minor(const struct told *told, int reservation); /* of all its seats; 0: none */

/* A table of the shows service with such a spectator. */
void told_table(const struct play_row *rows, size_t count, const char *always);

#define TOLD_TABLE(rows, always) told_table(rows, sizeof(rows) / sizeof *(rows), always)

#endif
