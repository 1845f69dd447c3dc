/* kafka.h: the kafka backend's insides, shared by bus/kafka*.c. Not for anyone else to include,
 * but for its own test.
 *
 * Three librdkafka handles, because each job would disturb the others:
 *
 *     consumer   the records of what is followed. Legacy simple consumer: every partition is
 *                started and stopped by itself, without a group. Also the first to be opened, so it
 *                does the describing and creating in bus_topics, and the probes of kafka_link.c.
 *     producer   idempotent, acks=all. Replaced after a fatal error (kafka_produce.c). Answers
 *                bus_end too: on the consumer's connection a question waits behind the long poll.
 *     group      membership only; its partitions are paused and deliver nothing (kafka_group.c).
 *
 * All their queues signal one eventfd; bus_poll sleeps on it. librdkafka's threads touch nothing of
 * ours but that descriptor and the log. */
#ifndef BUS_KAFKA_H
#define BUS_KAFKA_H

#include "bus/backend.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

enum {
    KAFKA_OPEN_TIMEOUT_MS = 5000,        /* bus_open and each question of bus_topics */
    KAFKA_SETTLE_TIMEOUT_MS = 30 * 1000, /* a cluster that answers, until new topics can be used */
    KAFKA_END_TIMEOUT_MS = 1000,         /* bus_end */
    KAFKA_LEAVE_TIMEOUT_MS = 3000,       /* bus_leave */
    KAFKA_CLOSE_TIMEOUT_MS = 2000,       /* bus_close */
    KAFKA_ENTER_WAIT_FIRST_MS = 500,     /* sent away by the group, until we come back … */
    KAFKA_ENTER_WAIT_MAX_MS = 30 * 1000, /* … doubling up to this … */
    KAFKA_ENTER_FORGIVEN_MS = 60 * 1000, /* … and anew after having stayed so long */
    KAFKA_ANSWER_TIMEOUT_MS = 5000,      /* no answer by then: the connection is dead */
    KAFKA_REJOIN_TIMEOUT_MIN_MS = 10000, /* see kafka_group_open */
    KAFKA_PROBE_TIMEOUT_MS = 1500,  /* must outlast the consumer's long poll, see kafka_link.c */
    KAFKA_PROBE_INTERVAL_MS = 250,  /* between probes that fail at once */
    KAFKA_BATCH_SIZE_MAX = 1000000, /* bytes of one batch we send, if the topics let us */
    KAFKA_BATCH_OVERHEAD = 4096,    /* of 32 headers and the batch around them, generously */
    KAFKA_REASON_SIZE = 256,
    KAFKA_STATISTICS_MS = 5000, /* how often librdkafka tells how its brokers fare */
    KAFKA_SMALL_TURNS = 64      /* polls between looks at the queues that are mostly empty */
};

/* LogAppendTime, but of topics that a copy is being made in. */
#define KAFKA_TIME_SETTING "message.timestamp.type"

struct kafka_follow {
    bool active;
    int64_t next;     /* the lowest offset not yet delivered */
    int64_t position; /* where librdkafka reads on; above `next` when a hole ends the log */
};

/* An event of our own making, waiting for bus_poll. */
struct kafka_note {
    enum bus_event_type type;
    int topic;
    int partition;
    int64_t offset;
    char reason[KAFKA_REASON_SIZE];
};

enum kafka_link {
    KAFKA_LINK_UP,
    KAFKA_LINK_DOUBTED, /* a handle lost all its connections; a probe is asking */
    KAFKA_LINK_DOWN     /* the probe failed, and BUS_DOWN was said */
};

struct kafka_bus {
    struct bus bus;

    char *address;
    char *client;
    char *instance;
    char *prefix;
    int session_timeout_ms;
    int in_flight_max;
    int append_timeout_ms;
    struct option_properties properties; /* texts are borrowed as long as the process */

    int wake_fd;
    atomic_bool woken; /* by bus_wake, as opposed to by a queue */
    unsigned turn;

    int topic_count;
    int partition_count;
    char **topic_names; /* with prefix */

    rd_kafka_t *consumer;
    rd_kafka_queue_t *consumer_queue; /* its errors */
    rd_kafka_queue_t *records;
    rd_kafka_topic_t **consumer_topics;
    struct kafka_follow *follows; /* [topic * partition_count + partition] */
    rd_kafka_event_t *lent;       /* what the last BUS_RECORD points into */
    struct bus_header headers[BUS_HEADERS_MAX];

    rd_kafka_t *producer;
    rd_kafka_queue_t *producer_queue;
    rd_kafka_topic_t **producer_topics;
    rd_kafka_event_t *reports; /* delivery reports being handed out one by one */
    int batch_size;
    int in_flight;
    _Atomic int64_t answer_us; /* the slowest broker's, on average; -1: not known */
    bool producer_broken;      /* fatal error: answer all that is in flight, then replace it */

    rd_kafka_t *group;
    rd_kafka_queue_t *group_queue;
    char *group_name;
    rd_kafka_topic_partition_list_t *joined; /* the topics asked for */
    int64_t entered_ms;                      /* monotonic: when this handle was made */
    int64_t enter_again_ms; /* librdkafka gave it up: when to make another; INT64_MAX: it did not */
    int enter_wait_ms;      /* the next such wait */
    bool *owned;            /* [partition]: BUS_ASSIGNED was said and BUS_REVOKED was not */

    enum kafka_link link;
    rd_kafka_queue_t *probes;
    bool probing;
    int64_t probe_at_ms;
    char trouble[KAFKA_REASON_SIZE]; /* what librdkafka last complained of */

    struct kafka_note *notes; /* a queue: notes[note_first .. note_count) */
    int note_first;
    int note_count;
    int note_capacity;
    struct kafka_note told; /* the note bus_poll returned last */
};

static inline struct kafka_follow *kafka_follow_of(struct kafka_bus *kafka, int topic,
                                                   int partition)
{
    return &kafka->follows[topic * kafka->partition_count + partition];
}

/* ---- kafka.c --------------------------------------------------------------------------------- */

/* Puts an event in line for bus_poll. `reason` is copied; NULL: none. */
void kafka_note(struct kafka_bus *kafka, enum bus_event_type type, int topic, int partition,
                int64_t offset, const char *reason);

/* ---- kafka_handle.c: one librdkafka handle --------------------------------------------------- */

struct kafka_setting {
    const char *name;
    const char *value;
};

/* A handle with the settings all of ours share, then `settings` (ended by name NULL), and then what
 * people set, giving `events` through queues. NULL, with `error` set: not to be had. */
rd_kafka_t *kafka_handle_open(struct kafka_bus *kafka, rd_kafka_type_t type,
                              const struct kafka_setting *settings, int events,
                              struct bus_error *error);

/* A reference to `queue` that wakes bus_poll from now on; given back with kafka_queue_release. */
rd_kafka_queue_t *kafka_queue_take(struct kafka_bus *kafka, rd_kafka_queue_t *queue);
void kafka_queue_release(rd_kafka_queue_t **queue); /* and leaves NULL */

/* Topic handles by name, their opaque being the topic's number. */
rd_kafka_topic_t **kafka_topics_new(struct kafka_bus *kafka, rd_kafka_t *handle);
void kafka_topics_free(struct kafka_bus *kafka, rd_kafka_topic_t ***topics); /* and leaves NULL */
int kafka_topic_number(const rd_kafka_topic_t *topic);

/* Destroys handles (NULLs among them are skipped) in threads of their own and waits for them until
 * `deadline_ms` of the monotonic clock: librdkafka may hang in there. What is late is left alone.
 */
void kafka_handles_discard(rd_kafka_t *const *handles, int count, int64_t deadline_ms);

/* librdkafka's complaint without its own decoration: "connection refused". Returns `out`. */
const char *kafka_trouble_print(const char *complaint, char out[KAFKA_REASON_SIZE]);

/* ---- kafka_properties.c: -X ------------------------------------------------------------------ */

/* false: one of them is not for people to set; `error` says why. NULL: there are none. */
bool kafka_properties_check(const struct option_properties *properties, struct bus_error *error);
bool kafka_properties_set(rd_kafka_conf_t *conf, const struct option_properties *properties,
                          struct bus_error *error);

/* ---- kafka_advice.c -------------------------------------------------------------------------- */

/* What to look at, for people, when nobody can be reached. Static. */
const char *kafka_advice(const char *complaint);

/* ---- kafka_topics.c -------------------------------------------------------------------------- */

enum bus_result kafka_topics(struct bus *bus, struct bus_topic_spec *specs, int count,
                             struct bus_error *error);

enum bus_result kafka_copied(struct bus *bus, struct bus_error *error);

void kafka_names_free(struct kafka_bus *kafka); /* and knows no topics any more */

/* ---- kafka_check.c: is a topic fit to be an event log? --------------------------------------- */

/* The settings and the log start of every topic in `kafka->topic_names`; `replicas[topic]` is its
 * replication factor. Also learns how large a batch they all take (kafka->batch_size). */
enum bus_result kafka_topics_check(struct kafka_bus *kafka, const struct bus_topic_spec *specs,
                                   const int *replicas, struct bus_error *error);

/* A setting as it was described; NULL: it is not told. */
const char *kafka_config(const rd_kafka_ConfigResource_t *resource, const char *name);

/* Waits for the result of an admin request; NULL a moment after its timeout. The caller destroys
 * the event. */
rd_kafka_event_t *kafka_admin_wait(rd_kafka_queue_t *queue, int timeout_ms);
rd_kafka_AdminOptions_t *kafka_admin_options(rd_kafka_t *handle, rd_kafka_admin_op_t operation,
                                             int timeout_ms);

void kafka_pause(void); /* 10 ms, between two looks at a cluster that is settling */

/* Sets `error` to "cannot reach …" with what librdkafka last complained of. */
enum bus_result kafka_unreachable(struct kafka_bus *kafka, struct bus_error *error);

/* Hears what a handle's main queue says of the connection; true when there was something. */
bool kafka_errors_turn(struct kafka_bus *kafka, rd_kafka_queue_t *queue);

/* kafka_examine.c */
void kafka_examine(struct bus *bus, const struct bus_examination *examination);

/* ---- kafka_produce.c ------------------------------------------------------------------------- */

bool kafka_producer_open(struct kafka_bus *kafka, struct bus_error *error);
/* Gives back all that hangs on the producer and returns the bare handle, to be discarded. */
rd_kafka_t *kafka_producer_let_go(struct kafka_bus *kafka);
enum bus_result kafka_append(struct bus *bus, int topic, int partition,
                             const struct bus_record *record, uint64_t tag);
enum bus_result kafka_end(struct bus *bus, int topic, int partition, int64_t *offset);
int64_t kafka_end_heard(struct bus *bus, int topic, int partition);
bool kafka_reports_turn(struct kafka_bus *kafka, struct bus_event *event);

/* ---- kafka_consume.c ------------------------------------------------------------------------- */

bool kafka_consumer_open(struct kafka_bus *kafka, struct bus_error *error);
void kafka_consumer_close(struct kafka_bus *kafka); /* all but the handle itself */
void kafka_follow(struct bus *bus, int topic, int partition, int64_t offset);
void kafka_unfollow(struct bus *bus, int topic, int partition);
bool kafka_records_turn(struct kafka_bus *kafka, struct bus_event *event);
void kafka_lent_release(struct kafka_bus *kafka);

/* ---- kafka_group.c --------------------------------------------------------------------------- */

enum bus_result kafka_join(struct bus *bus, const char *group, const int *topics, int topic_count);
void kafka_leave(struct bus *bus);
void kafka_joined_free(struct kafka_bus *kafka);
bool kafka_group_turn(struct kafka_bus *kafka); /* true when there was something */

/* ---- kafka_statistics.c ---------------------------------------------------------------------- */

/* Takes over what librdkafka tells of itself, as JSON. */
void kafka_statistics_hear(struct kafka_bus *kafka, const char *statistics);
/* The slowest broker's round trip in there, on average; -1: none was made. */
int64_t kafka_statistics_answer_us(const char *statistics);
struct bus_health kafka_health(const struct bus *bus);

/* ---- kafka_link.c: is anybody there? --------------------------------------------------------- */

/* A handle says it lost all its connections. */
void kafka_link_doubt(struct kafka_bus *kafka, const char *complaint);
bool kafka_link_turn(struct kafka_bus *kafka); /* true when there was something */
/* When kafka_link_turn must be called again at the latest, monotonic; INT64_MAX: no need. */
int64_t kafka_link_due_ms(const struct kafka_bus *kafka);

#endif
