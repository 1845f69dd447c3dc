/* stage.h: a play on any bus. For the tests of the bus contract.
 *
 * A stage is one fresh log (a simulated cluster, a new database, a new prefix on the broker) with
 * two topics of four partitions. A role is a handle on it in this process; a player is one in a
 * process of its own that can be killed (on the simulated log: a handle that can crash). Everything
 * a role polls is written into its journal and held against the promises of bus.h at once: offsets
 * without gaps or repeats, answers once each, nothing that is not followed, no number assigned
 * twice. So each case only says what it waits for. One thread. A breach fails the running test. */
#ifndef TESTS_SUPPORT_STAGE_H
#define TESTS_SUPPORT_STAGE_H

#include "bus/bus.h"
#include "bus/sim.h"

#include <sys/types.h>

enum {
    STAGE_TOPICS = 2,
    STAGE_PARTITIONS = 4,
    STAGE_ROLES = 8,
    STAGE_PLAYERS = 4,
    STAGE_DEADLINE_MS = 15000,
    STAGE_SESSION_MS = 6000
};

enum { ACTS, SCENES }; /* the topics */

enum stage_kind { ON_SIM = 1, ON_SQLITE = 2, ON_KAFKA = 4 };

/* One kind of log. */
struct stage_backend {
    const char *name;
    enum stage_kind kind;
    struct sim_faults faults; /* simulated: these are on all the time */
    bool (*url)(char *url, size_t size, const char *folder);     /* real: where a log can be */
    bool (*own_url)(char *url, size_t size, const char *folder); /* and one that may be broken */
};

/* An event as it was polled, with its bytes copied. */
struct seen {
    struct bus_event event;
    struct bus_header headers[BUS_HEADERS_MAX];
    int64_t at_us; /* monotonic */
    char *bytes;
};

struct role {
    struct stage *stage;
    const char *name;
    struct bus *bus;
    struct seen *journal;
    int seen_count, seen_capacity;
    int64_t next[STAGE_TOPICS][STAGE_PARTITIONS]; /* offset that must come next; -1: none may */
    int64_t caught_up[STAGE_TOPICS][STAGE_PARTITIONS]; /* by the last BUS_CAUGHT_UP; -1: none */
    int record_count, lost_count, appended_count, failed_count, changed_count;
    bool owns[STAGE_PARTITIONS];
    bool settled;     /* was told what its share is */
    uint8_t *waiting; /* per tag: handed over and not answered */
    uint64_t tag_next, tag_capacity;
    bool down;
};

struct player {
    struct stage *stage;
    const char *name;
    struct role *role; /* simulated: it is a handle here */
    pid_t pid;         /* real: it is a process; 0: gone */
    int to, from;
    char line[256];
    size_t line_size;
    bool ready, created, over;
    unsigned owned; /* bit per partition number */
    uint64_t acknowledged_count;
};

struct stage {
    const struct stage_backend *backend;
    struct sim *sim;
    uint64_t seed; /* STAGEDOOR_TEST_SEED, or random */
    char folder[64];
    char url[256];
    char prefix[48];
    struct role roles[STAGE_ROLES];
    struct player players[STAGE_PLAYERS];
    int role_count, player_count;
    int in_flight_max;     /* of roles that enter from now on; 0: the default */
    int append_timeout_ms; /* likewise */
    bool holes;            /* offsets need not be without gaps */
    struct sqlite3 *lock;  /* trouble.c: held by somebody else */
};

struct stage *stage_open(const struct stage_backend *backend, bool own);
const char *stage_topic_name(int topic); /* without prefix */
void stage_close(struct stage *stage);   /* kills, closes and removes everything */

/* A new handle with the stage's topics. `name` is its instance, "" a random one; a role that left
 * or closed may enter again under the same name. role_open does not call bus_topics. */
struct role *role_enter(struct stage *stage, const char *name);
struct role *role_open(struct stage *stage, const char *name, const char *prefix);
enum bus_result role_topics(struct role *role, int partition_count, bool may_create, bool *created);
void role_close(struct role *role);

/* Appends and checks that the bytes were taken by copy. role_say waits while the queue is full. */
enum bus_result role_try(struct role *role, int topic, int partition, struct bus_record *record);
void role_say(struct role *role, int topic, int partition, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void role_say_lines(struct role *role, int topic, int partition, int first, int count);

void role_follow(struct role *role, int topic, int partition, int64_t offset);
void role_unfollow(struct role *role, int topic, int partition);
unsigned role_owned(const struct role *role); /* bit per partition number */
uint64_t role_unanswered(const struct role *role);

/* Events of that kind in the journal, in order: the n-th from 0, or NULL. */
const struct seen *role_seen(const struct role *role, enum bus_event_type type, int n);
const struct seen *role_record(const struct role *role, int topic, int partition, int64_t offset);
bool role_heard(const struct role *role, int topic, int partition, int64_t offset,
                const char *value);

/* Everyone polls once; time passes. Fails the test when `deadline_ms` is over. */
void stage_turn(struct stage *stage, int64_t deadline_ms, const char *waiting_for);
int64_t stage_now_ms(const struct stage *stage);    /* monotonic, or the simulated time */
void stage_listen(struct stage *stage, int for_ms); /* polls that long whatever comes */

#define UNTIL_WITHIN(stage, limit_ms, condition)                                                   \
    do {                                                                                           \
        int64_t until_deadline_ms = stage_now_ms(stage) + (limit_ms);                              \
        while (!(condition))                                                                       \
            stage_turn(stage, until_deadline_ms, #condition);                                      \
    } while (0)
#define UNTIL(stage, condition) UNTIL_WITHIN(stage, STAGE_DEADLINE_MS, condition)

/* Players: each call returns at once; what comes of it shows in the struct after stage_turn. */
struct player *player_enter(struct stage *stage, const char *name);
void player_say_lines(struct player *player, int topic, int partition, int first, int count);
void player_say_time(struct player *player, int topic, int partition); /* real: monotonic µs */
void player_join(struct player *player, const char *group);
unsigned player_owned(const struct player *player);
uint64_t player_acknowledged(const struct player *player);
void player_freeze(struct player *player, bool frozen); /* SIGSTOP, SIGCONT */
void player_kill(struct player *player); /* kill -9; what it had said before is still heard */
void player_turn(struct player *player);

/* The other side: main of a player's process. */
int player_main(char **arguments);

#endif
