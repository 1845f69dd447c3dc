/* Headers of the answer; of a preflight some more. */
#include "api/cors.h"

static bool is_allowed(const struct options *options, struct text origin)
{
    for (int i = 0; i < options->cors_origin_count; i++)
        if (text_is(options->cors_origins[i], "*") || text_equal(options->cors_origins[i], origin))
            return true;
    return false;
}

void cors_allow(const struct options *options, struct request *request, const char *verbs)
{
    struct text origin = request->headers.origin;
    if (request->sample)
        answer_header(request, "Access-Control-Allow-Origin", "*");
    else if (origin.size && is_allowed(options, origin))
        answer_header(request, "Access-Control-Allow-Origin", "%.*s", TEXT_PRINT(origin));
    else
        return;
    answer_header(request, "Vary", "Origin");
    answer_header(request, "Access-Control-Expose-Headers",
                  "ETag, Idempotent-Replayed, Link, Location, Retry-After, X-Log-Position, "
                  "X-Request-Id");
    if (request->verb != VERB_OPTIONS)
        return;
    answer_header(request, "Access-Control-Allow-Methods", "%s", verbs);
    answer_header(request, "Access-Control-Allow-Headers",
                  "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, "
                  "traceparent, X-Request-Id");
    answer_header(request, "Access-Control-Max-Age", "600");
}
