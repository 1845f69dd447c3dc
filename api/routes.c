/* The table, and the checks that come before every handler. */
#include "api/routes.h"

#include "api/cors.h"
#include "api/handlers.h"
#include "base/clock.h"

#include <string.h>
#include <strings.h>

#define S ROUTE_SAMPLE
static const struct route routes[] = {
    {VERB_GET, "/livez", CALLER_PUBLIC, ROUTE_ALWAYS | ROUTE_PROBE, handle_live},
    {VERB_GET, "/readyz", CALLER_PUBLIC, ROUTE_ALWAYS | ROUTE_PROBE, handle_ready},
    {VERB_GET, "/healthz", CALLER_PUBLIC, ROUTE_ALWAYS, handle_health},
    {VERB_GET, "/version", CALLER_PUBLIC, ROUTE_ALWAYS, handle_version},
    {VERB_GET, "/openapi.json", CALLER_PUBLIC, ROUTE_ALWAYS, handle_document},
    {VERB_GET, "/metrics", CALLER_PUBLIC, ROUTE_ALWAYS, handle_metrics},
    {VERB_GET, "/docs", CALLER_PUBLIC, ROUTE_ALWAYS, handle_docs},
    {VERB_GET, "/problems/{}", CALLER_PUBLIC, ROUTE_ALWAYS, handle_problem},

    {VERB_GET, "/v1/shows", CALLER_PUBLIC, 0, handle_list_shows},
    {VERB_POST, "/v1/shows", CALLER_ADMIN, 0, handle_create_show},
    {VERB_GET, "/v1/shows/{}", CALLER_PUBLIC, 0, handle_show},
    {VERB_GET, "/v1/shows/{}/stream", CALLER_PUBLIC, 0, handle_stream},
    {VERB_PATCH, "/v1/shows/{}", CALLER_ADMIN, 0, handle_update_show},
    {VERB_PUT, "/v1/shows/{}/capacity", CALLER_ADMIN, 0, handle_set_capacity},
    {VERB_GET, "/v1/shows/{}/blocks", CALLER_ADMIN, 0, handle_blocks},
    {VERB_PUT, "/v1/shows/{}/blocks/{}", CALLER_ADMIN, 0, handle_set_block},
    {VERB_POST, "/v1/shows/{}/open", CALLER_ADMIN, 0, handle_open_sale},
    {VERB_POST, "/v1/shows/{}/pause", CALLER_ADMIN, 0, handle_pause_sale},
    {VERB_POST, "/v1/shows/{}/cancel", CALLER_ADMIN, 0, handle_cancel_show},
    {VERB_GET, "/v1/shows/{}/reservations", CALLER_BOXOFFICE, 0, handle_list_reservations},
    {VERB_POST, "/v1/shows/{}/reservations", CALLER_PUBLIC, 0, handle_reserve},
    {VERB_GET, "/v1/reservations/{}", CALLER_PUBLIC, 0, handle_reservation},
    {VERB_PATCH, "/v1/reservations/{}", CALLER_PUBLIC, 0, handle_change},
    {VERB_DELETE, "/v1/reservations/{}", CALLER_PUBLIC, 0, handle_give_back},
    {VERB_POST, "/v1/reservations/{}/extend", CALLER_BOXOFFICE, 0, handle_extend},
    {VERB_POST, "/v1/reservations/{}/cancel", CALLER_BOXOFFICE, 0, handle_cancel},
    {VERB_GET, "/v1/reservations/{}/tickets", CALLER_PUBLIC, 0, handle_tickets},
    {VERB_POST, "/v1/reservations/{}/tickets/{}/transfer", CALLER_PUBLIC, 0, handle_transfer},
    {VERB_POST, "/v1/reservations/{}/checkout", CALLER_PUBLIC, 0, handle_checkout},
    {VERB_POST, "/v1/checkins", CALLER_BOXOFFICE, 0, handle_check_in},
    {VERB_POST, "/v1/payments/callbacks/{}", CALLER_PUBLIC, 0, handle_callback},
    {VERB_POST, "/v1/payments/{}/result", CALLER_BOXOFFICE, 0, handle_payment_result},
    {VERB_POST, "/v1/refunds/{}/result", CALLER_BOXOFFICE, 0, handle_refund_result},
    {VERB_GET, "/v1/shows/{}/report", CALLER_BOXOFFICE, 0, handle_report},
    {VERB_GET, "/v1/attention", CALLER_BOXOFFICE, 0, handle_attention},
    {VERB_GET, "/v1/flow/{}", CALLER_BOXOFFICE, 0, handle_flow},
    {VERB_GET, "/v1/events", CALLER_BOXOFFICE, 0, handle_events},

    {VERB_GET, "/", CALLER_PUBLIC, S, handle_sample_all},
    {VERB_GET, "/show/{}", CALLER_PUBLIC, S, handle_sample_show},
    {VERB_GET, "/{}", CALLER_PUBLIC, S | ROUTE_OF_SHOWS, handle_sample_show},
    {VERB_GET, "/reservations/{}", CALLER_BOXOFFICE, S, handle_sample_reservations},
    {VERB_PUT, "/hold-seats", CALLER_BOXOFFICE, S, handle_sample_hold},
    {VERB_PUT, "/release-seats", CALLER_BOXOFFICE, S, handle_sample_release},
    {VERB_POST, "/reserveTickets", CALLER_PUBLIC, S, handle_sample_reserve},
    {VERB_POST, "/reserve", CALLER_PUBLIC, S, handle_sample_reserve},
    {VERB_DELETE, "/cancel", CALLER_BOXOFFICE, S, handle_sample_cancel},
};
#undef S
enum { ROUTE_COUNT = sizeof routes / sizeof *routes };
_Static_assert((int)ROUTE_COUNT < (int)MEASURES_ROUTES_MAX, "one is left for what has no route");

int route_count(void)
{
    return ROUTE_COUNT;
}

const struct route *route_at(int number)
{
    return &routes[number];
}

int route_numbered(enum verb verb, const char *pattern)
{
    int number = 0;
    while (number < ROUTE_COUNT &&
           (routes[number].verb != verb || strcmp(routes[number].pattern, pattern) != 0))
        number++;
    return number;
}

static const char *const verb_names[] = {"GET, HEAD", "POST", "PUT", "PATCH", "DELETE"};

static bool matches(const char *pattern, struct text path, struct text parts[REQUEST_PARTS_MAX])
{
    int part = 0;
    while (*pattern) {
        if (strncmp(pattern, "{}", 2) != 0) {
            if (path.size == 0 || path.data[0] != *pattern++)
                return false;
            path = (struct text){path.data + 1, path.size - 1};
            continue;
        }
        const char *slash = path.size ? memchr(path.data, '/', path.size) : NULL;
        size_t size = slash ? (size_t)(slash - path.data) : path.size;
        if (size == 0)
            return false;
        parts[part++] = (struct text){path.data, size};
        path = (struct text){path.data + size, path.size - size};
        pattern += 2;
    }
    return path.size == 0;
}

/* `allowed`: what the path does understand. */
static void answer_unrouted(struct request *request, struct text allowed)
{
    if (allowed.size == 0) {
        problem_answer(request, PROBLEM_not_found, "nothing lives under this path");
        return;
    }
    answer_header(request, "Allow", "%.*s", TEXT_PRINT(allowed));
    if (request->verb == VERB_OPTIONS)
        request->answer.status = 204;
    else
        problem_answer(request, PROBLEM_method_not_allowed, "use %.*s here", TEXT_PRINT(allowed));
}

/* The row for the path and verb; NULL: answered. */
static const struct route *find(struct edge *edge, struct request *request)
{
    struct buffer allowed = {0};
    const struct route *found = NULL;
    request->route = ROUTE_COUNT;
    for (int i = 0; i < ROUTE_COUNT && request->path.size <= REQUEST_PATH_MAX; i++) {
        const struct route *route = &routes[i];
        struct text parts[REQUEST_PARTS_MAX] = {{NULL, 0}, {NULL, 0}};
        bool sample = route->flags & ROUTE_SAMPLE;
        if ((sample && !edge->options->sample) || !matches(route->pattern, request->path, parts) ||
            (route->flags & ROUTE_OF_SHOWS && request->listener != LISTENER_SHOWS))
            continue;
        request->sample = sample;
        buffer_print(&allowed, "%s%s", allowed.size ? ", " : "", verb_names[route->verb]);
        if (route->verb != request->verb)
            continue;
        memcpy(request->parts, parts, sizeof parts);
        request->route = i;
        found = route;
        break;
    }
    if (allowed.size)
        cors_allow(edge->options, request, allowed.data);
    if (found == NULL)
        answer_unrouted(request, buffer_view(&allowed));
    buffer_release(&allowed);
    return found;
}

static void identify_caller(struct edge *edge, struct request *request)
{
    struct caller *caller = &request->caller;
    struct text bearer = request->headers.authorization;
    *caller = (struct caller){.role = CALLER_PUBLIC, .name = "public"};
    if (bearer.data == NULL)
        return;
    if (bearer.size <= 7 || strncasecmp(bearer.data, "Bearer ", 7) != 0) {
        caller->is_unknown = true;
        return;
    }
    bearer = (struct text){bearer.data + 7, bearer.size - 7};
    const struct api_key *key = keys_find(edge_keys(edge), bearer);
    if (key) {
        caller->role = key->role;
        caller->name = key->name;
        caller->has_api_key = true;
    } else if (ids_secret_like(bearer)) {
        caller->secret = bearer;
    } else {
        caller->is_unknown = true;
    }
}

static bool may_call(struct edge *edge, const struct route *route, struct request *request)
{
    const struct caller *caller = &request->caller;
    if (request->sample && edge->open_sample)
        return true;
    if (caller->is_unknown)
        problem_answer(request, PROBLEM_unauthorized, "the key in Authorization is not known");
    else if (caller->role < route->role && !caller->has_api_key)
        problem_answer(request, PROBLEM_unauthorized,
                       "send Authorization: Bearer with a key of role %s",
                       caller_role_name(route->role));
    else if (caller->role < route->role)
        problem_answer(request, PROBLEM_forbidden, "this needs a key of role %s",
                       caller_role_name(route->role));
    else
        return true;
    return false;
}

static bool has_type(struct text content, const char *type)
{
    size_t size = strlen(type);
    return content.size >= size && strncasecmp(content.data, type, size) == 0 &&
           (content.size == size || content.data[size] == ';' || content.data[size] == ' ');
}

static bool can_read_body(struct request *request)
{
    struct text content = request->headers.content_type;
    if (request->too_large)
        problem_answer(request, PROBLEM_too_large, "at most %d bytes are read", REQUEST_BODY_MAX);
    else if (request->body.size && content.size && !has_type(content, "application/json") &&
             !(request->sample && has_type(content, "application/x-www-form-urlencoded")))
        problem_answer(request, PROBLEM_unsupported_media_type, "send application/json");
    else
        return true;
    return false;
}

/* Whether there is something to answer from; if not, `*lost` says why not for good, or is NULL. */
static bool is_up(struct edge *edge, const char **lost)
{
    edge_lock(edge);
    bool caught_up = edge->caught_up;
    *lost = edge->lost;
    edge_unlock(edge);
    return caught_up && *lost == NULL;
}

static bool can_answer(struct edge *edge, const struct route *route, struct request *request)
{
    const char *lost;
    if (route->flags & ROUTE_ALWAYS || is_up(edge, &lost))
        return true;
    if (lost)
        problem_answer(request, PROBLEM_bus_unavailable, "%s; a person must look at it", lost);
    else
        problem_answer(request, PROBLEM_catching_up, "the log is still being read");
    return false;
}

/* How long an address has to wait; 0: not at all. Whoever is on this machine has other ways to be a
 * nuisance. */
static int64_t address_waits_ms(struct edge *edge, const struct address *address)
{
    const struct options *options = edge->options;
    struct address customer = address_customer(address);
    if (options->rate == 0 || address_is_loopback(address))
        return 0;
    return limits_take(&edge->limits, text_from(customer.bytes, sizeof customer.bytes),
                       options->rate, options->burst, clock_monotonic_ms());
}

static int64_t key_waits_ms(struct edge *edge, const char *name)
{
    int rate = edge->options->key_rate;
    return rate ? limits_take(&edge->limits, text_of(name), rate, rate, clock_monotonic_ms()) : 0;
}

static bool is_in_time(struct edge *edge, const struct route *route, struct request *request)
{
    const struct caller *caller = &request->caller;
    if (route->flags & ROUTE_PROBE)
        return true;
    int64_t wait_ms = caller->has_api_key ? key_waits_ms(edge, caller->name)
                                          : address_waits_ms(edge, &request->address);
    if (wait_ms == 0)
        return true;
    problem_answer(request, PROBLEM_rate_limited, "at most %d requests a second are answered",
                   caller->has_api_key ? edge->options->key_rate : edge->options->rate);
    answer_header(request, "Retry-After", "%lld", (long long)(wait_ms + 999) / 1000);
    return false;
}

/* What may stand in a header of ours. */
static bool is_request_id(struct text text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < ' ' || text.data[i] > '~')
            return false;
    return text.size > 0 && text.size <= 128;
}

struct page *route_glance(struct edge *edge, struct text path, const struct address *address)
{
    struct text parts[REQUEST_PARTS_MAX];
    const char *lost;
    if (!matches(ROUTE_GLANCE, path, parts) || address_waits_ms(edge, address) > 0)
        return NULL;
    struct page *page = playbill_take(&edge->playbill, parts[0], clock_wall_ms());
    return page || !is_up(edge, &lost) ? page : page_of(edge, parts[0]);
}

/* The request's name goes out again, and into the records it makes; what is malformed is as if it
 * were not there. */
static void take_name(struct request *request)
{
    struct text *name = &request->headers.request_id;
    if (is_request_id(*name))
        answer_header(request, "X-Request-Id", "%.*s", TEXT_PRINT(*name));
    else
        *name = text_from(NULL, 0);
}

void route_request(struct edge *edge, struct request *request)
{
    take_name(request);
    const struct route *route = find(edge, request);
    tracing_begin(request, !(route && route->flags & ROUTE_PROBE));
    request->answer.kept_count = request->answer.header_count;
    if (route == NULL)
        return;
    identify_caller(edge, request);
    if (is_in_time(edge, route, request) && may_call(edge, route, request) &&
        can_read_body(request) && can_answer(edge, route, request))
        route->handle(edge, request);
}
