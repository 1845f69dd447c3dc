/* standing.h: whether an edge is ready, and if not why. Any thread, without the lock. */
#ifndef API_STANDING_H
#define API_STANDING_H

#include "api/edge.h"
#include "process/readiness.h"

void edge_readiness(struct edge *edge, int64_t now_ms, struct readiness *readiness);

/* And whether all else is well: what does not keep it from answering. */
void edge_health(struct edge *edge, int64_t now_ms, struct readiness *readiness);

#endif
