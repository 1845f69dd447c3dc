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

enum { CHECK_COUNT = 5 };

/* What has to hold for all to be well; the first ones for requests to be answered at all. */
struct check {
    const char *name;
    bool good;
    const char *otherwise; /* what to do */
};

static void look_around(struct edge *edge, struct check checks[CHECK_COUNT])
{
    edge_lock(edge);
    const struct check found[CHECK_COUNT] = {
        {"caught_up", edge->caught_up, "the log is still being read; wait"},
        {"log_reachable", !edge->down, "is the log running? what is on sale is told as it was"},
        {"log_intact", edge->lost == NULL,
         "the log is not the one that was read; see this edge's own log"},
        {"serving", !edge->draining, "this process is about to stop"},
        {"register_written", !edge->unwritten,
         "is the disk of --data full? nothing is lost, a restart takes longer"},
    };
    edge_unlock(edge);
    for (int i = 0; i < CHECK_COUNT; i++)
        checks[i] = found[i];
}

static bool all_good(const struct check *checks, int count)
{
    for (int i = 0; i < count; i++)
        if (!checks[i].good)
            return false;
    return true;
}

void handle_ready(struct edge *edge, struct request *request)
{
    struct check checks[CHECK_COUNT];
    enum { NEEDED = 4 };
    look_around(edge, checks);
    bool ready = all_good(checks, NEEDED);
    struct buffer *out = answer_open(request, ready ? 200 : 503);
    json_put_text(out, "status", text_of(ready ? "ready" : "not ready"));
    for (int i = 0; i < NEEDED; i++)
        json_put_bool(out, checks[i].name, checks[i].good);
    answer_close(request);
}

void handle_health(struct edge *edge, struct request *request)
{
    struct check checks[CHECK_COUNT];
    look_around(edge, checks);
    bool healthy = all_good(checks, CHECK_COUNT);
    struct buffer *out = answer_open(request, healthy ? 200 : 503);
    json_put_text(out, "status", text_of(healthy ? "healthy" : "unhealthy"));
    if (request->queries[QUERY_VERBOSE].data) {
        json_put_open(out, "checks", '[');
        for (int i = 0; i < CHECK_COUNT; i++) {
            json_put_open(out, NULL, '{');
            json_put_text(out, "name", text_of(checks[i].name));
            json_put_bool(out, "good", checks[i].good);
            if (!checks[i].good)
                json_put_text(out, "do", text_of(checks[i].otherwise));
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
