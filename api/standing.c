/* What has to hold for requests to be answered, and for all to be well. */
#include "api/standing.h"

enum { STILL_MAX_MS = 30 * 1000 };

void edge_readiness(struct edge *edge, int64_t now_ms, struct readiness *readiness)
{
    following_readiness(&edge->following, now_ms, readiness);
    edge_lock(edge);
    bool draining = edge->draining;
    edge_unlock(edge);
    readiness_add(readiness, "serving", !draining, "about to stop");
}

void edge_health(struct edge *edge, int64_t now_ms, struct readiness *readiness)
{
    edge_readiness(edge, now_ms, readiness);
    edge_lock(edge);
    bool written = !edge->unwritten;
    edge_unlock(edge);
    readiness_add(
        readiness, "register_written", written,
        "its disk does not take what is written: is that of --data full? nothing is lost, "
        "a restart takes longer");
}

/* ---- its front ------------------------------------------------------------------------------- */

static int64_t still_ms(const void *self, int64_t now_ms)
{
    return following_still_ms(&((const struct edge *)self)->following, now_ms);
}

static bool is_ready(const void *self)
{
    return atomic_load(&((const struct edge *)self)->following.caught_up);
}

static void tell_ready(const void *self, int64_t now_ms, struct readiness *readiness)
{
    following_readiness(&((const struct edge *)self)->following, now_ms, readiness);
}

static void tell_metrics(const void *self, struct buffer *out)
{
    edge_metrics((struct edge *)(uintptr_t)self, out); /* it takes the lock, and changes nothing */
}

const struct front_subject *edge_subject(void)
{
    static const struct front_subject subject = {"edge",     STILL_MAX_MS, still_ms,    is_ready,
                                                 tell_ready, NULL,         tell_metrics};
    return &subject;
}
