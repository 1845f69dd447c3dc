/* shows_core.h: the seats. Decides who holds, buys and returns them; knows nothing of topics or
 * clocks.
 *
 *                    SeatsHeld            SeatsSold      SeatsReturned, the last of them
 *     (request) ───────────────▶ HELD ──────────────▶ SOLD ─────────────────────▶ RETURNED
 *          HoldExtended, HoldResized │ ▲               ▲ │ ▲
 *                     (stays held) │ └─┘               │ └─┘ SeatsReturned (some stay sold)
 *                                  ├──▶ RELEASED       │ SeatsSold{reacquired}
 *                                  └──▶ EXPIRED ───────┘ (only if nothing else took the seats)
 *
 * A show is open or paused, once cancelled never again, and archived 30 days after it began when
 * nothing is held any more and, if it was cancelled, nothing is sold. Then all of it is forgotten
 * but its id.
 *
 * One struct shows holds every show of one partition. The three functions are pure in the sense of
 * architecture §2.1: decide and due never change the state, apply folds one accepted outcome, live
 * and in recovery alike. Invariants are cited by their number in messages.md. */
#ifndef SERVICES_SHOWS_CORE_H
#define SERVICES_SHOWS_CORE_H

#include "schemas/message.h"

struct shows;

struct shows *shows_new(void);
void shows_free(struct shows *shows);

/* The outcome of `input` at `now_ms`, or false for none. A refusal is an outcome too. */
bool shows_decide(const struct shows *shows, const struct message *input, int64_t now_ms,
                  struct message *outcome);

/* When the next hold expires (its grace included) or a show is to be archived; INT64_MAX: never. */
int64_t shows_due_at(const struct shows *shows);

/* What of that is due first, if by `now_ms`. */
bool shows_due(const struct shows *shows, int64_t now_ms, struct message *outcome);

void shows_apply(struct shows *shows, const struct message *outcome);

/* The seats of a show as they are now, for tests and tools; false: no such show. */
bool shows_seats(const struct shows *shows, struct text show_id, struct after *seats);

/* Adds those of every show to `all`; by tier only the shows know them. */
void shows_all_seats(const struct shows *shows, struct after *all);

#endif
