/* follower.h: reading event topics for a view: the edge, the tools, the tests.
 *
 * A follower keeps a struct fence for every partition of its event topics, asks the bus for them,
 * and turns the bus's records into accepted messages. The user polls the bus and shows every event
 * to the follower; appends of its own on the same handle do not disturb. Command topics may be
 * followed too: they have no fence, every record is delivered. One thread, that of the bus. */
#ifndef BUS_FOLLOWER_H
#define BUS_FOLLOWER_H

#include "bus/envelope.h"
#include "bus/fence.h"
#include "bus/installation.h"

struct follower;

enum follower_news {
    FOLLOWER_NOTHING,  /* not for a view: an answer to an append, membership … */
    FOLLOWER_MESSAGE,  /* an accepted event, or a record of a command topic */
    FOLLOWER_CLAIM,    /* a new owner of the partition */
    FOLLOWER_PROGRESS, /* an owner says how far it has read; it changes nothing */
    FOLLOWER_VOID,     /* a record that does not count; item.why says why */
    FOLLOWER_STRANGE, /* accepted, but this build cannot read it (a newer one wrote it); item.why */
    FOLLOWER_LOST /* the log is not what it was; the partition is no longer followed; item.why */
};

struct follower_item {
    struct place place;
    const struct bus_record *record; /* borrowed until the next bus call */
    struct fence_reading reading;
    struct message message; /* MESSAGE: texts in the arena given */
    const char *why;
};

/* Starts following `topics` on `bus` (its topics known by installation_open, which also gave
 * `installation`). `positions`: TOPIC_COUNT × partition_count fences, row by topic, to resume at;
 * NULL: from the start. Copied. Where one stood behind a claim, that is read again first: if it is
 * not there any more, the partition is LOST. */
struct follower *follower_new(struct bus *bus, const struct installation *installation,
                              const int *topics, int topic_count, const struct fence *positions);
void follower_free(struct follower *follower);

/* From now on only records with `text` in key, headers or value are news, and claims; the others
 * are judged but not decoded. data NULL: all. Borrowed. */
void follower_only(struct follower *follower, struct text text);

/* Looks at one event of the bus. `arena` is the user's, and the user resets it. */
enum follower_news follower_read(struct follower *follower, const struct bus_event *event,
                                 struct arena *arena, struct follower_item *item);

/* Where the reading of a partition stands: what to store for a resume. */
const struct fence *follower_position(const struct follower *follower, int topic, int partition);

/* Stops following one partition, as if it were lost; the others go on. */
void follower_leave(struct follower *follower, int topic, int partition);

/* Whether every partition has been read up to its end as it was when follower_new was called. */
bool follower_caught_up(const struct follower *follower);

/* Whether a position was behind the end of its partition from the start: the log is not the one
 * that was read to there. A bus says so too, by BUS_LOST, but later. */
bool follower_began_beyond(const struct follower *follower);

/* Records it had to read since it began, as far as the bus has heard, and how many it has. */
struct follower_way {
    int64_t gone, all;
};
struct follower_way follower_way(const struct follower *follower);

/* Voids seen since the start. */
uint64_t follower_void_count(const struct follower *follower);

#endif
