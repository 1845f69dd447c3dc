/* view.h: what the edge knows: shows and open reservations, folded from the events of all three
 * services.
 *
 * A view keeps apart what each service said about a reservation: bookings (reservations), seats
 * (shows) and money (checkout). Edges read the topics in different interleavings, so status and
 * ETag are pure functions of the three and of nothing else. A reservation is hot while it is open;
 * a finished one leaves once the register has it, and comes back by `load` when an event or a
 * request names it. Shows stay.
 *
 * Not here: who waits (errand.h), how it looks to the outside (render.h), where it is kept
 * (register.h). Threads: none of its own; the edge's lock guards all of it. Source: messages,
 * "What a reservation's status is". */
#ifndef API_VIEW_H
#define API_VIEW_H

#include "base/map.h"
#include "base/uuid.h"
#include "bus/envelope.h"
#include "schemas/message.h"

enum {
    VIEW_REPLAYS_MAX = 16,      /* commands remembered per reservation, as the services do */
    VIEW_SHOW_REPLAYS_MAX = 64, /* and per show */
    VIEW_FINGERPRINT_SIZE = 17,
    VIEW_ID_SIZE = ID_SIZE_MAX + 1,
    VIEW_CAUSE_SIZE = 96 /* of an event's ce_id, "<service>/<partition>/<stamp>", and its NUL */
};

/* ---- what the services said ------------------------------------------------------------------ */
enum booking { /* reservations */
               BOOKING_UNKNOWN,
               BOOKING_REQUESTED,
               BOOKING_REFUSED,
               BOOKING_REJECTED,
               BOOKING_RELEASED,
               BOOKING_EXPIRED,
               BOOKING_CONFIRMED,
               BOOKING_CANCELLED
};

enum seats { /* shows */
             SEATS_UNKNOWN,
             SEATS_HELD,
             SEATS_REJECTED,
             SEATS_RELEASED,
             SEATS_EXPIRED,
             SEATS_SOLD,
             SEATS_RETURNED
};

enum money {
    MONEY_UNKNOWN,
    MONEY_STARTED,
    MONEY_SUCCEEDED,
    MONEY_REJECTED
}; /* checkout, of one attempt */

enum extension { /* shows, of one attempt */
                 EXTENSION_UNKNOWN,
                 EXTENSION_GRANTED,
                 EXTENSION_REJECTED,
                 EXTENSION_SOLD,
                 EXTENSION_SALE_REJECTED
};

/* One attempt to pay. */
struct attempt {
    char payment_id[UUID_SIZE];
    char fingerprint[VIEW_FINGERPRINT_SIZE];
    enum money money;
    enum extension extension;
    enum method method;
    enum reason money_reason; /* MONEY_REJECTED */
    enum reason seats_reason; /* EXTENSION_REJECTED, EXTENSION_SALE_REJECTED */
    bool superseded;
    int64_t pay_by_ms; /* 0: not known */
};

/* A command that was answered, so that a repeat can be told the same. */
struct replay {
    char command_id[UUID_SIZE]; /* empty: its event is not read yet */
    char
        event_id[VIEW_CAUSE_SIZE]; /* CancellationRequested's, which its answer names; else empty */
    char fingerprint[VIEW_FINGERPRINT_SIZE];
    enum message_type answer; /* MESSAGE_NONE: still open */
    enum code code;           /* of Refused */
    enum reason reason;       /* of ReleaseRejected */
    char detail[160];         /* of Refused, cut */
};

struct replays { /* the newest last */
    struct replay *items;
    int count;
    int count_max;
};

/* Why seats were refused, and the place in the log that proves it. */
struct refusal {
    enum reason reason;
    int64_t available, retry_after_s, seq, sold, held, offset; /* -1: not said */
};

struct reservation {
    char reservation_id[UUID_SIZE];
    char show_id[VIEW_ID_SIZE];
    char fingerprint[VIEW_FINGERPRINT_SIZE]; /* empty: not known */
    enum booking booking;
    enum seats seats;
    enum code refused_code; /* BOOKING_REFUSED */
    struct refusal refusal; /* SEATS_REJECTED, BOOKING_REJECTED */
    struct holder holder;   /* one block, holder.name.data */
    struct line *lines;     /* one block with its texts */
    int line_count;
    bool priced;                  /* lines are those of SeatsHeld, no longer the wish */
    struct ticket_range *tickets; /* one block with its texts */
    int ticket_count;
    char reference[VIEW_ID_SIZE];
    char currency[4];
    int64_t quantity, amount_minor, expires_at_ms, created_at_ms;
    int64_t remaining; /* tickets left after the last cancellation; -1: none was */
    struct attempt *attempts;
    int attempt_count;
    char refund_id[UUID_SIZE]; /* empty: none */
    int64_t refund_amount_minor;
    bool refund_manual;
    struct replays replays;
    int64_t offsets[3]; /* last event of shows, reservations, checkout about it; -1: none */

    /* the view's own */
    bool dirty;
    struct reservation *next_dirty;
    bool settled; /* in the list of those that may leave */
    struct reservation *next_settled;
};

struct block {
    char block_id[VIEW_ID_SIZE];
    int64_t quantity;
    char *note; /* NULL: none */
};

struct show {
    char show_id[VIEW_ID_SIZE];
    char fingerprint[VIEW_FINGERPRINT_SIZE]; /* of CreateShow */
    char *name;
    char currency[4];
    struct tier *tiers; /* one block with its texts */
    int tier_count;
    int64_t starts_at_ms, on_sale_at_ms, off_sale_at_ms, max_per_order;
    int64_t max_per_person; /* 0: no limit */
    int64_t hold_ttl_s, pay_window_s, customer_cancel_until_ms;
    bool paused;
    int64_t seq;
    int64_t capacity, held, sold, blocked, free, oversold_by;
    int64_t tier_held[TIERS_MAX], tier_sold[TIERS_MAX]; /* in the order of tiers */
    struct block *blocks;
    int block_count;
    struct replays replays;
    bool replays_dirty;
    int partition;
    int64_t offset; /* last event that changed it */
    int in_flight;  /* requests waiting for this show's reservations; the edge's */

    bool dirty;
    struct show *next_dirty;
};

/* Reads a finished reservation back from where it is kept; NULL: not there. The caller owns it. */
struct view_store {
    struct reservation *(*load)(void *self, struct text reservation_id);
    void *self;
};

/* S_init is {0}. */
struct view {
    struct map reservations; /* id → struct reservation, the hot ones */
    struct map shows;
    struct show **list; /* by (starts_at_ms, show_id) */
    int show_count, list_capacity;
    struct reservation *dirty;
    struct reservation *settled;
    struct show *dirty_shows;
    struct view_store store;
    uint64_t strange_count; /* events about a show nobody created */
};

void view_release(struct view *view);

/* Folds one accepted event, read at `place`. */
void view_apply(struct view *view, const struct message *event, const struct place *place);

struct show *view_show(const struct view *view, struct text show_id); /* NULL: unknown */

/* The reservation, brought back from the store if it is not hot; NULL: unknown. */
struct reservation *view_reservation(struct view *view, struct text reservation_id);

/* Takes in what the register had at the start. */
void view_take_show(struct view *view, struct show *show);
void view_take_reservation(struct view *view, struct reservation *reservation);

/* Says that it changed: the register is to write it. view_apply does so by itself. */
void view_touch(struct view *view, struct reservation *reservation);

/* ---- pure functions of what was said --------------------------------------------------------- */
enum reservation_status {
    STATUS_REQUESTED,
    STATUS_REJECTED,
    STATUS_HELD,
    STATUS_PAYING,
    STATUS_CONFIRMED,
    STATUS_RELEASED,
    STATUS_EXPIRED,
    STATUS_CANCELLED
};
enum reservation_status view_status(const struct reservation *reservation);
const char *view_status_name(enum reservation_status status);

/* Whether nothing more happens to it by itself and every service concerned has said its last
 * word. */
bool view_is_finished(const struct reservation *reservation);

/* The attempt under way, else the last one; NULL: none. */
const struct attempt *view_attempt(const struct reservation *reservation);
const struct attempt *view_attempt_of(const struct reservation *reservation,
                                      struct text payment_id);

enum show_status { SHOW_SCHEDULED, SHOW_ON_SALE, SHOW_PAUSED, SHOW_CLOSED };
enum show_status view_show_status(const struct show *show, int64_t now_ms);
const char *view_show_status_name(enum show_status status);
const struct block *view_block(const struct show *show, struct text block_id); /* NULL: none */
int view_tier(const struct show *show, struct text tier_id);                   /* -1: none */

/* The answered command of that id; NULL: not remembered. */
const struct replay *view_replay(const struct replays *replays, struct text command_id);

/* ---- memory ---------------------------------------------------------------------------------- */
struct reservation *view_reservation_new(struct text reservation_id, struct text show_id);
struct reservation *view_reservation_copy(const struct reservation *reservation); /* in no list */
void view_reservation_free(struct reservation *reservation);
struct show *view_show_new(struct text show_id);
struct show *
view_show_copy(const struct show *show); /* in no list; replays only if they are dirty */
void view_show_free(struct show *show);

/* Each replaces what was there; texts are copied. */
void view_set_holder(struct reservation *reservation, const struct holder *holder);
void view_set_lines(struct reservation *reservation, const struct lines *lines);
void view_set_tickets(struct reservation *reservation, const struct tickets *tickets);
struct attempt *view_add_attempt(struct reservation *reservation, struct text payment_id);
void view_show_set_name(struct show *show, struct text name);
void view_show_set_tiers(struct show *show, const struct tiers *tiers);
void view_show_set_block(struct show *show, struct text block_id, int64_t quantity,
                         struct text note);
struct replay *view_replay_add(struct replays *replays); /* a blank one, the oldest making room */

/* Copies a text into a field of fixed size, cut to fit. */
void view_set(char *field, size_t size, struct text text);

#endif
