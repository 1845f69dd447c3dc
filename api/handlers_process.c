/* The process itself: is it alive, is it ready, which build is it; and what the problems mean. */
#include "api/handlers.h"

#include "api/openapi.h"
#include "api/standing.h"
#include "base/clock.h"
#include "base/version.h"
#include "schemas/json.h"

void handle_live(struct edge *edge, struct request *request)
{
    (void)edge;
    struct buffer *out = answer_open(request, 200);
    json_put_text(out, "status", text_of("live"));
    answer_close(request);
}

/* Whether text/plain is asked for; a program that does not say gets JSON. */
static bool wants_text(const struct request *request)
{
    struct text rest = request->headers.accept;
    struct text first = text_cut(&rest, ',');
    return text_is(text_trim(text_cut(&first, ';')), "text/plain");
}

void handle_ready(struct edge *edge, struct request *request)
{
    struct readiness readiness = {.count = 0};
    edge_readiness(edge, clock_monotonic_ms(), &readiness);
    int status = readiness_is_good(&readiness) ? 200 : 503;
    if (wants_text(request)) {
        request->answer.status = status;
        request->answer.content_type = "text/plain; charset=utf-8";
        readiness_put_text(&readiness, &request->answer.body);
        return;
    }
    readiness_put_json(&readiness, answer_open(request, status));
    answer_close(request);
}

void handle_health(struct edge *edge, struct request *request)
{
    struct readiness readiness = {.count = 0};
    edge_health(edge, clock_monotonic_ms(), &readiness);
    bool healthy = readiness_is_good(&readiness);
    struct buffer *out = answer_open(request, healthy ? 200 : 503);
    json_put_text(out, "status", text_of(healthy ? "healthy" : "unhealthy"));
    if (request->queries[QUERY_VERBOSE].data) {
        json_put_open(out, "checks", '[');
        for (int i = 0; i < readiness.count; i++) {
            const struct readiness_check *check = &readiness.checks[i];
            json_put_open(out, NULL, '{');
            json_put_text(out, "name", text_of(check->name));
            json_put_bool(out, "good", check->good);
            if (!check->good)
                json_put_text(out, "why", text_of(check->why));
            json_put_close(out, '}');
        }
        json_put_close(out, ']');
    }
    answer_close(request);
}

void handle_version(struct edge *edge, struct request *request)
{
    struct buffer *out = answer_open(request, 200);
    json_put_text(out, "name", text_of("stagedoor-edge"));
    json_put_text(out, "version", text_of(STAGEDOOR_VERSION));
    json_put_text(out, "installation", text_of(edge->installation.id));
    json_put_i64(out, "partitions", edge->installation.partition_count);
    answer_close(request);
}

void handle_problem(struct edge *edge, struct request *request)
{
    enum problem problem;
    (void)edge;
    if (!problem_named(request->parts[0], &problem)) {
        problem_answer(request, PROBLEM_not_found, "there is no problem of that name");
        return;
    }
    struct buffer *out = answer_open(request, 200);
    json_put_text(out, "code", text_of(problem_code(problem)));
    json_put_i64(out, "status", problem_status(problem));
    json_put_text(out, "title", text_of(problem_title(problem)));
    answer_close(request);
}

void handle_docs(struct edge *edge, struct request *request)
{
    (void)edge;
    buffer_text(&request->answer.body, openapi_html());
    request->answer.status = 200;
    request->answer.content_type = "text/html; charset=utf-8";
    request->answer.cache_control = "max-age=3600";
    answer_header(request, "X-Content-Type-Options", "nosniff");
}

void handle_document(struct edge *edge, struct request *request)
{
    (void)edge;
    buffer_text(&request->answer.body, openapi_text());
    request->answer.status = 200;
    request->answer.content_type = "application/json";
    request->answer.cache_control = "max-age=3600";
}
