/* tracing.h: the trace that a request belongs to, and what the edge tells of its part.
 *
 * What a caller sends as traceparent goes back to him and into the records that his request makes.
 * Where there is a collector (process/spans.h) the edge's own span stands in its place, so that
 * what the services do hangs below it; and who sends none begins a trace. Probes and what is
 * answered at a glance begin none. Any thread, for its own request. */
#ifndef API_TRACING_H
#define API_TRACING_H

#include "base/trace.h"

#include <stdbool.h>
#include <stdint.h>

struct request;

/* The edge's part. S_init is {0}. */
struct tracing {
    bool told;          /* it is to be told */
    struct trace trace; /* with the edge's own span */
    uint64_t parent;    /* the caller's; 0: it began here */
};

/* Reads traceparent, which is as if it were not there when it is malformed, and answers it. `root`:
 * whether a trace may begin here. */
void tracing_begin(struct request *request, bool root);

/* It is answered. Monotonic. */
void tracing_end(const struct request *request, int64_t begun_us, int64_t ended_us);

#endif
