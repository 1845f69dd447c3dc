/* bus.h: the log as a contract, the whole of it.
 *
 * A bus is a set of topics; a topic is a fixed number of partitions; a partition is a sequence of
 * records that only grows. Stagedoor knows three: kafka (production), sqlite (embedded, nothing to
 * install) and sim (tests: one seed, every fault). One suite, tests/bus, holds all of them to what
 * is written here.
 *
 * Threads: a handle belongs to one thread. It never calls back: everything arrives from bus_poll.
 * The exceptions are bus_wake and bus_health, which any thread may call.
 *
 * Promises, the same for every backend:
 *  - Offsets grow within a partition, by one per record; a backend's own control records are
 * invisible but may leave holes.
 *  - An appended record is durable as far as the backend promises (kafka: acks=all; sqlite: fsync),
 * and every reader sees it.
 *  - Appends of one handle to one partition land in the order of the calls. On failure any subset
 * of them is reported BUS_FAILED, and each of those may nevertheless have landed, or land later.
 *  - Each append is answered once, by BUS_APPENDED or BUS_FAILED with its tag.
 *  - Every record has an append time from the log's own clock. It may stand still or step; the bus
 * does not correct it.
 *  - Nothing is delivered that was not appended. Each followed partition is delivered in offset
 * order, without repeats, from the offset asked for.
 *  - bus_poll returns at once when something arrives.
 *
 * Sources: architecture §2.2; Kafka protocol (acks, LogAppendTime); CloudEvents Kafka binding for
 * headers. */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include "base/options.h"

enum {
    BUS_HEADERS_MAX =
        32, /* a record with more is delivered with the first 32 and header_count 33 */
    BUS_VALUE_SIZE_MAX =
        64 * 1024,                 /* bytes of key, headers and value together; more: BUS_INVALID */
    BUS_IN_FLIGHT_DEFAULT = 10000, /* appends not yet answered before BUS_FULL */
    BUS_ERROR_SIZE = 512
};

struct bus;

enum bus_result {
    BUS_OK,
    BUS_FULL,        /* too much is in flight: poll, then try again */
    BUS_UNREACHABLE, /* nobody answers now; trying again later may help */
    BUS_UNFIT, /* it answers, but is not what was asked for (partition count, retention, …): final
                */
    BUS_INVALID /* the call itself makes no sense (bad url, unknown topic, record too large): final
                 */
};

/* What went wrong, for people: lower case, the subject in quotes, what to do next. */
struct bus_error {
    char text[BUS_ERROR_SIZE];
};

struct bus_options {
    const char *client;   /* short name for logs and brokers: "shows", "edge"; at most 20 bytes */
    const char *instance; /* stable identity of this member across restarts; NULL: a random one */
    const char *topic_prefix; /* put before every topic name; NULL: none */
    int session_timeout_ms;   /* a silent member loses its partitions after this; 0: 6000 */
    int in_flight_max;        /* 0: BUS_IN_FLIGHT_DEFAULT */
    int append_timeout_ms;    /* an append unanswered this long is BUS_FAILED; 0: 30000 */
    bool copying;             /* the handle makes the copy of a log: see bus_copied */
    const struct option_properties *kafka; /* librdkafka's; texts stay; NULL: none */
};

/* Opens a handle: kafka://HOST:PORT[,HOST:PORT]…  or  sqlite:PATH. Says nothing about topics yet.
 * BUS_UNREACHABLE when nobody answers within about 5 s; BUS_INVALID for a property that is unknown
 * or malformed, or that a promise above depends on. On anything but BUS_OK `*bus` is NULL and
 * `error` is set. `options` is borrowed for the call. The handle is given back with bus_close. */
enum bus_result bus_open(struct bus **bus, const char *url, const struct bus_options *options,
                         struct bus_error *error);

struct bus_topic_spec {
    const char *name;    /* without prefix */
    int partition_count; /* 0: take what is there (of a missing topic: what the others have), and
                            write it here; else it must be this, for all topics */
    bool may_create;     /* create it when it is missing; else a missing topic is BUS_UNFIT */
    bool
        created; /* out: this call created it (of several callers at once, exactly one sees true) */
};

/* Tells the handle its topics; from now on a topic is its index in `specs`. Called once, before
 * anything else. Names are borrowed until bus_close. Creates what is missing and allowed, all in
 * one request, with unlimited retention and append time set by the log. BUS_UNFIT, with the reason:
 * another partition count, retention or compaction that would eat the log, replication without
 * safety (kafka). What is refused has made nothing. */
enum bus_result bus_topics(struct bus *bus, struct bus_topic_spec *specs, int count,
                           struct bus_error *error);

struct bus_header {
    struct text name;
    struct text value;
};

/* A record as it goes in and comes out. Everything is borrowed: by bus_append for the call; by the
 * reader until the next bus_poll, or until its partition is unfollowed or followed anew. */
struct bus_record {
    struct text key; /* data NULL: no key */
    struct text value;
    const struct bus_header *headers;
    int header_count;
    int64_t append_ms; /* out only: the log's clock, UTC epoch milliseconds */
};

/* Hands the record over and returns; the answer comes from bus_poll with `tag`. BUS_FULL: not
 * taken. BUS_INVALID: too large, or topic or partition unknown. */
enum bus_result bus_append(struct bus *bus, int topic, int partition,
                           const struct bus_record *record, uint64_t tag);

/* Delivers the partition's records from `offset` on, and goes on delivering what is appended.
 * Following a partition already followed starts over at the new offset. Takes effect at once: after
 * bus_unfollow nothing more of it comes from bus_poll. An `offset` below the log's start, or above
 * its end, is answered by BUS_LOST. Both are free to call in any state of the connection. */
void bus_follow(struct bus *bus, int topic, int partition, int64_t offset);
void bus_unfollow(struct bus *bus, int topic, int partition);

/* Membership: who should own which partition number. Members of a group share out the partition
 * numbers 0 .. count-1 of the topics (which have equal counts): each number has one owner, the same
 * for all of `topics`. Answered by BUS_ASSIGNED and BUS_REVOKED, one per partition number. It is a
 * hint about liveness only: two members may for a while both believe they own one. A second join
 * takes the place of the first. BUS_INVALID: a topic is unknown. */
enum bus_result bus_join(struct bus *bus, const char *group, const int *topics, int topic_count);

/* Leaves for good (stop, scale-down): the others take over at once. Bounded, about 3 s. What was
 * owned is answered by BUS_REVOKED, for whoever goes on polling. A handle closed without it keeps
 * its place until the session times out, and a successor with the same instance takes it back. Of
 * two handles with one instance the younger has the place; the older is told by BUS_REVOKED, and
 * rests or, on kafka, asks again after a while. */
void bus_leave(struct bus *bus);

/* The offset the next record of the partition will get, as the log says now. May block up to about
 * 1 s; BUS_UNREACHABLE then. */
enum bus_result bus_end(struct bus *bus, int topic, int partition, int64_t *offset);

/* The same as far as the backend has heard of it without asking: it may be an earlier end. -1: it
 * has not heard. Never blocks; nothing may be decided by it. */
int64_t bus_end_heard(struct bus *bus, int topic, int partition);

/* How the backend fares, for people. Any thread. */
struct bus_health {
    int64_t answer_us; /* how long the log takes to take a record, as of late: kafka's slowest
                          broker on average, sqlite's last commit; -1: not known */
};
struct bus_health bus_health(const struct bus *bus);

enum bus_event_type {
    BUS_RECORD,    /* topic, partition, offset, record */
    BUS_APPENDED,  /* tag, topic, partition; offset, or -1 where the backend does not tell: learn it
                      by reading */
    BUS_FAILED,    /* tag, topic, partition; reason. It may have landed all the same */
    BUS_ASSIGNED,  /* partition */
    BUS_REVOKED,   /* partition */
    BUS_SETTLED,   /* the group has shared out: what was assigned and not revoked is ours, perhaps
                      nothing. At least once after bus_join, behind the assignments it is about */
    BUS_CAUGHT_UP, /* topic, partition, offset: everything up to here had been delivered when it was
                      looked at */
    BUS_LOST,      /* topic, partition, offset asked for; reason. The log does not have what it had
                      (truncated, made again, eaten); the partition is no longer followed. Noticed
                      by whoever asks for what is not there: a log cut and grown again beyond the
                      reader's place looks whole (architecture, doubt) */
    BUS_DOWN,      /* reason. The connection is lost; the handle goes on trying by itself */
    BUS_UP         /* it is back */
};

struct bus_event {
    enum bus_event_type type;
    int topic;
    int partition;
    int64_t offset;
    uint64_t tag;
    struct bus_record record;
    const char *reason; /* borrowed until the next call on the handle */
};

/* A handle that is `copying` appends records of any size and number of headers that a log may hold,
 * with the append time that each brings along. kafka: the topics that it makes are unfit for every
 * other handle, until this makes them like any other; sqlite: their file should have another name
 * until then. To be called once all appends are answered. */
enum bus_result bus_copied(struct bus *bus, struct bus_error *error);

/* The next event, waiting up to `timeout_ms` for one. false: none came, or bus_wake was called. */
bool bus_poll(struct bus *bus, int timeout_ms, struct bus_event *event);

/* Makes a bus_poll in progress, or else the next one, return false at once. Any thread; also a
 * signal handler. */
void bus_wake(struct bus *bus);

/* Gives the handle back. Appends in flight may or may not land; nobody is told. Bounded, about 2 s.
 */
void bus_close(struct bus *bus);

#endif
