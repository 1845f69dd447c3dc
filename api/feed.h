/* feed.h: what all services said, one after another: each in its own order, and nothing before what
 * it answers.
 *
 * Event topics are read side by side, so the answer of one service may come in before the event of
 * another that it answers. It waits here until its cause was told; if that was not read yet, for a
 * later feed, which begins at the positions behind what was told. Pure but for memory; one
 * thread. */
#ifndef API_FEED_H
#define API_FEED_H

#include "bus/fence.h"
#include "bus/place.h"

struct feed_item {
    struct place place;
    struct place cause; /* when `caused` */
    bool caused;        /* by an event */
    int64_t append_ms;
    struct fence after;     /* what a reader remembers behind it */
    struct buffer text;     /* what to tell; empty: nothing, it only moves on */
    struct feed_item *next; /* of its partition */
};

/* Of one partition of one topic. */
struct feed_queue {
    struct feed_item *first, *last;
    int count, told_count; /* with a text */
};

struct feed {
    int partition_count;
    struct feed_queue *queues; /* TOPIC_COUNT × partition_count, as are the next */
    struct fence *positions;   /* behind what was told */
};

/* Copies the positions. */
void feed_init(struct feed *feed, int partition_count, const struct fence *positions);
void feed_release(struct feed *feed);

/* Takes the item over, read behind all others of its partition. */
void feed_add(struct feed *feed, struct feed_item *item);
const struct feed_queue *feed_queue_of(const struct feed *feed, int topic, int partition);

/* The next one to be told, the caller's to free (feed_item_free); NULL: none may be told now. */
struct feed_item *feed_next(struct feed *feed);
void feed_item_free(struct feed_item *item);

#endif
