/* following.h: what a process that follows the log tells of itself: an edge, the paydesk.
 *
 * The twin of vitals.h for readers: written by the thread of the bus, without a lock; read by any
 * thread. Nothing is decided by it. */
#ifndef BUS_FOLLOWING_H
#define BUS_FOLLOWING_H

#include "bus/follower.h"
#include "process/readiness.h"

#include <stdatomic.h>

enum { FOLLOWING_EVERY_MS = 1000 };

/* S_init is {0}. */
struct following {
    _Atomic(const struct bus *) bus; /* NULL: not yet, or no more */
    _Atomic bool down, caught_up, lost;
    _Atomic uint64_t outages, returns; /* of the bus */
    _Atomic uint64_t events, voids;    /* read */
    _Atomic int64_t read, to_read;     /* records since the start, until it has caught up */
    _Atomic int64_t behind, behind_ms; /* records that are there and not read; age of the oldest */
    _Atomic int64_t turned_ms;         /* monotonic: the last turn of the bus's thread */

    int64_t looked_ms, behind_since_ms, newest_ms; /* the thread's own */
};

/* Each event of the bus, and what the follower made of it. */
void following_hear(struct following *following, const struct bus_event *event,
                    enum follower_news news);

/* Once a turn. `wall_ms`: the machine's clock, which is near the log's. */
void following_look(struct following *following, const struct follower *follower, int64_t now_ms,
                    int64_t wall_ms);

/* log_reachable, caught_up, log_intact, keeping_up, turning. */
void following_readiness(const struct following *following, int64_t now_ms,
                         struct readiness *readiness);
void following_metrics(const struct following *following, struct buffer *out);

/* How long the thread of the bus has not turned. */
int64_t following_still_ms(const struct following *following, int64_t now_ms);

#endif
