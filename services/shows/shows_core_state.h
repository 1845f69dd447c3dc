/* shows_core_state.h: what the shows core remembers. Private to the core's files. */
#ifndef SERVICES_SHOWS_CORE_STATE_H
#define SERVICES_SHOWS_CORE_STATE_H

#include "base/heap.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/recent.h"
#include "services/shows/shows_core.h"

enum { SHOW_COMMANDS_REMEMBERED = 64 };
#define ARCHIVE_AFTER_MS (INT64_C(30) * 24 * 3600 * 1000) /* after the show began */

enum hold_state { HOLD_HELD, HOLD_SOLD, HOLD_RELEASED, HOLD_EXPIRED, HOLD_RETURNED };

/* A reservation's seats, remembered as long as the show: its end must be told from one that never
 * was. Its tickets are numbered through its lines: with lines of 2 and 3 seats, ticket 3 is the
 * first of the second line. */
struct hold {
    struct text reservation_id;
    struct show *show;
    enum hold_state state;
    enum channel channel;
    bool paying;        /* a checkout began: never resized any more */
    bool pinned;        /* its one extension for an unknown payment is used */
    struct line *lines; /* as held, whatever was returned; tier ids belong to the show */
    int line_count;
    int64_t quantity; /* seats it has now */
    int64_t amount_minor;
    int64_t held_at_ms;
    int64_t expires_at_ms;    /* as told to the customer; the grace comes on top */
    struct numbers *returned; /* tickets; NULL: none yet */
    struct person *person;    /* NULL: nobody was named; counted even without a cap */
    struct payment payment;   /* while SOLD; texts owned */
    struct heap_node expiry;  /* in show->expiries while HELD */
};

/* Somebody the cap per person counts. */
struct person {
    struct text party;
    int64_t quantity; /* held and sold */
};

struct block {
    struct text block_id;
    int64_t quantity;
};

struct show {
    struct text show_id;
    struct text name;
    struct text currency;
    struct text fingerprint; /* of its CreateShow */
    int64_t starts_at_ms, on_sale_at_ms, off_sale_at_ms, customer_cancel_until_ms;
    int64_t max_per_order, max_per_person; /* 0: no cap per person */
    int64_t hold_ttl_s, pay_window_s;
    struct tiers tiers; /* texts owned */
    struct after seats; /* tier ids are those of `tiers` */
    int64_t seq;
    bool paused;
    bool cancelled;
    bool ever_held; /* from then on currency and tiers stay */
    struct block *blocks;
    int block_count;
    struct recent commands;
    struct map persons; /* party → struct person */
    struct person **person_list;
    size_t person_count;
    struct hold **holds;
    size_t hold_count;
    struct heap expiries;
    struct heap_node due; /* in shows->due: the first of `expiries`, or its archiving */
    size_t place;         /* in shows->list */
};

struct shows {
    struct map shows;    /* show_id → struct show */
    struct map holds;    /* reservation_id → struct hold */
    struct map archived; /* show_id → struct archived: its id is never used again */
    struct heap due;
    struct show **list; /* for freeing, in no order */
    size_t count;
    struct archived **archived_list;
    size_t archived_count;
    uint64_t created, held; /* shows and holds ever: ties between timers are settled by these */
};

struct archived {
    struct text show_id;
};

/* ---- seats: arithmetic on a copy in decide, on the state in apply ---------------------------- */
enum seat_change { SEATS_HOLD, SEATS_UNHOLD, SEATS_SELL_HELD, SEATS_SELL_FREE, SEATS_RETURN };

/* Moves the lines' seats, and computes free and oversold_by anew. */
void seats_change(struct after *seats, const struct lines *lines, enum seat_change change);
void seats_balance(struct after *seats); /* free and oversold_by from the rest */
int64_t seats_in_use(const struct after *seats);
struct tier_use *seats_tier(struct after *seats, struct text tier_id); /* NULL: no such tier */

/* Of a hold's tickets those that are not returned, and their lines; the lines of some tickets. */
struct numbers hold_tickets(const struct hold *hold);
struct lines hold_lines(const struct hold *hold);
struct lines hold_lines_of(const struct hold *hold, const struct numbers *tickets);
int64_t lines_quantity(const struct lines *lines);
int64_t lines_amount_minor(const struct lines *lines);

const struct tier *show_tier(const struct show *show, struct text tier_id); /* NULL: no such */
const struct block *show_block(const struct show *show, struct text block_id);
struct show *shows_find(const struct shows *shows, struct text show_id); /* NULL if archived */
bool shows_archived(const struct shows *shows, struct text show_id);
struct hold *shows_find_hold(const struct shows *shows, struct text show_id,
                             struct text reservation_id);

/* ---- decide, by kind of input ---------------------------------------------------------------- */
bool decide_show_command(const struct shows *shows, const struct message *input, int64_t now_ms,
                         struct message *outcome);
bool decide_hold(const struct shows *shows, const struct message *input, int64_t now_ms,
                 struct message *outcome);
bool decide_resize(const struct shows *shows, const struct message *input, int64_t now_ms,
                   struct message *outcome);
bool decide_extension(const struct shows *shows, const struct message *input, int64_t now_ms,
                      struct message *outcome);
bool decide_sale(const struct shows *shows, const struct message *input, struct message *outcome);
bool decide_release(const struct shows *shows, const struct message *input, int64_t now_ms,
                    struct message *outcome);

/* Seats somebody wants: new ones, or what a live hold shall become. */
struct wish {
    const struct show *show;
    const struct hold *hold; /* NULL: none yet; what it has counts as had */
    const struct lines *wanted;
    enum channel channel;
    struct text party; /* data NULL: not known */
};

/* Whether there are no seats for it now: sold_out or all_held. */
bool find_shortage(const struct wish *wish, enum reason *reason);
/* Whether the person would have more than the show allows. */
bool beyond_person(const struct wish *wish);

/* show_id, seq and after of an event that changes the show: the next seq. */
void put_change(struct message *outcome, const struct show *show, const struct after *seats);
/* The same of one that does not: the current ones; nothing without a show. */
void put_unchanged(struct message *outcome, const struct show *show);

/* A rejection: whose wish it was, why not, and the show as it is. */
bool reject(const struct shows *shows, const struct message *input, enum message_type type,
            enum reason reason, struct message *outcome);

#endif
