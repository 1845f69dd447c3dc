/* show_fold.h: one show and its reservations as the log tells them, folded from accepted events.
 *
 * What each service said is kept apart, so the event topics may come in any interleaving; only each
 * topic by itself has to be in its order. What a reservation's status is follows from the three
 * together, as the edge computes it. Pure but for memory; one thread. */
#ifndef CLI_SHOW_FOLD_H
#define CLI_SHOW_FOLD_H

#include "base/map.h"
#include "story/record_list.h"

/* In the order in which they are told. */
#define BOOKING_STATUSES(STATUS)                                                                   \
    STATUS(requested)                                                                              \
    STATUS(held)                                                                                   \
    STATUS(paying)                                                                                 \
    STATUS(payment_unknown)                                                                        \
    STATUS(confirmed) STATUS(cancelled) STATUS(released) STATUS(expired) STATUS(rejected)

enum booking_status {
#define STATUS(name) BOOKING_##name,
    BOOKING_STATUSES(STATUS)
#undef STATUS
        BOOKING_STATUS_COUNT
};

struct booking;

struct block {
    struct text block_id; /* of its own */
    int64_t quantity;
};

/* S_init is {.show_id = …}; the id is borrowed. */
struct show_fold {
    struct text show_id;
    bool known; /* some event of shows was about it */
    bool paused, cancelled, archived;
    struct after after; /* its tier_ids are of its own */
    bool has_after;
    struct text tier_ids[TIERS_MAX];
    int64_t seq;
    struct place place;           /* of the last event of shows */
    int64_t last_ms;              /* its append time */
    struct record_list described; /* ShowCreated and ShowUpdated; the last one counts */
    struct block *blocks;
    int block_count;
    struct booking **bookings;
    size_t booking_count;
    struct map by_id;
};

/* Takes one accepted event (`item` of FOLLOWER_MESSAGE); one that is about another show is passed
 * over. */
void show_fold_take(struct show_fold *fold, const struct follower_item *item);
void show_fold_release(struct show_fold *fold);

/* How many reservations there are of each status, and how many seats they are about. */
struct booking_count {
    int64_t reservations, seats;
};
void show_fold_count(const struct show_fold *fold,
                     struct booking_count counts[BOOKING_STATUS_COUNT]);
const char *booking_status_name(enum booking_status status);

/* "open", "paused", "cancelled", "archived", "before the sale", "after the sale", by the show's
 * words and its window at `now_ms`. `show`: its last description. */
const char *show_fold_status(const struct show_fold *fold, const struct message *show,
                             int64_t now_ms);

#endif
