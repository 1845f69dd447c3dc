/* The process itself: is it alive, is it ready, which build is it; and what the problems mean. */
#include "api/handlers.h"

#include "api/openapi.h"
#include "base/version.h"
#include "schemas/json.h"

void handle_live(struct edge *edge, struct request *request)
{
    (void)edge;
    struct buffer *out = answer_open(request, 200);
    json_put_text(out, "status", text_of("live"));
    answer_close(request);
}

void handle_ready(struct edge *edge, struct request *request)
{
    edge_lock(edge);
    bool caught_up = edge->caught_up, down = edge->down, lost = edge->lost != NULL,
         draining = edge->draining;
    edge_unlock(edge);
    bool ready = caught_up && !down && !lost && !draining;
    struct buffer *out = answer_open(request, ready ? 200 : 503);
    json_put_text(out, "status", text_of(ready ? "ready" : "not ready"));
    json_put_bool(out, "caught_up", caught_up);
    json_put_bool(out, "log_reachable", !down);
    json_put_bool(out, "log_intact", !lost);
    json_put_bool(out, "draining", draining);
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

void handle_document(struct edge *edge, struct request *request)
{
    (void)edge;
    buffer_text(&request->answer.body, openapi_text());
    request->answer.status = 200;
    request->answer.content_type = "application/json";
    request->answer.cache_control = "max-age=3600";
}
