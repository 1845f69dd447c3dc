/* routes.h: the table of what the edge answers, and the way into it.
 *
 * route_request finds the row, says 404, 405, 413, 415, 401, 403 or 503 where they are due, and
 * calls the handler. Handlers answer at once or begin an errand. Any thread, for its own
 * request, without the edge's lock. */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "api/edge.h"

enum route_flags {
    ROUTE_ALWAYS = 1,   /* answered before the view has caught up */
    ROUTE_SAMPLE = 2,   /* of the course project: its own errors, CORS, form bodies */
    ROUTE_OF_SHOWS = 4, /* on listeners of that kind only */
    ROUTE_PROBE = 8     /* as often as anybody likes */
};

struct route {
    enum verb verb;
    const char *pattern; /* "{}" stands for one part of a path */
    enum caller_role role;
    int flags;
    void (*handle)(struct edge *edge, struct request *request);
};

/* The table, for who counts by it; request->route is a number in it, or route_count() for none. */
int route_count(void);
const struct route *route_at(int number);
int route_numbered(enum verb verb, const char *pattern);

void route_request(struct edge *edge, struct request *request);

/* Of the requests that route_glance answers. */
#define ROUTE_GLANCE "/v1/shows/{}"

/* The page that answers a GET of that path from anybody at `address` who sent nothing that matters
 * besides If-None-Match, to be dropped; NULL: ask route_request. */
struct page *route_glance(struct edge *edge, struct text path, const struct address *address);

#endif
