/* GET /metrics: what is counted, and how things stand now. */
#include "api/handlers.h"
#include "api/routes.h"
#include "api/standing.h"
#include "bus/telling.h"

/* "" for what no route was found for. */
static void name_route(int number, struct buffer *labels)
{
    const struct route *route = number < route_count() ? route_at(number) : NULL;
    buffer_clear(labels);
    buffer_print(labels, "method=\"%s\",route=\"%s\"", route ? verb_name(route->verb) : "",
                 route ? route->pattern : "");
}

static void put_answers(struct buffer *out, struct measures *measures)
{
    struct buffer labels = {0}, whole = {0};
    metrics_family(out, "stagedoor_http_requests_total", METRIC_COUNTER,
                   "Requests answered, by route and class of status.");
    for (int route = 0; route < MEASURES_ROUTES_MAX; route++)
        for (int class = 0; class < STATUS_CLASS_COUNT; class ++) {
            uint64_t count = atomic_load(&measures->answers[route][class]);
            if (count == 0)
                continue;
            name_route(route, &labels);
            buffer_clear(&whole);
            buffer_print(&whole, "%s,status=\"%dxx\"", labels.data, class + 1);
            metrics_sample(out, "stagedoor_http_requests_total", whole.data, (double)count);
        }
    metrics_family(out, "stagedoor_http_request_duration_seconds", METRIC_HISTOGRAM,
                   "From the complete request to its answer, waiting for the log included.");
    for (int route = 0; route < MEASURES_ROUTES_MAX; route++) {
        if (histogram_count(&measures->durations[route]) == 0)
            continue;
        name_route(route, &labels);
        metrics_histogram(out, "stagedoor_http_request_duration_seconds", labels.data,
                          &measures->durations[route]);
    }
    buffer_release(&labels);
    buffer_release(&whole);
}

_Static_assert((int)PROBLEM_COUNT <= (int)MEASURES_PROBLEMS_MAX, "each is counted");

static void put_problems(struct buffer *out, struct measures *measures)
{
    struct buffer labels = {0};
    metrics_family(out, "stagedoor_http_problems_total", METRIC_COUNTER,
                   "Requests that were refused, by code.");
    for (int problem = 0; problem < PROBLEM_COUNT; problem++) {
        uint64_t count = atomic_load(&measures->problems[problem]);
        if (count == 0)
            continue;
        buffer_clear(&labels);
        buffer_print(&labels, "code=\"%s\"", problem_code((enum problem)problem));
        metrics_sample(out, "stagedoor_http_problems_total", labels.data, (double)count);
    }
    buffer_release(&labels);
}

static void put_commands(struct buffer *out, struct measures *measures)
{
    static const char answering[] = "stagedoor_edge_command_duration_seconds";
    metrics_counter(out, "stagedoor_edge_commands_total", "Commands sent to the log.",
                    (double)atomic_load(&measures->commands));
    metrics_counter(out, "stagedoor_edge_commands_unacknowledged_total",
                    "Of them, those that the log did not take in time: answered 503.",
                    (double)atomic_load(&measures->unacknowledged));
    metrics_family(out, answering, METRIC_HISTOGRAM,
                   "From a request that sends a command to what the log says about it.");
    metrics_histogram(out, answering, "", &measures->answering);
}

/* How things stand, taken under the lock and told without it. */
struct standing {
    int shows, waiting, reading;
    size_t reservations;
    struct after seats; /* of all shows */
    bool caught_up, reachable, intact, written;
};

static struct standing look_at(struct edge *edge)
{
    edge_lock(edge);
    struct standing now = {.shows = edge->view.show_count,
                           .waiting = edge->errands.in_flight,
                           .reading = edge->errands.reading,
                           .reservations = edge->view.reservations.count,
                           .caught_up = edge->caught_up,
                           .reachable = !edge->down,
                           .intact = edge->lost == NULL,
                           .written = !edge->unwritten};
    for (int i = 0; i < edge->view.show_count; i++) {
        const struct show *show = edge->view.list[i];
        now.seats.held += show->held;
        now.seats.sold += show->sold;
        now.seats.blocked += show->blocked;
        now.seats.free += show->free;
        now.seats.oversold_by += show->oversold_by;
    }
    edge_unlock(edge);
    return now;
}

static void put_standing(struct buffer *out, struct edge *edge)
{
    struct standing now = look_at(edge);
    metrics_gauge(out, "stagedoor_edge_caught_up", "1: it answers from the log as it is.",
                  now.caught_up);
    metrics_gauge(out, "stagedoor_edge_log_reachable", "0: nothing can be sold.", now.reachable);
    metrics_gauge(out, "stagedoor_edge_log_intact", "0: the log is another one than was read.",
                  now.intact);
    metrics_gauge(out, "stagedoor_edge_register_written",
                  "0: its disk does not take what is written.", now.written);
    metrics_gauge(out, "stagedoor_edge_connections", "Connections there are.",
                  (double)atomic_load(&edge->measures.connections));
    metrics_gauge(out, "stagedoor_edge_connections_max", "How many there may be.",
                  (double)edge->options->connections_max * edge->options->listener_count);
    metrics_gauge(out, "stagedoor_edge_waiting_requests", "Requests that wait for the log.",
                  now.waiting);
    metrics_gauge(out, "stagedoor_edge_waiting_requests_max", "How many may.",
                  edge->options->in_flight_max);
    metrics_gauge(out, "stagedoor_edge_reading_requests", "Of them, those that only read.",
                  now.reading);
    metrics_gauge(out, "stagedoor_edge_shows", "Shows known.", now.shows);
    metrics_gauge(out, "stagedoor_edge_reservations", "Reservations in memory.",
                  (double)now.reservations);
    seats_metrics(&now.seats, out);
}

void edge_metrics(struct edge *edge, struct buffer *out)
{
    put_answers(out, &edge->measures);
    put_problems(out, &edge->measures);
    put_commands(out, &edge->measures);
    put_standing(out, edge);
    following_metrics(&edge->following, out);
}

void handle_metrics(struct edge *edge, struct request *request)
{
    process_metrics(&request->answer.body, "edge");
    edge_metrics(edge, &request->answer.body);
    request->answer.status = 200;
    request->answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
}
