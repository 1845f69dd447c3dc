/* standing.h: whether an edge is ready, and if not why; how it fares. Any thread, without the lock.
 */
#ifndef API_STANDING_H
#define API_STANDING_H

#include "api/edge.h"
#include "process/front.h"

void edge_readiness(struct edge *edge, int64_t now_ms, struct readiness *readiness);

/* And whether all else is well: what does not keep it from answering. */
void edge_health(struct edge *edge, int64_t now_ms, struct readiness *readiness);

/* All that is counted and how things stand, but for the process itself. */
void edge_metrics(struct edge *edge, struct buffer *out);

/* The same for its front; `self` is the edge, from the start. */
const struct front_subject *edge_subject(void);

#endif
