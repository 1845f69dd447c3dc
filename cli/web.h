/* web.h: calling the edge, one request after another. For commands that do a few things in order.
 *
 * Writes carry an Idempotency-Key, so a call whose answer got lost, or is not final yet (202), is
 * simply made again: the edge answers the same resource. Blocking; a handle belongs to one thread.
 */
#ifndef CLI_WEB_H
#define CLI_WEB_H

#include "base/text.h"

enum { WEB_ERROR_SIZE = 400, WEB_BODY_SIZE_MAX = 1024 * 1024 };

struct web;

/* `url` as people type it ("http://127.0.0.1:3000", with or without a slash); `key`: an API key for
 * all calls, NULL: none. Both copied. */
struct web *web_open(const char *url, const char *key);
void web_close(struct web *web);

struct web_call {
    const char *method;
    const char *path;            /* "/v1/shows" */
    const char *bearer;          /* instead of the handle's key; NULL: the key */
    const char *idempotency_key; /* NULL: none */
    const char *body;            /* JSON; NULL: none */
    int timeout_ms;              /* 0: 10 s */
};

/* All borrowed until the next call on the handle. */
struct web_answer {
    long status; /* 0: no answer; `error` says why */
    struct text body;
    struct text location;  /* of the header; empty: none */
    int64_t retry_after_s; /* of the header; 0: none */
    const char *error;     /* for people; "" when there is an answer */
};

/* One request, one answer. */
struct web_answer web_do(struct web *web, const struct web_call *call);

/* Makes the call again while nobody answers, or the answer is 202, 429, 502, 503 or 504, until
 * `patience_ms` is over; then the last answer. */
struct web_answer web_settle(struct web *web, const struct web_call *call, int patience_ms);

/* The value of the header line, as libcurl hands it over, when it is that header; else the empty
 * text. Borrowed from the line. */
struct text web_header(struct text line, const char *name);

/* What a problem body says, else the status: "sold_out: no seats left"; returns `out`. */
const char *web_problem(const struct web_answer *answer, char out[WEB_ERROR_SIZE]);

#endif
