/* The shell around libmicrohttpd.
 *
 *     begun ──body complete──▶ routed ──answered──▶ sent
 *                                 │                  ▲
 *                                 └──▶ suspended ────┘ resumed
 */
#include "api/http.h"

#include "api/routes.h"
#include "api/stream.h"
#include "api/visitors.h"
#include "base/clock.h"
#include "base/memory.h"

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM_PIECE_SIZE = 16 * 1024 };

static const char unframed[] =
    "{\"type\":\"/problems/invalid\",\"title\":\"The request is not well formed\",\"status\":400,"
    "\"detail\":\"of Transfer-Encoding only chunked is read\",\"code\":\"invalid\"}\n";

struct listener {
    struct http *http;
    enum listener_kind kind;
    struct MHD_Daemon *daemon;
};

struct http {
    struct edge *edge;
    struct listener listeners[LISTENERS_MAX];
    int listener_count;
    struct visitors *visitors;
    int glance;                       /* the number of the route of glances */
    _Atomic bool closing;             /* answers end their connections */
    struct MHD_Response *last_resort; /* when an answer cannot be built */
    struct MHD_Response *unframed;    /* to who does not say where his body ends */
};

/* One request on one connection. */
struct exchange {
    struct request request; /* first: errands know it by this address */
    struct http *http;
    int64_t begun_us; /* when it was complete */
    bool routed;
    bool waited; /* it was suspended: others know of it */
};

/* ---- connections ----------------------------------------------------------------------------- */

static enum MHD_Result admit(void *context, const struct sockaddr *peer, socklen_t size)
{
    struct http *http = context;
    struct address address = address_of(peer);
    (void)size;
    return visitors_admit(http->visitors, &address) ? MHD_YES : MHD_NO;
}

static struct address peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? address_of(info->client_addr) : (struct address){{0}};
}

static void notify_connection(void *context, struct MHD_Connection *connection, void **slot,
                              enum MHD_ConnectionNotificationCode code)
{
    struct http *http = ((struct listener *)context)->http;
    bool begins = code == MHD_CONNECTION_NOTIFY_STARTED;
    atomic_fetch_add(&http->edge->measures.connections, begins ? 1 : -1);
    if (!begins) {
        visitors_leave(http->visitors, *slot);
        return;
    }
    struct address peer = peer_of(connection);
    *slot = visitors_enter(
        http->visitors, &peer,
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
        clock_monotonic_ms() + HTTP_HEADERS_WITHIN_MS);
}

static void expect(struct MHD_Connection *connection, int64_t due_ms)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info && info->socket_context)
        visitor_expect(info->socket_context, due_ms);
}

void http_sweep(struct http *http)
{
    visitors_sweep(http->visitors, clock_monotonic_ms());
}

/* ---- requests -------------------------------------------------------------------------------- */

static struct exchange *exchange_of(struct request *request)
{
    return memory_owner(request, struct exchange, request);
}

static void exchange_free(struct exchange *exchange)
{
    request_release(&exchange->request);
    memory_free(exchange);
}

static void suspend(struct request *request)
{
    exchange_of(request)->waited = true;
    MHD_suspend_connection(request->connection);
}

/* The last holder gone, there is no connection to resume: only memory to give back. */
static void resume(struct request *request)
{
    if (request->connection)
        MHD_resume_connection(request->connection);
    else
        exchange_free(exchange_of(request));
}

static enum verb verb_of(const char *method)
{
    return strcmp(method, "HEAD") == 0 ? VERB_GET : verb_named(text_of(method));
}

static struct text header_of(struct MHD_Connection *connection, const char *name)
{
    return text_of(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

/* All lines of one header, as the one list that they are (RFC 9110 5.3). */
struct lines_of {
    const char *name;
    struct buffer joined;
};

static enum MHD_Result join_line(void *context, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct lines_of *lines = context;
    (void)kind;
    if (strcasecmp(name, lines->name) == 0)
        buffer_print(&lines->joined, "%s%s", lines->joined.size ? "," : "", value ? value : "");
    return MHD_YES;
}

/* Whom the connection speaks for. */
static struct address address_of_customer(const struct edge *edge,
                                          struct MHD_Connection *connection)
{
    const struct networks *trusted = &edge->options->trusted_proxies;
    struct address peer = peer_of(connection);
    if (!networks_have(trusted, &peer))
        return peer;
    struct lines_of forwarded = {"Forwarded", {0}}, others = {"X-Forwarded-For", {0}};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, join_line, &forwarded);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, join_line, &others);
    struct address address =
        address_behind(trusted, &peer, buffer_view(&forwarded.joined), buffer_view(&others.joined));
    buffer_release(&forwarded.joined);
    buffer_release(&others.joined);
    return address;
}

static void read_headers(struct request *request, struct MHD_Connection *connection)
{
#define HEADER(field, name) request->headers.field = header_of(connection, name);
    REQUEST_HEADERS
#undef HEADER
    for (int i = 0; i < QUERY_COUNT; i++)
        request->queries[i] = text_of(MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND,
                                                                  query_name((enum query)i)));
}

static struct exchange *begin(struct listener *listener, struct MHD_Connection *connection,
                              const char *path, const char *method)
{
    struct exchange *exchange = memory_new(sizeof *exchange);
    struct request *request = &exchange->request;
    request_init(request);
    exchange->http = listener->http;
    request->verb = verb_of(method);
    request->path = text_of(path);
    request->listener = listener->kind;
    request->connection = connection;
    request->suspend = suspend;
    request->resume = resume;
    read_headers(request, connection);
    request->address = address_of_customer(listener->http->edge, connection);
    return exchange;
}

/* false: there is no memory for one of them. An answer that lacks one would be another answer. */
static bool add_headers(struct MHD_Response *response, const struct answer *answer,
                        const char *content_type, bool closing)
{
    bool added = !content_type || MHD_add_response_header(response, "Content-Type", content_type);
    for (int i = 0; i < answer->header_count; i++)
        added = added && MHD_add_response_header(response, answer->headers[i].name,
                                                 answer->headers[i].value);
    return added &&
           MHD_add_response_header(response, "Cache-Control",
                                   answer->cache_control ? answer->cache_control : "no-store") &&
           (!closing || MHD_add_response_header(response, "Connection", "close"));
}

/* ---- streams --------------------------------------------------------------------------------- */

static void sleep_connection(void *connection)
{
    MHD_suspend_connection(connection);
}

static void rouse_connection(void *connection)
{
    MHD_resume_connection(connection);
}

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t max)
{
    (void)position;
    ssize_t size = stream_pull(context, out, max);
    if (size == STREAM_BROKEN)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    return size == STREAM_END ? MHD_CONTENT_READER_END_OF_STREAM : size;
}

static void release_stream(void *context)
{
    stream_release(context);
}

/* NULL: there is no memory for it, and the stream is released. */
static struct MHD_Response *open_stream(struct stream *stream, struct MHD_Connection *connection)
{
    stream->connection = connection;
    stream->sleep = sleep_connection;
    stream->rouse = rouse_connection;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_PIECE_SIZE, read_stream, stream, release_stream);
    if (response == NULL)
        stream_release(stream);
    return response;
}

/* ---- answers --------------------------------------------------------------------------------- */

static struct MHD_Response *open_body(struct answer *answer)
{
    struct buffer body = answer->body;
    answer->body = (struct buffer){0};
    if (body.size) {
        struct MHD_Response *response =
            MHD_create_response_from_buffer(body.size, body.data, MHD_RESPMEM_MUST_FREE);
        if (response)
            return response;
    }
    bool empty = body.size == 0;
    buffer_release(&body);
    return empty ? MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT) : NULL;
}

/* By route: a path may hold what only its sender and we know. */
static void say_answered(const struct request *request, int64_t us)
{
    const struct route *route = request->route < route_count() ? route_at(request->route) : NULL;
    log_line(LOG_DEBUG, "edge", "%s %s: %d, %lld us", route ? verb_name(route->verb) : "no route",
             route ? route->pattern : "", request->answer.status, (long long)us);
}

static enum MHD_Result send_answer(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct answer *answer = &exchange->request.answer;
    struct stream *stream = answer->stream;
    const char *content_type = answer->body.size || stream ? answer->content_type : NULL;
    answer->stream = NULL;
    struct MHD_Response *response = stream ? open_stream(stream, connection) : open_body(answer);
    bool whole = response &&
                 add_headers(response, answer, content_type, atomic_load(&exchange->http->closing));
    enum MHD_Result result =
        whole ? MHD_queue_response(connection, (unsigned)answer->status, response)
              : MHD_queue_response(connection, 503, exchange->http->last_resort);
    if (response)
        MHD_destroy_response(response);
    int64_t now_us = clock_monotonic_us(), us = now_us - exchange->begun_us;
    tracing_end(&exchange->request, exchange->begun_us, now_us);
    measures_note(&exchange->http->edge->measures, exchange->request.route, answer->status,
                  answer->problem, us);
    if (log_wants(LOG_DEBUG))
        say_answered(&exchange->request, us);
    return result;
}

/* ---- at a glance ----------------------------------------------------------------------------- */

/* Of those requests, what stands in their slot instead of an exchange. */
static char at_a_glance;

static void undress(void *dressed)
{
    MHD_destroy_response(dressed);
}

/* The page as it is sent to any number of connections; NULL: there is no memory for it. */
static struct MHD_Response *dress(struct page *page)
{
    void *worn = atomic_load(&page->dressed);
    if (worn)
        return worn;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(page->body.size, page->body.data, MHD_RESPMEM_MUST_COPY);
    if (response && MHD_add_response_header(response, "ETag", page->etag) &&
        MHD_add_response_header(response, "X-Log-Position", page->position) &&
        MHD_add_response_header(response, "Cache-Control", "no-cache") &&
        MHD_add_response_header(response, "Content-Type", "application/json") &&
        atomic_compare_exchange_strong(&page->dressed, &worn, response)) {
        page->undress = undress;
        return response;
    }
    if (response)
        MHD_destroy_response(response);
    return worn; /* another thread's, if it was quicker */
}

struct glance {
    struct text if_none_match;
    bool plain; /* nothing else was sent that could change the answer */
};

static enum MHD_Result look_at_header(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    static const char *const others[] = {"Authorization", "X-Request-Id", "traceparent", "Origin"};
    struct glance *glance = context;
    if (kind == MHD_GET_ARGUMENT_KIND)
        glance->plain = false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcasecmp(name, others[i]) == 0)
            glance->plain = false;
    if (strcasecmp(name, "If-None-Match") == 0)
        glance->if_none_match = text_of(value);
    return MHD_YES;
}

/* Most of what is asked during a sale: a show, by somebody of whom nothing is known. false: the
 * long way. */
static bool answer_at_a_glance(struct listener *listener, struct MHD_Connection *connection,
                               const char *path, const char *method, enum MHD_Result *result)
{
    struct glance glance = {.plain = true};
    struct edge *edge = listener->http->edge;
    if (verb_of(method) != VERB_GET || atomic_load(&listener->http->closing))
        return false;
    MHD_get_connection_values(connection, MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND, look_at_header,
                              &glance);
    struct address address = address_of_customer(edge, connection);
    struct page *page = glance.plain ? route_glance(edge, text_of(path), &address) : NULL;
    if (page == NULL)
        return false;
    struct MHD_Response *response = dress(page);
    int status = request_knows(glance.if_none_match, text_of(page->etag)) ? 304 : 200;
    if (response) { /* of a 304 libmicrohttpd sends the headers only */
        *result = MHD_queue_response(connection, (unsigned)status, response);
        measures_note(&edge->measures, listener->http->glance, status, 0, 0);
    }
    page_drop(page);
    return response != NULL;
}

/* ---- the long way ---------------------------------------------------------------------------- */

static void take_body(struct request *request, const char *data, size_t size)
{
    if (request->body.size + size > REQUEST_BODY_MAX)
        request->too_large = true;
    else
        buffer_add(&request->body, data, size);
}

/* libmicrohttpd would read on until the connection ends. */
static bool is_framed(struct MHD_Connection *connection)
{
    struct text encoding = header_of(connection, "Transfer-Encoding");
    return encoding.data == NULL || (encoding.size == strlen("chunked") &&
                                     strncasecmp(encoding.data, "chunked", encoding.size) == 0);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **slot)
{
    struct listener *listener = context;
    struct exchange *exchange = *slot;
    enum MHD_Result result;
    (void)version;
    if (*slot == NULL && !is_framed(connection))
        return MHD_queue_response(connection, 400, listener->http->unframed);
    if (*slot == NULL) { /* an answer to this call would end the connection */
        *slot = &at_a_glance;
        expect(connection, clock_monotonic_ms() + HTTP_BODY_WITHIN_MS);
        return MHD_YES;
    }
    if (*slot == &at_a_glance) {
        if (*size == 0 && answer_at_a_glance(listener, connection, path, method, &result))
            return result;
        *slot = exchange = begin(listener, connection, path, method);
    }
    struct request *request = &exchange->request;
    if (*size) {
        take_body(request, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (!exchange->routed) {
        exchange->routed = true;
        exchange->begun_us = clock_monotonic_us();
        expect(connection, INT64_MAX);
        route_request(listener->http->edge, request);
        if (exchange->waited)
            return MHD_YES; /* suspended; maybe resumed already, then we are called again */
    }
    return send_answer(exchange, connection);
}

static void notify_completed(void *context, struct MHD_Connection *connection, void **slot,
                             enum MHD_RequestTerminationCode code)
{
    struct http *http = ((struct listener *)context)->http;
    struct exchange *exchange = *slot;
    (void)code;
    expect(connection, clock_monotonic_ms() + HTTP_IDLE_MS);
    *slot = NULL;
    if (exchange == NULL || (void *)exchange == &at_a_glance)
        return;
    if (!exchange->waited) {
        exchange_free(exchange);
        return;
    }
    edge_lock(http->edge);
    exchange->request.connection = NULL;
    bool last = --exchange->request.holders == 0;
    edge_unlock(http->edge);
    if (last)
        exchange_free(exchange);
}

/* ---- daemons --------------------------------------------------------------------------------- */

static struct MHD_Daemon *start_daemon(struct listener *listener, int socket,
                                       const struct options *options)
{
    struct sockaddr_storage own = {0};
    socklen_t own_size = sizeof own;
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    if (getsockname(socket, (struct sockaddr *)&own, &own_size) == 0 && own.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(
        flags, 0, admit, listener->http, handle, listener, MHD_OPTION_LISTEN_SOCKET, socket,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)HTTP_THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)options->connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_SILENCE_S,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, notify_completed, listener,
        MHD_OPTION_NOTIFY_CONNECTION, notify_connection, listener, MHD_OPTION_END);
}

struct http *http_start(struct edge *edge, const int *sockets, int count, struct bus_error *error)
{
    struct http *http = memory_new(sizeof *http);
    http->edge = edge;
    http->glance = route_numbered(VERB_GET, ROUTE_GLANCE);
    http->visitors = visitors_new(edge->options->per_address_max, &edge->options->trusted_proxies);
    http->last_resort = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
    http->unframed = MHD_create_response_from_buffer(
        sizeof unframed - 1, (void *)(uintptr_t)unframed, MHD_RESPMEM_PERSISTENT);
    if (http->unframed)
        MHD_add_response_header(http->unframed, "Content-Type", "application/problem+json");
    for (int i = 0; i < count; i++) {
        struct listener *listener = &http->listeners[i];
        *listener = (struct listener){.http = http, .kind = edge->options->listeners[i].kind};
        listener->daemon = start_daemon(listener, sockets[i], edge->options);
        http->listener_count = i + 1;
        if (listener->daemon)
            continue;
        snprintf(error->text, sizeof error->text,
                 "cannot serve on '%s:%s'; are there descriptors and memory left?",
                 edge->options->listeners[i].host, edge->options->listeners[i].port);
        http_stop(http);
        return NULL;
    }
    return http;
}

void http_quiesce(struct http *http)
{
    atomic_store(&http->closing, true);
    for (int i = 0; i < http->listener_count; i++) {
        int socket = MHD_quiesce_daemon(http->listeners[i].daemon);
        if (socket >= 0)
            close(socket);
    }
}

void http_stop(struct http *http)
{
    for (int i = 0; i < http->listener_count; i++)
        if (http->listeners[i].daemon)
            MHD_stop_daemon(http->listeners[i].daemon);
    MHD_destroy_response(http->last_resort);
    MHD_destroy_response(http->unframed);
    visitors_free(http->visitors);
    memory_free(http);
}
