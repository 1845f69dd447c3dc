/* desk.h: one partition's place in a service: whose word counts there, its state, its inputs.
 * Private to the loop.
 *
 *              assigned: claims, and reads it          revoked
 *     FOLDING ─────────────────────────────────▶ RUNNING ───────▶ RETIRED
 *       ▲  ▲                                      │  ▲              │  │
 *       │  └────── newer claim, stepped down ─────┘  └── assigned ──┘  │
 *       └──────────────────────── newer claim ─────────────────────────┘
 *
 * FOLDING is where all begin, assigned or not: whoever is given a partition has its state already,
 * and need only claim it. A newer claim keeps the state if every append of ours before it was read
 * back; else, and whenever we step down, the state is dropped and folded again from the log's
 * start. LOST is final: a person must look. */
#ifndef BUS_DESK_H
#define BUS_DESK_H

#include "base/arena.h"
#include "base/prng.h"
#include "bus/envelope.h"
#include "bus/service.h"

/* A record read ahead of its turn, copied. */
struct queued {
    struct queued *next;
    int64_t offset;
    struct fence after; /* the input's position once this is handled */
    struct bus_record record;
    struct bus_header headers[];
};

struct input {
    struct fence position; /* behind the last record handled: what sd_positions says */
    struct fence read;     /* behind the last record read */
    struct queued *first, *last;
    int queue_size;
    bool paused; /* the queue was full: not followed for now */
    int64_t
        target; /* must be read up to here before others' records are handled; -1: ask the bus */
    int64_t asked_ms; /* the log's clock when the target was asked for */
    int64_t started;  /* the offset where reading began */
    int64_t
        behind_since_ms; /* monotonic: the first look that found some not handled; 0: none are */
    int64_t handled_ms;  /* append time of the record handled last; 0: none yet */
    bool checking;       /* the last source is being read again, to see that the log still has it */
    int64_t source_offset; /* the last record of this input that has an outcome; -1: none yet */
    uint32_t source_crc;   /* its source_crc() */
};

struct desk {
    struct service *service;
    int partition;
    enum desk_phase phase;
    bool assigned;

    struct fence own;     /* reading of the own event partition */
    int64_t own_seen;     /* and up to where nothing is left to be read of it */
    int64_t own_at_start; /* where that ended when the process began; -1: ask the bus */
    void *state;
    int64_t last_ms; /* time of the last accepted outcome */
    struct input inputs[FENCE_INPUTS_MAX];

    bool claiming;      /* a claim is appended and not yet read */
    uint64_t nonce;     /* of the claim in flight, or of the epoch */
    uint64_t serial;    /* of the claim: tags of older appends are told from newer ones */
    int64_t epoch;      /* offset of our claim while RUNNING or RETIRED */
    uint64_t n;         /* stamps appended in our epoch */
    int64_t unread_ms;  /* monotonic: since when something of ours waits to be read */
    int64_t claim_ms;   /* monotonic: when to claim (again); INT64_MAX: not at all */
    int64_t backoff_ms; /* the next one */
    int64_t running_ms; /* monotonic: when RUNNING began */

    int64_t log_clock_ms; /* append time of the own claim … */
    int64_t log_mono_ms;  /* … and the monotonic time when it was read; later of what came back */
    int64_t ask_again_ms; /* monotonic: the bus did not say where it ends; not before this */
    int64_t appended_ms;  /* monotonic: when the last append of ours was made */

    int64_t skipped;    /* inputs without outcome since the last record of ours */
    int64_t skipped_ms; /* monotonic: the last of them */
    int claims_since;   /* claims read since the last outcome: many in a row mean that owners die */
    struct source trying;   /* the input that owners wrote down before they decided on it … */
    int tries;              /* … and how many did, without an outcome of it */
    bool cautious;          /* write down the next input before deciding on it */
    struct source survived; /* the one last decided on without dying of it; its crc is not set */
    uint64_t tried_n;       /* stamp of our own note; 0: not written yet */

    int64_t claim_at; /* where the claim in flight lies, if the bus told; -1: not known */
    struct under_way under_way[VITALS_UNDER_WAY_MAX]; /* by stamp */
    struct desk_vitals vitals;
    struct told *told; /* VITALS_UNDER_WAY_MAX spans, by stamp; NULL: there was none yet */

    bool recovered; /* every input has been read to its end once since RUNNING began */
    bool blocked;   /* BUS_FULL: try again next turn */
};

struct service {
    struct bus *bus;
    const struct service_descriptor *descriptor;
    struct installation installation;
    struct service_options options;
    char host[LABEL_SIZE_MAX + 1];
    struct prng prng;
    int64_t now_ms;        /* monotonic, when the bus was last waited for … */
    int64_t now_us;        /* … and more exactly */
    int64_t unanswered_ms; /* the turn in which the bus did not answer: one such wait a turn */
    bool stopping;
    bool joined;  /* has asked for a place in the group */
    bool settled; /* and was told what it owns, possibly nothing */
    bool told_ready;
    bool decided_live; /* the record that was polled last made a decision */
    struct vitals vitals;
    struct arena arena; /* of the message in hand */
    struct envelope envelope;
    struct message message;
    struct message outcome;
    struct message check; /* the outcome as a reader will see it */
    struct arena check_arena;
    struct buffer header; /* the text of the one being written */
    int desk_count;
    struct desk desks[];
};

/* Our claim is the current one, as far as we have read: what we appended counts. */
static inline bool desk_holds_claim(const struct desk *desk)
{
    return desk->phase == DESK_RUNNING || desk->phase == DESK_RETIRED;
}

/* desk.c: life of a desk */
void desk_init(struct desk *desk, struct service *service, int partition);
void desk_release(struct desk *desk);
void desk_assigned(struct desk *desk);
void desk_revoked(struct desk *desk);
/* Whether it has read what was there when the process began. */
bool desk_is_warm(struct desk *desk);
void desk_failed(struct desk *desk, uint64_t tag, const char *reason);
void desk_appended(struct desk *desk, uint64_t tag, int64_t offset);
void desk_step_down(struct desk *desk, const char *why);
/* Sets the time of the next claim: by chance between half of the back-off and all of it. The
 * back-off is at least `at_least_ms`; the one after it is doubled, up to SERVICE_BACKOFF_MAX_MS. */
void desk_claim_later(struct desk *desk, int64_t at_least_ms);
void desk_lost(struct desk *desk, int topic, int64_t offset, const char *why);
void desk_tend(struct desk *desk); /* once a turn: claims, timeouts, progress */
uint64_t desk_tag(const struct desk *desk);
void desk_say(const struct desk *desk, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* desk_own.c: reading the own event partition */
void desk_read_own(struct desk *desk, int64_t offset, const struct bus_record *record);

/* desk_input.c: the inputs, merged by the log's time */
void inputs_start(struct desk *desk);
void inputs_stop(struct desk *desk);
void inputs_read(struct desk *desk, int which, int64_t offset, const struct bus_record *record);
/* Everything below `offset` was delivered: what is missing are holes of the backend's own. */
void inputs_caught_up(struct desk *desk, int which, int64_t offset);
void inputs_work(
    struct desk *desk); /* handles everything that may be handled now, timers included */
/* Where the partition of that topic ends now; false: the bus does not say, and is not asked again
 * for a while. */
bool desk_ask_end(struct desk *desk, int topic, int64_t *end);
int64_t desk_log_now(const struct desk *desk); /* the log's clock, as far as we can tell */
int64_t desk_due_at(const struct desk *desk);  /* INT64_MAX: nothing is due by itself */

/* desk_decide.c: one input, at most one outcome */
enum decided { DECIDED, DECIDED_NOTHING, DECIDED_BLOCKED, DECIDED_LOST };
enum decided desk_decide(struct desk *desk, int which, int64_t offset,
                         const struct bus_record *record, const struct fence *after);
enum decided desk_decide_due(struct desk *desk, int64_t at_ms);
/* Of a refusal or a rejection its code; NULL: there is none. */
const char *desk_reason(const struct message *outcome);
/* A Progress record; with `source`: the note that this input is about to be decided on. */
enum decided desk_progress(struct desk *desk, const struct source *source);

/* vitals.c: what the loop tells of itself */
void vitals_appended(struct desk *desk, int64_t input_ms); /* the one stamped last */
void vitals_read_back(struct desk *desk, uint64_t n, int64_t append_ms);
void vitals_outcome(struct vitals *vitals, const struct message *outcome);
void vitals_look(struct service *service); /* once a turn */

/* desk_trace.c: what it did for a request, for those who trace it */
void desk_trace_decided(struct desk *desk, int topic, const struct source *source);
void desk_trace_read_back(struct desk *desk, uint64_t n);

/* desk_caution.c: an input that kills its owners is refused in the end */
void caution_read_claim(struct desk *desk);
void caution_read_outcome(struct desk *desk);
void caution_read_note(struct desk *desk, struct text header);
void caution_begin(struct desk *desk);
bool caution_passes(struct desk *desk, int which, int64_t offset, const struct bus_record *record);
void caution_survived(struct desk *desk, const struct source *source);
bool caution_refuses(const struct desk *desk, const struct source *source);

#endif
