/* cors.h: which pages of other origins may use /v1 from a browser (the Fetch standard, "CORS
 * protocol"). The sample's routes are open to all pages, as they were in the course. Any thread,
 * for its own request. */
#ifndef API_CORS_H
#define API_CORS_H

#include "api/options.h"

/* Adds what a browser asks for, if the request comes from a page that may. `verbs`: those of the
 * path, "GET, HEAD, POST". */
void cors_allow(const struct options *options, struct request *request, const char *verbs);

#endif
