/* One span for each request, of which little is said: nothing that only the caller and we know. */
#include "api/tracing.h"

#include "api/problem.h"
#include "api/routes.h"
#include "base/prng.h"
#include "base/uuid.h"
#include "process/spans.h"

static uint64_t new_id(void)
{
    uint64_t id = prng_seed_random();
    return id ? id : 1;
}

void tracing_begin(struct request *request, bool root)
{
    struct tracing *tracing = &request->tracing;
    struct text *traceparent = &request->headers.traceparent;
    struct trace *trace = &tracing->trace;
    char printed[TRACEPARENT_SIZE];
    bool came = trace_parse(*traceparent, trace);
    if (!came)
        *traceparent = text_from(NULL, 0);
    bool begins = !came && root && spans_wanted();
    if (begins)
        *trace = (struct trace){new_id(), new_id(), 0, true};
    tracing->told = (came || begins) && spans_sample(trace, begins);
    if (tracing->told) {
        tracing->parent = trace->span;
        trace->span = new_id();
        trace->sampled = true;
        *traceparent = arena_text(&request->arena, text_of(trace_print(trace, printed)));
    }
    if (traceparent->data)
        answer_header(request, "traceparent", "%.*s", TEXT_PRINT(*traceparent));
}

void tracing_end(const struct request *request, int64_t begun_us, int64_t ended_us)
{
    const struct tracing *tracing = &request->tracing;
    const struct errand *errand = &request->errand;
    const struct answer *answer = &request->answer;
    const struct route *route = request->route < route_count() ? route_at(request->route) : NULL;
    struct span span;
    if (!tracing->told)
        return;
    span_begin(&span, SPAN_SERVER, &tracing->trace, tracing->parent, begun_us);
    span.ended_us = ended_us;
    span.failed = answer->status >= 500;
    span_name(&span, "%s%s%s", verb_name(request->verb), route ? " " : "",
              route ? route->pattern : "");
    span_put(&span, "http.request.method", text_of(verb_name(request->verb)));
    span_put(&span, "http.route", text_of(route ? route->pattern : NULL));
    span_put_i64(&span, "http.response.status_code", answer->status);
    if (answer->problem)
        span_put(&span, "error.type", text_of(problem_code((enum problem)(answer->problem - 1))));
    span_put(&span, "messaging.message.id", text_of(errand->command_id));
    span_put(&span, "stagedoor.show_id", text_of(errand->show_id));
    if (uuid_valid(text_of(errand->reservation_id)))
        span_put(&span, "stagedoor.reservation_id", text_of(errand->reservation_id));
    spans_note(&span);
}
