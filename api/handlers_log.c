/* What the log itself tells, by a clerk: the feed of events, and the story of one reservation. */
#include "api/handlers.h"

#include "api/log_questions.h"
#include "base/clock.h"
#include "schemas/json.h"

enum { LOG_ASKED_WITHIN_MS = LOG_WAIT_MS + 5 * 1000 };

static void log_late(struct edge *edge, struct request *request)
{
    (void)edge;
    problem_answer(request, PROBLEM_overloaded, "the log was not read in time");
}

/* Whether the clerk found the log; if not, it is answered. `*told`: what he found. */
static bool was_read(struct request *request, char *how, struct text *told)
{
    *told = buffer_view(&request->errand.result);
    *how = told->data[0];
    *told = text_from(told->data + 1, told->size - 1);
    if (*how == LOG_UNREACHABLE)
        problem_answer(request, PROBLEM_bus_unavailable, "the log cannot be read now");
    else if (*how == LOG_OTHER)
        problem_answer(
            request, PROBLEM_invalid,
            "the log is not the one that was read up to there; start anew without after");
    else
        return true;
    return false;
}

/* ---- GET /v1/flow/{reservation} -------------------------------------------------------------- */

static bool flow_look(struct edge *edge, struct request *request)
{
    char how;
    struct text steps;
    (void)edge;
    if (!request->errand.answered)
        return false;
    if (!was_read(request, &how, &steps))
        return true;
    struct buffer *out = answer_open(request, 200);
    json_put_text(out, "kind", text_of("reservation"));
    json_put_text(out, "id", text_of(request->errand.reservation_id));
    json_put_text(out, "show_id", text_of(request->errand.show_id));
    buffer_byte(out, ',');
    buffer_text(out, steps);
    answer_close(request);
    return true;
}

static const struct errand_kind flow = {"flow", flow_look, log_late};

void handle_flow(struct edge *edge, struct request *request)
{
    const struct reservation *reservation;
    edge_lock(edge);
    if (request_find_named(edge, request, &reservation)) {
        struct errand *errand = &request->errand;
        errand->question = log_flow;
        errand_begin(edge, request, &flow, LOG_ASKED_WITHIN_MS);
        if (errand->phase == ERRAND_WAITING)
            clerks_ask_log(edge, request);
    }
    edge_unlock(edge);
}

/* ---- GET /v1/events -------------------------------------------------------------------------- */

/* What is kept of a feed while it waits, beside what the clerk is asked. */
struct feed_errand {
    struct feed_wish wish; /* first: the clerk knows it by this address */
    int64_t until_ms;      /* it rests at most so long for something to be told */
    struct fence *positions;
    bool news; /* there were some while a clerk read */
};

enum { FEED_READING, FEED_RESTING };

static struct feed_errand *feed_of(struct request *request)
{
    return (struct feed_errand *)(uintptr_t)request->errand.details;
}

static void feed_ask(struct edge *edge, struct request *request)
{
    struct feed_errand *feed = feed_of(request);
    request->errand.stage = FEED_READING;
    request->errand.answered = false;
    feed->news = false;
    errand_wait_until(edge, request, clock_monotonic_ms() + LOG_ASKED_WITHIN_MS);
    clerks_ask_log(edge, request);
}

/* Told nothing: reads on from there, or rests until there is more. */
static void feed_go_on(struct edge *edge, struct request *request, char how, struct text cursor)
{
    struct feed_errand *feed = feed_of(request);
    feed_cursor_parse(cursor, edge->installation.partition_count, feed->positions);
    feed->wish.positions = feed->positions;
    if (how == LOG_MORE || feed->news) {
        feed_ask(edge, request);
        return;
    }
    request->errand.stage = FEED_RESTING;
    errand_wait_until(edge, request, feed->until_ms);
}

static void feed_tell(struct request *request, struct text cursor, struct text events)
{
    const struct feed_errand *feed = request->errand.details;
    struct buffer link = {0};
    struct buffer *out = answer_open(request, 200);
    json_put_open(out, "events", '[');
    buffer_text(out, events);
    json_put_close(out, ']');
    json_put_text(out, "cursor", cursor);
    answer_close(request);
    buffer_string(&link, "</v1/events?after=");
    query_escape(&link, cursor);
    if (feed->wish.types.size) {
        buffer_string(&link, "&types=");
        query_escape(&link, feed->wish.types);
    }
    answer_header(request, "Link", "%s>; rel=\"next\"", link.data);
    buffer_release(&link);
}

static bool feed_look(struct edge *edge, struct request *request)
{
    struct feed_errand *feed = feed_of(request);
    struct text events, cursor;
    char how;
    if (request->errand.phase != ERRAND_WAITING)
        return false;
    if (request->errand.stage == FEED_RESTING) {
        feed_ask(edge, request);
        return false;
    }
    if (!request->errand.answered) {
        feed->news = true;
        return false;
    }
    if (!was_read(request, &how, &events))
        return true;
    cursor = text_cut(&events, '\n');
    if (events.size == 0 && clock_monotonic_ms() < feed->until_ms) {
        feed_go_on(edge, request, how, cursor);
        return false;
    }
    feed_tell(request, cursor, events);
    return true;
}

static void feed_late(struct edge *edge, struct request *request)
{
    struct text events, cursor;
    char how;
    if (request->errand.stage != FEED_RESTING || !was_read(request, &how, &events)) {
        log_late(edge, request);
        return;
    }
    cursor = text_cut(&events, '\n');
    feed_tell(request, cursor, events);
}

static const struct errand_kind feed_kind = {"feed", feed_look, feed_late};

static bool read_after(struct edge *edge, struct request *request, struct feed_errand *feed)
{
    struct text after = request->queries[QUERY_AFTER];
    int partitions = edge->installation.partition_count;
    feed->positions = arena_take(&request->arena,
                                 (size_t)(FEED_TOPIC_COUNT * partitions) * sizeof *feed->positions);
    if (after.data == NULL)
        return true;
    feed->wish.positions = feed->positions;
    if (text_is(after, "latest")) {
        edge_lock(edge);
        feed_positions(edge->positions, partitions, feed->positions);
        edge_unlock(edge);
        return true;
    }
    if (feed_cursor_parse(after, partitions, feed->positions))
        return true;
    problem_answer(request, PROBLEM_invalid,
                   "after must be the cursor of an earlier answer, or latest");
    return false;
}

void handle_events(struct edge *edge, struct request *request)
{
    struct feed_errand *feed = arena_take(&request->arena, sizeof *feed);
    int64_t wait_ms;
    *feed = (struct feed_errand){
        .wish = {.types = arena_text(&request->arena, request->queries[QUERY_TYPES])}};
    if (!request_limit(request, &feed->wish.limit) || !request_poll(request, &wait_ms) ||
        !read_after(edge, request, feed))
        return;
    feed->until_ms = clock_monotonic_ms() + wait_ms;
    request->errand.details = feed;
    request->errand.question = log_feed;
    errand_await_log(&request->errand);
    edge_lock(edge);
    errand_begin(edge, request, &feed_kind, LOG_ASKED_WITHIN_MS);
    if (request->errand.phase == ERRAND_WAITING)
        feed_ask(edge, request);
    edge_unlock(edge);
}
