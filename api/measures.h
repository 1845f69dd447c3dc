/* measures.h: what the edge counts of what it answers. Any thread. */
#ifndef API_MEASURES_H
#define API_MEASURES_H

#include "base/metrics.h"

#include <stdint.h>

enum {
    MEASURES_ROUTES_MAX = 64, /* the last one: of no route */
    MEASURES_PROBLEMS_MAX = 64,
    STATUS_CLASS_COUNT = 5 /* 1xx to 5xx */
};

/* S_init is {0}. */
struct measures {
    struct histogram durations[MEASURES_ROUTES_MAX];
    _Atomic uint64_t answers[MEASURES_ROUTES_MAX][STATUS_CLASS_COUNT];
    _Atomic uint64_t problems[MEASURES_PROBLEMS_MAX]; /* by enum problem */
    _Atomic int64_t connections;
    _Atomic uint64_t commands, unacknowledged; /* sent; of them, not taken by the log in time */
    struct histogram answering; /* from a request that sends to the log's word about it */
};

/* One more answer, `us` after its request was complete; `problem` as in struct answer. */
void measures_note(struct measures *measures, int route, int status, int problem, int64_t us);

#endif
