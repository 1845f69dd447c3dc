/* log_reader.h: the log as the services read it, for every command that looks into it.
 *
 * Whether a record counts depends on the records before it, so topics are read from their start
 * with the fence applied (bus/follower.h). A reader gives one piece of news after another:
 *
 *     LOG_ITEM …, LOG_END (all that was there when the reading began), LOG_ITEM …, LOG_OVER
 *
 * Partitions come in any interleaving; record_list.h puts them in order. What was lost is said on
 * standard error and remembered: the reading goes on with the other partitions. One thread. */
#ifndef CLI_LOG_READER_H
#define CLI_LOG_READER_H

#include "base/arena.h"
#include "bus/follower.h"
#include "cli/connect.h"

enum log_step {
    LOG_ITEM, /* `item` and `news` are set, until the next call */
    LOG_END,  /* once: all there was has been read; the next call waits for what comes */
    LOG_OVER  /* asked to stop, or nobody answers any more: `end` is the exit code */
};

/* What of the log is wanted. {0}: all of it. */
struct log_wish {
    bool topics[TOPIC_COUNT]; /* none set: all six */
    struct text containing;   /* only records with this in key, headers or value, and claims; data
                                 NULL: all. Borrowed */
    bool progress;            /* also how far owners say that they have read */
    bool patient;             /* wait for a log that does not answer, instead of giving up */
};

struct log_reader {
    const struct command *command;
    struct bus *bus;
    struct installation installation;
    struct follower *follower;
    struct log_wish wish;
    struct arena arena;
    bool caught_up[TOPIC_COUNT][PARTITIONS_MAX];
    bool ended;
    uint64_t record_count;
    int64_t
        until_ms; /* of the monotonic clock: LOG_OVER then, behind LOG_END; 0: never. The user's */
    int64_t heard_ms; /* of the monotonic clock: when the bus last said something */

    enum follower_news news;
    struct follower_item item;
    struct bus_event event; /* what `item` borrows its record from */
    bool lost;              /* some partition's log is not what it was */
    int end;
};

/* Opens the log and begins to read; with `wish` NULL it only opens it. false: one line was printed,
 * and `*end` is the exit code. The bus may be used for appends as well. Given back with
 * log_reader_close, also after false. */
bool log_reader_open(struct log_reader *reader, const struct command *command,
                     const struct log_options *options, const struct log_wish *wish, int *end);
void log_reader_close(struct log_reader *reader);

/* Starts over from the beginning, with another wish. */
void log_reader_restart(struct log_reader *reader, const struct log_wish *wish);

enum log_step log_reader_next(struct log_reader *reader);

/* From now on SIGINT and SIGTERM do not end the process, but the reading. */
void log_reader_heed_signals(void);

/* Gives the record at that place to `item` (borrowed until the next call on the reader), counted or
 * not: nothing is judged. false: one line was printed, and `*end` is the exit code. Ends a reading
 * in progress. */
bool log_reader_at(struct log_reader *reader, const struct place *place, int *end);

#endif
