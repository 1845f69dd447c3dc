/* request.h: one HTTP request and its answer, without any HTTP library in sight.
 *
 * The shell (http.h) fills a request and hands it to route_request; a handler answers at once, or
 * lets it wait as an errand until the log has spoken (errand.h). The shell then sends `answer`. A
 * request lives until both its connection and its last append are done with it: it counts its
 * holders.
 *
 * Threads: until it waits, the serving thread's; while it waits, whoever has the edge's lock;
 * afterwards the serving thread's again. Texts that came in are borrowed from the connection. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/address.h"
#include "api/errand.h"
#include "api/tracing.h"
#include "keys/keys.h"
#include "base/arena.h"

enum {
    REQUEST_BODY_MAX = 16 * 1024, /* bytes; more: 413 */
    REQUEST_PATH_MAX = 1024,
    REQUEST_KEY_MAX = 200, /* bytes of an Idempotency-Key */
    REQUEST_PARTS_MAX = 2, /* {…} of a route */
    ANSWER_HEADERS_MAX = 16
};

enum verb { VERB_GET, VERB_POST, VERB_PUT, VERB_PATCH, VERB_DELETE, VERB_OPTIONS, VERB_OTHER };

const char *verb_name(enum verb verb);
enum verb verb_named(struct text name); /* VERB_OTHER: none of ours */

/* What came in, each a text of the name on its left; data NULL: absent. */
#define REQUEST_HEADERS                                                                            \
    HEADER(accept, "Accept")                                                                       \
    HEADER(authorization, "Authorization")                                                         \
    HEADER(idempotency_key, "Idempotency-Key")                                                     \
    HEADER(prefer, "Prefer")                                                                       \
    HEADER(if_match, "If-Match")                                                                   \
    HEADER(if_none_match, "If-None-Match")                                                         \
    HEADER(content_type, "Content-Type")                                                           \
    HEADER(traceparent, "traceparent")                                                             \
    HEADER(request_id, "X-Request-Id")                                                             \
    HEADER(origin, "Origin")                                                                       \
    HEADER(last_event_id, "Last-Event-ID")                                                         \
    HEADER(webhook_id, "webhook-id")                                                               \
    HEADER(webhook_timestamp, "webhook-timestamp")                                                 \
    HEADER(webhook_signature, "webhook-signature")

struct request_headers {
#define HEADER(field, name) struct text field;
    REQUEST_HEADERS
#undef HEADER
};

/* `?name=value`; found by the shell on demand. */
enum query {
    QUERY_WAIT,
    QUERY_Q,
    QUERY_STATUS,
    QUERY_CURSOR,
    QUERY_LIMIT,
    QUERY_MIN_POSITION,
    QUERY_AFTER,
    QUERY_TYPES,
    QUERY_VERBOSE,
    QUERY_COUNT
};

const char *query_name(enum query query);

/* Who asks. A bearer that is a reservation's secret is believed only where that reservation is
 * named. */
struct caller {
    enum caller_role role;
    const char *name; /* the API key's, else "public" */
    bool has_api_key;
    bool is_unknown;    /* a bearer that is neither an API key nor like a secret */
    struct text secret; /* the bearer, if it is like a secret */
};

struct stream;

struct answer_header {
    const char *name;
    const char *value; /* in the request's arena, or static */
};

struct answer {
    int status;  /* 0: none yet */
    int problem; /* 1 + the enum problem that it is; 0: none */
    const char *content_type;
    const char *cache_control; /* NULL: no-store */
    struct buffer body;
    struct stream *stream; /* instead of a body; NULL: none. The shell's once it is sent */
    struct answer_header headers[ANSWER_HEADERS_MAX];
    int header_count;
    int kept_count; /* of them, the first ones belong to every answer */
};

/* Which of the course's servers a listener stands for: all serve the same, but for GET / and what
 * one of them asks another. */
enum listener_kind {
    LISTENER_MONOLITH,
    LISTENER_API,
    LISTENER_SHOWS,
    LISTENER_RESERVATIONS,
    LISTENER_COUNT
};

struct request {
    enum verb verb;
    struct text path;
    struct request_headers headers;
    struct text queries[QUERY_COUNT];
    struct buffer body;
    bool too_large;         /* the body was cut */
    struct address address; /* of the customer, not of his proxy */
    enum listener_kind listener;

    struct caller caller;                 /* by route_request */
    struct text parts[REQUEST_PARTS_MAX]; /* what stood for the {…} of the route */
    int route;                            /* its number (routes.h) */
    bool sample;                          /* errors are {"error": text} */
    struct tracing tracing;               /* by route_request */

    struct answer answer;
    struct errand errand;
    struct arena arena;
    int holders; /* under the edge's lock once it waits */

    /* The shell's: stops serving the connection until `resume`. Called under the edge's lock,
     * once at most. */
    void (*suspend)(struct request *request);
    /* Any thread, without the lock, once for each suspend, after the answer is complete. */
    void (*resume)(struct request *request);
    void *connection;
    struct request *next; /* in a list of those to resume */
};

void request_init(struct request *request);
void request_release(struct request *request); /* what it owns, not itself */

/* Whether the value of an If-None-Match names the entity tag (RFC 9110 13.1.2); data NULL: no. */
bool request_knows(struct text if_none_match, struct text etag);

/* Whether there is no If-Match, or it names the entity tag (the strong comparison). */
bool request_matches(struct text if_match, struct text etag);

/* Adds a header; `format` is printed into the arena. Beyond ANSWER_HEADERS_MAX nothing happens. */
void answer_header(struct request *request, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Starts a JSON answer with `{`; the caller goes on with json_put_… and ends it with
 * answer_close. */
struct buffer *answer_open(struct request *request, int status);
void answer_close(struct request *request);

/* Throws away what was answered so far, headers included. */
void answer_clear(struct request *request);

#endif
