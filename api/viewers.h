/* viewers.h: who watches a show live: GET /v1/shows/{id}/stream (server-sent events, WHATWG HTML
 * 9.2).
 *
 * Every VIEWERS_TICK_MS the page of each show that is watched is looked at; if it is another than
 * before, all its viewers are told it, whole: what is sent is the show as it is, never a
 * difference. So a viewer who reads slowly skips what is old already, all end on the same numbers,
 * and how often seats change does not matter: a thousand viewers cost no more in a sale than in a
 * quiet hour.
 *
 *     id: <the page's ETag without quotes>        made of log positions and the show's status
 *     event: show
 *     data: <as GET /v1/shows/{id}>
 *
 * Who comes back with Last-Event-ID is told nothing until there is something new. A comment every
 * VIEWERS_COMMENT_MS shows that the line is alive, and finds those that are not.
 *
 * Threads: a thread of its own; viewers_admit by any serving thread. Source: http, "Routes". */
#ifndef API_VIEWERS_H
#define API_VIEWERS_H

#include "api/edge.h"
#include "api/stream.h"

enum { VIEWERS_TICK_MS = 200, VIEWERS_COMMENT_MS = 15 * 1000 };

struct viewers;

struct viewers *viewers_new(struct edge *edge);
void viewers_start(struct viewers *viewers);
/* Ends all streams, takes no more viewers, and waits a moment until those there are were told.
 * Before the shell stops. */
void viewers_end(struct viewers *viewers);
void viewers_free(struct viewers *viewers); /* the shell has stopped */

/* A viewer of that show who has seen `last_id` (empty: nothing) as a stream to hand to the shell;
 * NULL: too many are watching, or the edge is about to stop. */
struct stream *viewers_admit(struct viewers *viewers, struct text show_id, struct text last_id);

/* One tick, as the thread does; for tests without it. `now_ms` is monotonic. */
void viewers_turn(struct viewers *viewers, int64_t now_ms);

#endif
