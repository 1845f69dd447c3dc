/* sqlite.h: what the files of the embedded bus share. Not for anyone else to include.
 *
 * Two threads per handle. The *loop* is the caller's thread: it queues appends, reads records and
 * never writes to the database, so it never waits for a disk. The *appender* is the handle's own:
 * everything that is written goes through it, and so do the beats of membership. Between them lie
 * one mutex (appender.lock), one condition (work for the appender) and one eventfd (news for the
 * loop). Each has a connection of its own: a connection does not count its own commits as changes,
 * and a transaction of one must not hold up a read of the other.
 *
 *     loop       bus_append ─▶ filling ═(swap under lock)═▶ working      appender
 *                                                           BEGIN IMMEDIATE … COMMIT, wake file
 *                bus_poll  ◀── inbox ◀═(swap under lock)═ news ◀── outbox
 *
 * Fields say whose they are: (loop), (appender), (lock). */
#ifndef BUS_SQLITE_H
#define BUS_SQLITE_H

#include "bus/backend.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/types.h>

enum {
    SQLITE_SCHEMA_VERSION = 1, /* PRAGMA user_version */
    SQLITE_OPEN_TIMEOUT_MS = 5000,
    SQLITE_READ_TIMEOUT_MS = 1000,
    SQLITE_LEAVE_TIMEOUT_MS = 2500,
    SQLITE_CLOSE_FLUSH_MS = 1500, /* what is queued may still be written this long */
    SQLITE_CLOSE_WAIT_MS = 2000,  /* and then the appender is given up */
    SQLITE_TICK_MS = 20,          /* behind the wake file: a writer may die before it touches it */
    SQLITE_PRESENCE_MS = 1000,    /* how often a reader asks whether file and topics are the same */
    SQLITE_PROBE_MS = 500,        /* how often an appender that is down tries by itself */
    SQLITE_CHUNK_ROWS_MAX = 256,
    SQLITE_CHUNK_SIZE_MAX = 256 * 1024, /* bytes; a chunk ends with the record that passes it */
    SQLITE_LOOK_ROWS_MAX = 1024,        /* rows per read transaction, over all partitions */
    SQLITE_INCARNATION_SIZE = 17,       /* 16 hex digits and a NUL */
    SQLITE_BEAT_MAX_MS = 500,
    SQLITE_WAL_FRAMES_SOFT = 4000, /* checkpoint what can be had without waiting */
    SQLITE_WAL_FRAMES_HARD = 16000 /* wait for readers and writers so that the WAL starts over */
};

/* Reasons of our own, beside SQLite's result codes (which are not negative). */
enum {
    SQLITE_TIMED_OUT = -1,
    SQLITE_TOPIC_GONE = -2, /* deleted or made again since bus_topics */
    SQLITE_FILE_GONE = -3   /* the path no longer names the file that is open */
};

/* Every SQL text, prepared on each connection; the table is in sqlite_store.c. */
enum sqlite_statement {
    SQL_BEGIN_READ,
    SQL_BEGIN_WRITE,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_DATA_VERSION,
    SQL_TOPIC_FIND,
    SQL_TOPIC_MAKE,
    SQL_TOPIC_SAME,
    SQL_TOPIC_PROBE,
    SQL_RECORD_INSERT,
    SQL_RECORD_LAST,
    SQL_RECORD_BOUNDS,
    SQL_RECORD_CHUNK,
    SQL_GENERATION,
    SQL_GENERATION_NEXT,
    SQL_MEMBER_JOIN,
    SQL_MEMBER_BEAT,
    SQL_MEMBER_NONCE,
    SQL_MEMBER_LIST,
    SQL_MEMBER_REMOVE,
    SQL_OWNER_LIST,
    SQL_OWNER_TAKE,
    SQL_OWNER_RELEASE,
    SQL_OWNER_RELEASE_ALL,
    SQL_COUNT
};

/* One thread at a time. */
struct sqlite_connection {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT];
    int64_t patience_until_ms;     /* how long a lock is waited for, monotonic */
    const _Atomic int64_t *cut_ms; /* and never beyond this: bus_close */
    int wal_frames;                /* as of the last commit on this connection */
};

struct sqlite_topic {
    int64_t id;
    char incarnation[SQLITE_INCARNATION_SIZE];
};

/* ---- appends --------------------------------------------------------------------------------- */

struct sqlite_append {
    int topic;
    int partition;
    int64_t append_ms; /* of a copy; else the clock of the log is asked */
    bool has_key;
    bool has_value;
    size_t at; /* in the batch's bytes: key, headers as text, value */
    size_t key_size;
    size_t headers_size;
    size_t value_size;
};

/* Appends in the order of the calls, numbered from first_seq. */
struct sqlite_batch {
    struct sqlite_append *items;
    int count;
    int capacity;
    uint64_t first_seq;
    int64_t deadline_ms; /* of the first */
    struct buffer bytes;
};

/* What the appender has to tell the loop; becomes an event there. */
struct sqlite_news {
    enum bus_event_type type; /* APPENDED, FAILED, ASSIGNED, REVOKED, DOWN, UP */
    int code;                 /* FAILED, DOWN: why */
    int partition;            /* ASSIGNED, REVOKED */
    uint64_t seq;             /* APPENDED, FAILED */
    int64_t offset;           /* APPENDED */
};

struct sqlite_news_list {
    struct sqlite_news *items;
    int count;
    int capacity;
    int taken; /* how many the loop has delivered */
};

/* An append that the loop still owes an answer. Answers come in the order of the calls. */
struct sqlite_outstanding {
    uint64_t tag;
    int topic;
    int partition;
    int64_t deadline_ms;
};

struct sqlite_appender {
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t work;       /* for the appender */
    pthread_cond_t settled;    /* for a bus_leave or bus_close that waits */
    _Atomic int64_t cut_ms;    /* INT64_MAX until bus_close */
    _Atomic int64_t commit_us; /* how long the last one took; -1: there was none */

    bool idle;                    /* (lock) it waits for work */
    bool poked;                   /* (lock) membership has something to do */
    bool stop_asked;              /* (lock) */
    bool stopped;                 /* (lock) */
    struct sqlite_batch filling;  /* (lock) */
    struct sqlite_news_list news; /* (lock) */

    struct sqlite_batch working;    /* (appender) from here on */
    struct sqlite_news_list outbox; /* published after each transaction */
    int64_t *next_offsets;          /* per topic and partition, valid within one transaction */
    uint64_t *next_set_in;          /* the transaction that set it */
    uint64_t *topic_checked_in;
    uint64_t transaction;
    int checkpoint_frames; /* the size of the WAL that asks for the next checkpoint */
    bool down;
    int64_t probe_at_ms;

    struct sqlite_outstanding *ring; /* (loop) from here on; in_flight_max of them */
    uint64_t head_seq;
    uint64_t tail_seq;
    struct sqlite_news_list inbox;
    bool down_heard; /* as the loop has heard */
    int down_code;
};

/* ---- reading --------------------------------------------------------------------------------- */

struct sqlite_row {
    int64_t append_ms;
    bool has_key;
    bool has_value;
    size_t at; /* in the chunk's bytes: key, headers as text, value */
    size_t key_size;
    size_t headers_size;
    size_t value_size;
};

struct sqlite_partition {
    bool following;
    bool more;          /* the last look stopped before the end */
    bool announce;      /* tell BUS_CAUGHT_UP at the next end */
    bool at_end;        /* the last look saw the end behind the rows that are here */
    bool queued;        /* in the ready list */
    const char *lost;   /* tell BUS_LOST */
    uint64_t looked_at; /* reader.newest when it was looked at last */
    int64_t next;       /* the offset to deliver next */
    struct sqlite_partition *ready_next;
    struct sqlite_row *rows;
    int row_count;
    int row_taken;
    struct buffer bytes;
};

/* All of it (loop). */
struct sqlite_reader {
    struct sqlite_partition *partitions; /* topic * partition_count + partition */
    int partition_total;
    int following_count;
    int turn; /* where the next look starts, so that all get theirs */
    struct sqlite_partition *ready_first;
    struct sqlite_partition *ready_last;
    uint64_t newest; /* counts the times something may have been committed */
    bool look_wanted;
    int64_t version_seen; /* PRAGMA data_version of the last look */
    int64_t retry_at_ms;  /* after a failed look */
    int64_t presence_at_ms;
    bool down;
    int down_code;
    struct bus_header headers[BUS_HEADERS_MAX];
};

/* ---- membership ------------------------------------------------------------------------------ */

enum sqlite_holding {
    HOLDING_NONE,
    HOLDING_OWNED,
    HOLDING_REVOKED /* told to the loop; released when it has been delivered */
};

/* Another member as seen from here. */
struct sqlite_peer {
    char *instance;
    char nonce[SQLITE_INCARNATION_SIZE];
    int64_t beats;
    int64_t moved_at_ms; /* our own clock, when the beats were seen to move */
    int64_t session_ms;
    bool present;
};

struct sqlite_group {
    char *loop_name;          /* (loop) of the group, with prefix */
    int64_t generation_poked; /* (loop) the newest it has told the appender of */

    char *asked_name; /* (lock) bus_join asks for this group */
    bool leave_asked; /* (lock) */
    bool *delivered;  /* (lock) per partition: the loop has delivered its BUS_REVOKED */

    char *name; /* (appender) from here on */
    char nonce[SQLITE_INCARNATION_SIZE];
    bool member;  /* takes part */
    bool row_put; /* and has a row */
    bool settled; /* and has told the loop what its first share is */
    int64_t generation;
    int64_t turn_at_ms;   /* the next beat */
    int64_t last_turn_ms; /* the last that succeeded */
    enum sqlite_holding *holdings;
    enum sqlite_holding *planned; /* become the holdings when the transaction has committed */
    bool *released;               /* delivered, taken over */
    int64_t *wanted_since_ms;     /* 0: not waiting for it */
    char (*owner_nonces)[SQLITE_INCARNATION_SIZE]; /* as read in this turn; "": nobody */
    struct sqlite_peer *peers;                     /* in the order of the instances */
    int peer_count;
    int peer_capacity;

    _Atomic int64_t generation_known; /* the appender's, for the loop to compare; -1: no member */
};

/* ---- the handle ------------------------------------------------------------------------------ */

struct sqlite_bus {
    struct bus bus; /* first */
    char *path;
    char *prefix;
    char *client;
    char *instance;
    int session_timeout_ms;
    int in_flight_max;
    int append_timeout_ms;

    dev_t file_device; /* of the database when it was opened */
    ino_t file_inode;
    struct sqlite_connection reading; /* (loop) */
    struct sqlite_connection writing; /* (appender); (loop) until it runs */
    struct sqlite_topic *topics;
    int topic_count;
    int partition_count;

    int news_fd;  /* eventfd: news, or bus_wake */
    int wake_fd;  /* the wake file */
    int watch_fd; /* inotify on it */
    atomic_bool woken;
    int64_t tick_at_ms; /* (loop) */
    bool down_told;     /* (loop) the caller heard BUS_DOWN last */

    struct sqlite_appender appender;
    struct sqlite_reader reader;
    struct sqlite_group group;
    char reason[BUS_ERROR_SIZE]; /* (loop) of the last event */
};

/* sqlite_store.c: the file, its schema, its statements, its errors. */
enum bus_result sqlite_store_open(struct sqlite_bus *handle, struct bus_error *error);
void sqlite_store_close(struct sqlite_bus *handle);
bool sqlite_store_same_file(const struct sqlite_bus *handle); /* the path still names it */

/* Waits at most `patience_ms` for locks from now on. */
void sqlite_patience(struct sqlite_connection *connection, int64_t patience_ms);

/* A statement with its parameters bound, ready for sqlite3_step; the caller resets it. `types`: i
 * int64_t, s const char * (borrowed until the reset). */
sqlite3_stmt *sqlite_bound(struct sqlite_connection *connection, enum sqlite_statement statement,
                           const char *types, ...);

/* Steps and takes SQLITE_ROW and SQLITE_DONE for SQLITE_OK; resets. */
int sqlite_run(sqlite3_stmt *statement);
int sqlite_begin_write(struct sqlite_connection *connection);
/* Commits when `code` is SQLITE_OK, else rolls back. Returns the first thing that failed. */
int sqlite_finish(struct sqlite_connection *connection, int code);

/* "cannot VERB 'PATH': what; what to do". `code`: SQLite's, or one of ours. */
void sqlite_describe(const char *path, const char *verb, int code, int system_errno, char *text,
                     size_t size);
enum bus_result sqlite_result(int code); /* unknown codes are final */
char *sqlite_copy(const char *string);   /* memory_free gives it back */
void sqlite_random_hex(char text[SQLITE_INCARNATION_SIZE]);

/* sqlite_examine.c */
void sqlite_examine(struct bus *bus, const struct bus_examination *examination);

/* sqlite_topics.c */
enum bus_result sqlite_topics(struct sqlite_bus *handle, struct bus_topic_spec *specs, int count,
                              struct bus_error *error);
/* SQLITE_OK, SQLITE_TOPIC_GONE or what failed. Inside a transaction. */
int sqlite_topic_same(struct sqlite_bus *handle, struct sqlite_connection *connection, int topic);
/* The offset behind the partition's last record: SQLITE_OK or what failed. */
int sqlite_topic_end(struct sqlite_bus *handle, struct sqlite_connection *connection, int topic,
                     int partition, int64_t *offset);

/* sqlite_record.c: records as readable columns. */
void sqlite_headers_write(struct buffer *out, const struct bus_record *record);
/* Reads them back, undoing escapes in place. Returns the count; 33 for more than 32. */
int sqlite_headers_read(char *text, size_t size, struct bus_header headers[BUS_HEADERS_MAX]);
bool sqlite_plain_text(const char *data, size_t size); /* UTF-8 without NUL */

/* sqlite_wake.c: telling other processes that there is something new. */
int sqlite_wake_open(struct sqlite_bus *handle, char *failed, size_t failed_size); /* 0 or errno */
void sqlite_wake_close(struct sqlite_bus *handle);
void sqlite_wake_touch(struct sqlite_bus *handle);  /* after COMMIT */
void sqlite_news_signal(struct sqlite_bus *handle); /* any thread, signal handlers too */
/* Sleeps until news, the wake file or the time-out. Returns whether the wake file was touched. */
bool sqlite_wake_wait(struct sqlite_bus *handle, int timeout_ms);

/* sqlite_append.c */
void sqlite_appender_start(struct sqlite_bus *handle);
bool sqlite_appender_stop(struct sqlite_bus *handle); /* false: it hangs, keep what it uses */
void sqlite_appender_release(struct sqlite_bus *handle);
enum bus_result sqlite_append(struct sqlite_bus *handle, int topic, int partition,
                              const struct bus_record *record, uint64_t tag);
void sqlite_appender_poke(struct sqlite_bus *handle); /* (loop) membership has something to do */
void sqlite_publish(struct sqlite_bus *handle);       /* (appender) */
void sqlite_outbox_add(struct sqlite_bus *handle, struct sqlite_news news); /* (appender) */
void sqlite_appender_succeeded(struct sqlite_bus *handle);        /* (appender) a commit */
void sqlite_appender_failed(struct sqlite_bus *handle, int code); /* (appender) none */

/* sqlite_answer.c: the loop's end of it. */
bool sqlite_state_event(struct sqlite_bus *handle, struct bus_event *event); /* DOWN or UP */
bool sqlite_answer(struct sqlite_bus *handle, int64_t now_ms, struct bus_event *event);
int64_t sqlite_answer_deadline_ms(const struct sqlite_bus *handle); /* INT64_MAX: none */

/* sqlite_read.c */
void sqlite_reader_start(struct sqlite_bus *handle);
void sqlite_reader_release(struct sqlite_bus *handle);
void sqlite_follow(struct sqlite_bus *handle, int topic, int partition, int64_t offset);
void sqlite_unfollow(struct sqlite_bus *handle, int topic, int partition);
void sqlite_reader_news(struct sqlite_bus *handle); /* something may have been committed */
void sqlite_reader_tick(struct sqlite_bus *handle, int64_t now_ms); /* looks whether it was */
bool sqlite_reader_look(struct sqlite_bus *handle, int64_t now_ms); /* true: worth delivering */
bool sqlite_reader_deliver(struct sqlite_bus *handle, struct bus_event *event);
/* -1: it cannot be had without waiting. */
int64_t sqlite_end_at_once(struct sqlite_bus *handle, int topic, int partition);
enum bus_result sqlite_end(struct sqlite_bus *handle, int topic, int partition, int64_t *offset);

/* sqlite_group.c */
void sqlite_group_start(struct sqlite_bus *handle);
void sqlite_group_release(struct sqlite_bus *handle);
enum bus_result sqlite_join(struct sqlite_bus *handle, const char *name);
void sqlite_leave(struct sqlite_bus *handle);
void sqlite_group_delivered(struct sqlite_bus *handle, int partition); /* (loop) its BUS_REVOKED */
void sqlite_group_look(struct sqlite_bus *handle); /* (loop) in a read transaction */
void sqlite_group_turn(struct sqlite_bus *handle, int64_t now_ms); /* (appender) */
int64_t sqlite_group_due_ms(const struct sqlite_bus *handle);      /* (appender) INT64_MAX: never */

#endif
