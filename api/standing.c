/* What has to hold for requests to be answered, and for all to be well. */
#include "api/standing.h"

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
