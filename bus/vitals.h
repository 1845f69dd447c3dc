/* vitals.h: the vital signs of a service: what its loop tells of itself while it works.
 *
 * Written by the loop alone, without a lock; read by any thread. Nothing is decided by it. What is
 * counted is true at once; how things stand is as of a moment ago, VITALS_EVERY_MS at most. */
#ifndef BUS_VITALS_H
#define BUS_VITALS_H

#include "base/metrics.h"
#include "bus/fence.h"
#include "schemas/message.h"

enum {
    VITALS_EVERY_MS = 1000,
    VITALS_UNDER_WAY_MAX = 256 /* appends of one desk whose way to being read back is timed */
};

/* What one thread counts. */
static inline void vitals_count(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* An append of ours that was not read back yet. */
struct under_way {
    uint64_t n;          /* its stamp */
    int64_t appended_us; /* monotonic */
    int64_t input_ms;    /* append time of what it answers, by the log's clock; -1: the timer */
};

/* Of one partition; see desk.h for the phases. */
struct desk_vitals {
    _Atomic int phase;
    _Atomic bool assigned;
    _Atomic bool recovered;
    _Atomic int64_t behind[FENCE_INPUTS_MAX];    /* records not handled; -1: not known */
    _Atomic int64_t behind_ms[FENCE_INPUTS_MAX]; /* age of the oldest of them; 0: there is none */
};

struct vitals {
    _Atomic uint64_t outcomes[MESSAGE_COUNT];
    _Atomic uint64_t refusals[code_COUNT], rejections[reason_COUNT];
    _Atomic uint64_t decided, skipped, timers;
    _Atomic uint64_t claims, fenced, stepped_down, lost, voids;
    _Atomic uint64_t outages, returns; /* of the bus */

    struct histogram deciding;  /* from a record's arrival until the loop is free again */
    struct histogram appending; /* from an append until it is read back */
    struct histogram answering; /* from an input's append time to its outcome's */

    _Atomic bool down;  /* the bus does not answer */
    _Atomic bool ready; /* as service_ready */
    _Atomic bool warm;  /* it has read what was decided before it began */
    _Atomic bool settled;
    _Atomic int64_t recovered, to_recover; /* records; equal when there is nothing to recover */
    _Atomic int64_t overdue_ms;            /* how late the timer's most late decision is */
    _Atomic int64_t held, sold, blocked, free, oversold; /* seats, of whoever has any */
    _Atomic int64_t turned_ms;                           /* monotonic: when the last turn began */
    int64_t looked_ms; /* the loop's own: when it last told how things stand */
};

#endif
