/* errand.h: what a waiting request waits for.
 *
 * An errand sends a command (or several, one after another) and looks at the view whenever
 * something was said that names it, until it can answer:
 *
 *                begin                 look says so, refused, not acknowledged, late
 *     IDLE ────────────────▶ WAITING ────────────────────────────────────────────────▶ ANSWERED
 *                            │    ▲
 *                            └────┘ said: looks, maybe sends the next command
 *
 * Its connection is suspended meanwhile: no thread waits. 2xx is answered only from the view, which
 * holds only what is in the log, and 202 only once the log has acknowledged the command. A command
 * not acknowledged in time is 503, though it may still land: the same Idempotency-Key is safe to
 * try again.
 *
 * Threads: everything here under the edge's lock, but errand_prepare. */
#ifndef API_ERRAND_H
#define API_ERRAND_H

#include "api/clerks.h"
#include "api/view.h"
#include "base/heap.h"
#include "base/memory.h"
#include "bus/envelope.h"

enum {
    ERRAND_WAIT_DEFAULT_MS = 2000,
    ERRAND_WAIT_MAX_MS = 30 * 1000,
    ERRAND_ACKNOWLEDGED_WITHIN_MS = 5000,
    ERRAND_IN_FLIGHT_PER_SHOW_MAX = 2048,
    ERRAND_READERS_SHARE =
        2, /* at most one of so many who wait only reads: the rest is for sales */
    ERRAND_NEWS_EVERY_MS = 100
};

struct edge;
struct request;
struct errand;

/* What an errand does; static, one per handler that waits. */
struct errand_kind {
    const char *name;
    /* Looks at the view; true: the answer is complete. May call errand_send for its next
     * command. */
    bool (*look)(struct edge *edge, struct request *request);
    /* The wait is over and everything sent is acknowledged: answers 202, or how things stand. */
    void (*late)(struct edge *edge, struct request *request);
};

/* A place in the list of those who wait for the same name. */
struct wait {
    char name[UUID_SIZE]; /* a reservation or command id, as it was when listed */
    struct request *request;
    struct wait *next;
    bool listed;
};

enum errand_phase { ERRAND_IDLE, ERRAND_WAITING, ERRAND_ANSWERED };

struct errand {
    const struct errand_kind *kind;
    enum errand_phase phase;
    struct wait waits[2];
    char reservation_id[UUID_SIZE]; /* empty: none; or a partition's name */
    char command_id[UUID_SIZE];     /* empty: only watching */
    char show_id[VIEW_ID_SIZE];
    char fingerprint[VIEW_FINGERPRINT_SIZE];
    struct show *show; /* whose in_flight counts it; NULL: none */
    struct heap_node deadline;
    int64_t wait_until_ms, acknowledge_by_ms;
    int64_t begun_us; /* monotonic */
    int send_count;   /* commands sent; the last one's number is in its tag */
    bool reads;       /* it was begun without a command */
    bool acknowledged;
    struct envelope envelope; /* of the command sent last */
    int topic, partition;
    struct request *next_sent;
    bool queued;

    bool refused; /* one of its commands was, in these words */
    enum code refused_code;
    char refused_detail[NOTE_SIZE_MAX + 1];

    int stage; /* the kind's own, as are the next three */
    int64_t count;
    struct text name;
    const void *details; /* in the request's arena */

    void (*question)(struct clerk *clerk, struct request *request, struct buffer *result);
    struct clerk_job job;
    struct buffer result; /* of the question, once it is `answered` */
    bool answered;
};

/* All errands of an edge. S_init is {0}. */
struct errands {
    struct map waiting; /* key → the first struct wait */
    struct heap deadlines;
    struct request *sent_first, *sent_last; /* to be appended */
    struct request *done;                   /* to be resumed */
    uint64_t seq;
    int in_flight;
    int reading; /* of them */
    bool unsaid; /* the log has news, and who waits for any was not told */
    int64_t said_ms;
};

void errand_release(struct errand *errand);

/* Makes the record of `command` (its id, actor and traceparent are set here) to be sent by
 * begin. No lock. */
void errand_prepare(struct edge *edge, struct request *request, struct message *command);

/* Has it look at every record of that partition, instead of at what names a reservation. */
void errand_await_partition(struct errand *errand, int topic, int partition);

/* Has it look whenever the log has news of any kind, at most every ERRAND_NEWS_EVERY_MS. */
void errand_await_log(struct errand *errand);

/* Whether it is answered by what is known already: a repeat. For bodies that can no longer be
 * understood, though they could when they first came. */
bool errand_is_answered(struct edge *edge, struct request *request, const struct errand_kind *kind);

/* Looks once; if that does not answer: counts, suspends, waits and sends what was prepared, if
 * anything. Answers 503 overloaded or bus_unavailable itself. `wait_ms`: for the completing
 * event. */
void errand_begin(struct edge *edge, struct request *request, const struct errand_kind *kind,
                  int64_t wait_ms);

/* Sends a further command of a waiting errand; what completes it names `command_id`. */
void errand_send(struct edge *edge, struct request *request, struct message *command);

/* A waiting errand's time is up at `at_ms` of the monotonic clock, and not when it said first. */
void errand_wait_until(struct edge *edge, struct request *request, int64_t at_ms);

/* Ends a waiting errand whose answer is complete. */
void errand_finish(struct edge *edge, struct request *request);

/* Gives back one holder; the last one hands the request to the shell, which frees it. */
void errand_let_go(struct edge *edge, struct request *request);

/* A clerk answered its question; `result` is taken over. Gives back the holder. */
void errand_tell(struct edge *edge, struct request *request, struct buffer *result);

/* ---- the bus thread's side ------------------------------------------------------------------- */

/* Something was said about `key`: everyone who waits for it looks. */
void errands_said(struct edge *edge, struct text key);
/* A record of that partition was read. */
void errands_read(struct edge *edge, int topic, int partition);
/* A command was refused: those who sent it, with the same fingerprint, are told why. */
void errands_refused(struct edge *edge, const struct message *refused);
/* An append was answered, by its tag. Gives back the holder. */
void errands_appended(struct edge *edge, uint64_t tag, bool landed);
/* What is due by now: late, or never acknowledged. */
void errands_due(struct edge *edge, int64_t now_ms);
/* Milliseconds until the next deadline, at most `max`. */
int64_t errands_timeout(const struct edge *edge, int64_t now_ms, int64_t max);
/* The tag of the append of what was sent last. */
uint64_t errand_tag(const struct request *request);
/* The edge goes: everybody is answered as if his time were up. */
void errands_dismiss(struct edge *edge);

#endif
