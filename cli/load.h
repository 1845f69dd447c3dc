/* load.h: very many HTTP requests at once, at a pace that does not depend on the answers.
 *
 * An item is one thing to be done by one request or several (ask, ask again, wait for the answer);
 * the journey says what comes next. Closed loop: `connection_count` items are always under way.
 * Open loop: items begin at fixed times, `rate` a second, whether or not earlier ones are answered,
 * and are timed from when they should have begun, so that a stall is charged to all who met it (no
 * coordinated omission).
 *
 * One thread, one epoll over the sockets of libcurl's multi interface. Handles are spread over
 * shards of a few dozen, because libcurl searches its connections from end to end. */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "base/heap.h"
#include "base/text.h"
#include "base/uuid.h"

enum {
    LOAD_CONNECTIONS_MAX = 20000,
    LOAD_RATE_MAX = 1000000,
    LOAD_SOURCES_MAX = 250,
    LOAD_KEY_SIZE = 33
};

struct load_item {
    int64_t number;         /* from 0, in the order of beginning */
    int64_t intended_at_us; /* monotonic: when it should have begun */
    int64_t begun_at_us;    /* when it did */
    int retry_count;        /* how often the same request was made again */

    /* The request. `begin` and `answered` write it; an empty body: GET, else POST of JSON. */
    struct buffer path;
    struct buffer body;
    struct buffer bearer;    /* empty: none */
    char key[LOAD_KEY_SIZE]; /* Idempotency-Key; "": none */

    /* The journey's own. */
    int stage;
    char id[UUID_SIZE];
};

struct load_answer {
    long status;            /* 0: none came; `error` says why */
    struct text body;       /* borrowed for the call */
    struct text location;   /* of the header; empty: none */
    int64_t retry_after_ms; /* of the header; 0: none */
    const char *error;
};

enum load_step {
    LOAD_DONE,  /* the item is over */
    LOAD_GO_ON, /* make the request that is written now, at once */
    LOAD_AGAIN  /* make the same one again after a pause; or, out of patience, `given_up` */
};

struct load_plan {
    const char *url;      /* without a slash at its end */
    int connection_count; /* 1 .. LOAD_CONNECTIONS_MAX: items under way at most */
    int64_t rate;         /* items a second; 0: closed loop */
    int64_t count;        /* items in all; 0: until the time is over */
    int64_t duration_ms;  /* no item begins later; 0: until the count is reached */
    int source_count;     /* 0: the kernel chooses; else 127.0.0.1 .. .N */
    int request_timeout_ms;
    int patience_ms; /* an item is not retried later than this after it began */

    void *user;
    void (*begin)(void *user, struct load_item *item);
    enum load_step (*answered)(void *user, struct load_item *item,
                               const struct load_answer *answer);
    /* The item is over without an answer that settles it; `answer` is the last. */
    void (*given_up)(void *user, struct load_item *item, const struct load_answer *answer);
    volatile const int *stop; /* not 0: begin no more items; more than 1: drop those under way */
};

struct load_result {
    int64_t begun_count;
    int64_t dropped_count; /* begun, and dropped because of `stop` */
    int64_t elapsed_us;
};

/* Raises the limit of descriptors to what `connection_count` needs. false: not permitted;
 * `*allowed` is the limit. */
bool load_reserve_descriptors(int connection_count, int *allowed);

/* Runs the plan to its end. */
struct load_result load_run(const struct load_plan *plan);

/* When item `number` of an open loop begins, after the start. Pure. */
int64_t load_intended_us(int64_t number, int64_t rate);

/* The pause before retry `retry_count` (from 1), given what the answer asked for (0: nothing).
 * Pure. */
int64_t load_pause_ms(int retry_count, int64_t retry_after_ms);

#endif
