/* service.h: the loop that turns three pure functions into a service of the log.
 *
 * A service owns partitions of its event topic. For each it claims the partition, folds what was
 * decided before, reads its inputs from where that left them, and appends at most one outcome per
 * input. The log decides whose word counts (fence.h); membership only says who should try.
 * Everything that goes wrong ends in the same way: forget the partition's state and recover it from
 * the log.
 *
 * One thread. service_step does one turn and may be driven by a test with its own clock;
 * service_main is the whole program around it. Source: architecture §1 and §2.3. */
#ifndef BUS_SERVICE_H
#define BUS_SERVICE_H

#include "bus/fence.h"
#include "bus/installation.h"
#include "bus/vitals.h"
#include "schemas/message.h"

enum {
    SERVICE_OUTCOMES_MAX = 8,
    SERVICE_SKIPPED_MAX = 1000,         /* inputs without outcome before a Progress record */
    SERVICE_IDLE_MS = 5 * 1000,         /* or this long after the last of them */
    SERVICE_UNREAD_MS = 10 * 1000,      /* an own append not read back for this long: step down */
    SERVICE_BACKOFF_MIN_MS = 1000,      /* fenced by another: claim again after this, doubling */
    SERVICE_BACKOFF_MAX_MS = 10 * 1000, /* up to this, each with jitter */
    SERVICE_RETRY_MS = 100, /* stepped down by itself: claim again after this, doubling likewise */
    SERVICE_QUEUE_MAX = 1000,       /* records read ahead per input while another input lags */
    SERVICE_WATCHDOG_MS = 30 * 1000 /* a turn that takes longer ends the process */
};

/* Which outcomes an input may have. MESSAGE_NONE as input: what the timer may decide. */
struct service_reaction {
    enum message_type input;
    int outcome_count;
    enum message_type outcomes[SERVICE_OUTCOMES_MAX];
};

/* A service as data: its topics, its core, its contract. `state` is what state_new gave. */
struct service_descriptor {
    const char *name;
    const char *keeps; /* what it decides about, for people: "the seats" */
    enum speaker speaker;
    int inputs[FENCE_INPUTS_MAX]; /* topics, in the order of sd_positions: never reorder */
    int input_count;
    int output;
    int64_t
        rules; /* the core's version: raised whenever the same input could get another outcome */

    void *(*state_new)(void);
    void (*state_free)(void *state);
    /* The outcome of `input` at `now_ms`, or false for none. Pure; texts it makes go to
     * outcome->arena. */
    bool (*decide)(const void *state, const struct message *input, int64_t now_ms,
                   struct message *outcome);
    /* When the next decision without input is due; INT64_MAX: nothing is. NULL: never anything. */
    int64_t (*due_at)(const void *state);
    /* The outcome that is due by `now_ms`, or false. */
    bool (*due)(const void *state, int64_t now_ms, struct message *outcome);
    /* Folds one accepted outcome, the only writer of the state. */
    void (*apply)(void *state, const struct message *outcome);
    /* Adds the seats there are, by what became of them, to `all`. NULL: it has none. */
    void (*seats)(const void *state, struct after *all);

    const struct service_reaction *reactions;
    int reaction_count;
    /* Its events that no service reacts to, on purpose: they end in views, adapters and people. */
    const enum message_type *finals;
    int final_count;
};

/* The functions of a core `name` that only differ in the type of their state. */
#define SERVICE_STATE(name)                                                                        \
    static void *state_new(void)                                                                   \
    {                                                                                              \
        return name##_new();                                                                       \
    }                                                                                              \
    static void state_free(void *state)                                                            \
    {                                                                                              \
        name##_free(state);                                                                        \
    }                                                                                              \
    static void apply(void *state, const struct message *outcome)                                  \
    {                                                                                              \
        name##_apply(state, outcome);                                                              \
    }

struct service;

struct service_options {
    const char *instance; /* goes into the claim; borrowed */
    uint64_t seed;        /* of nonces and jitter */
    /* The monotonic time now in microseconds, asked whenever the bus has been waited for. NULL: no
     * time passes during a turn. */
    int64_t (*clock_us)(void);
};

/* The handle's topics are known by installation_open; it is borrowed and used by nobody else. Joins
 * the group once it has folded what was decided in all partitions, its own and others': so taking
 * one over costs a claim, however long the log is. */
struct service *service_new(struct bus *bus, const struct service_descriptor *descriptor,
                            const struct installation *installation,
                            const struct service_options *options);

/* One turn: waits up to `wait_ms` for the bus, then handles all there is. `now_ms`: monotonic, when
 * the turn begins. */
void service_step(struct service *service, int64_t now_ms, int wait_ms);

/* Whether it has joined and recovered every partition it was given, possibly none. */
bool service_ready(const struct service *service);

/* Stops reading; true once every append in flight was read back. To be called with service_step
 * until true. */
bool service_drained(struct service *service);

void service_free(struct service *service); /* the bus stays open */

/* What it is doing, for tests and for people. */
enum desk_phase {
    DESK_FOLDING, /* following its events: on the way to a claim, or a standby */
    DESK_RUNNING, /* our claim is current: we decide */
    DESK_RETIRED, /* our claim is current, but the partition was given away: we only follow */
    DESK_LOST     /* the log is not what it was: stopped until a person looks */
};
enum desk_phase service_phase(const struct service *service, int partition);
const void *service_state(const struct service *service, int partition); /* NULL: none */
/* What the owner of a partition that is RUNNING knows that the log's clock shows at least, for
 * `now_ms` monotonic: nothing is due before. */
int64_t service_log_ms(const struct service *service, int partition, int64_t now_ms);

const struct vitals *service_vitals(const struct service *service);
const struct desk_vitals *service_desk_vitals(const struct service *service, int partition);

/* Whether the outcome is declared for the input. The loop asserts it of whatever the core decides,
 * and says where to declare it; only what the loop refuses itself needs no declaration. */
bool service_allows(const struct service_descriptor *descriptor, enum message_type input,
                    enum message_type outcome);

/* The whole program: reads the command line (--bus, --group-instance, --partitions, --topic-prefix,
 * --log-level, each also by STAGEDOOR_*), runs until SIGTERM or SIGINT, returns the exit code (0,
 * 100 usage, 111 system failure). */
int service_main(int argc, char **argv, const struct service_descriptor *descriptor);

#endif
