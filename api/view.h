/* view.h: what the edge knows: shows and open reservations, folded from the events of all three
 * services.
 *
 * A view keeps apart what each service said about a reservation: bookings (reservations), seats
 * (shows) and money (checkout). Edges read the topics in different interleavings, so status and
 * ETag are pure functions of the three and of nothing else. A reservation is hot while it is open;
 * a finished one leaves once the register has it, and comes back by `load` when an event or a
 * request names it. Shows stay.
 *
 * Anybody may tell checkout to start a payment, or a door to let a ticket in, for a reservation
 * that nobody requested; and what checkout said may be read before the request it is about. So what
 * is said is kept under show and reservation in every case, but only a requested reservation is
 * one: the others are found by nobody who asks, and all but a few leave for the register as
 * finished ones do.
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

enum money { /* checkout, of one attempt: its last word */
             MONEY_UNSAID,
             MONEY_STARTED,
             MONEY_REQUESTED,
             MONEY_UNKNOWN, /* the provider does not know */
             MONEY_FAILED,
             MONEY_REJECTED,
             MONEY_ABANDONED,
             MONEY_SUCCEEDED
};

enum extension { /* shows, of one attempt; a higher one stands, for a payment may be sold once and
                    come in twice */
                 EXTENSION_UNSAID,
                 EXTENSION_GRANTED,
                 EXTENSION_REJECTED,
                 EXTENSION_SALE_REJECTED,
                 EXTENSION_SOLD
};

/* One attempt to pay, or a payment nobody had started. */
struct attempt {
    char payment_id[UUID_SIZE];
    char fingerprint[VIEW_FINGERPRINT_SIZE]; /* of StartCheckout */
    char provider[VIEW_ID_SIZE];             /* as is the next, of the last one who named it */
    char provider_ref[LABEL_SIZE_MAX + 1];
    enum money money;
    enum extension extension;
    enum method method;
    enum reason money_reason; /* MONEY_REJECTED */
    enum reason seats_reason; /* EXTENSION_REJECTED, EXTENSION_SALE_REJECTED */
    int recorded;             /* 1 + the highest enum result that checkout took; 0: none */
    char recorded_as[VIEW_FINGERPRINT_SIZE]; /* of the command that said so last; "": none did */
    bool requested;                          /* of its provider, once; whatever became of it */
    bool closed;                             /* failed, rejected or abandoned, once */
    bool superseded;
    int64_t started_offset; /* of CheckoutStarted; -1: not read */
    int64_t pay_by_ms;      /* 0: not known */
    int64_t amount_minor;   /* due; -1: not known */
};

/* Money on its way back; all of it is what checkout said. */
enum repayment_status { REPAYMENT_REQUESTED, REPAYMENT_FAILED, REPAYMENT_COMPLETED };

struct repayment {
    char refund_id[UUID_SIZE];
    char payment_id[UUID_SIZE];
    char currency[4];
    int64_t amount_minor;
    int64_t attempt;
    bool manual; /* a person must hand it out */
    enum repayment_status status;
    char recorded_as[VIEW_FINGERPRINT_SIZE]; /* of the command that said so last; "": none did */
};

/* What is special about one ticket: who has it now, and where it was last let in or out. */
struct ticket_state {
    int64_t number;
    int64_t generation;
    struct holder holder;       /* one block, holder.name.data; data NULL: the reservation's */
    char list_id[VIEW_ID_SIZE]; /* empty: never at a door */
    enum entry entry;
    int64_t entry_at_ms;
};

/* A command that was answered, so that a repeat can be told the same. */
struct replay {
    char command_id[UUID_SIZE];     /* empty: its event is not read yet */
    char event_id[VIEW_CAUSE_SIZE]; /* of what was asked of shows, which its answer names; or "" */
    char fingerprint[VIEW_FINGERPRINT_SIZE];
    enum message_type answer; /* MESSAGE_NONE: still open */
    enum code code;           /* of Refused */
    enum reason reason;       /* of a rejection */
    int64_t available;        /* of ResizeRejected; -1: not said */
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
    char *note;             /* NULL: none */
    struct line *lines;     /* one block with its texts */
    int line_count;
    bool priced;                  /* lines are those of shows, no longer the wish */
    struct ticket_range *tickets; /* one block with its texts */
    int ticket_count;
    struct ticket_state *states; /* of those about which more was said */
    int state_count;
    struct numbers returned;  /* tickets that shows took back */
    struct numbers cancelled; /* tickets that reservations called cancelled */
    char reference[VIEW_ID_SIZE];
    char currency[4];
    int64_t quantity, amount_minor, expires_at_ms, created_at_ms;
    struct attempt *attempts; /* by payment_id */
    int attempt_count;
    struct repayment *repayments; /* in the order they were requested */
    int repayment_count;
    char *late_payment_id; /* reported when the books were closed; NULL: none */
    struct replays replays;
    int64_t offsets[3]; /* last event of shows, reservations, checkout about it; -1: none */

    /* the view's own */
    bool dirty;
    struct reservation *next_dirty;
    bool settled; /* in the list of those that may leave */
    struct reservation *next_settled;
    struct reservation *namesake; /* the same id for another show: somebody's mistake, or worse */
};

struct block {
    char block_id[VIEW_ID_SIZE];
    int64_t quantity;
    char *note; /* NULL: none */
};

enum winding { WINDING_NONE, WINDING_STARTED, WINDING_FINISHED }; /* of a cancelled show */

struct show {
    char show_id[VIEW_ID_SIZE];
    bool created; /* else only another service's word about it was read */
    char fingerprint[VIEW_FINGERPRINT_SIZE]; /* of CreateShow */
    char *name;
    char currency[4];
    struct tier *tiers; /* one block with its texts */
    int tier_count;
    char lone_tier[VIEW_ID_SIZE]; /* the one that stood alone last; empty: there were always more */
    int64_t starts_at_ms, on_sale_at_ms, off_sale_at_ms, max_per_order;
    int64_t max_per_person; /* 0: no limit */
    int64_t hold_ttl_s, pay_window_s, customer_cancel_until_ms;
    bool paused, cancelled, archived;
    char *cancelled_why; /* NULL: not cancelled, as is the next */
    enum refund cancelled_refund;
    enum winding winding;   /* reservations */
    int64_t winding_open;   /* reservations to be ended, when it started */
    bool bookings_archived; /* reservations */
    bool payments_archived; /* checkout */
    int64_t seq;
    int64_t capacity, held, sold, blocked, free, oversold_by;
    int64_t tier_held[TIERS_MAX], tier_sold[TIERS_MAX]; /* in the order of tiers */
    struct block *blocks;
    int block_count;
    struct replays replays;
    bool replays_dirty;
    int partition;
    int64_t offset;       /* last event of shows that changed it */
    int64_t other_offset; /* of reservations; -1: none */
    int in_flight;        /* requests waiting for this show's reservations; the edge's */
    uint64_t change_count;

    bool dirty;
    struct show *next_dirty;
};

/* Reads back what has left, from where it is kept; NULL: not there. The caller owns it. Without a
 * show_id: the first requested one of that id. */
struct view_store {
    struct reservation *(*load)(void *self, struct text reservation_id, struct text show_id);
    void *self;
};

/* S_init is {0}. */
struct view {
    struct map reservations; /* id → the first of its namesakes, the hot ones */
    struct map shows;        /* created or not */
    struct show **list;      /* by (starts_at_ms, show_id) */
    int show_count, list_capacity;
    struct reservation *dirty;
    struct reservation *settled;
    struct show *dirty_shows;
    struct view_store store;
    bool store_is_early;    /* it may have words about reservations still to be requested */
    uint64_t strange_count; /* events about a show nobody created */
};

void view_release(struct view *view);

/* Folds one accepted event, read at `place`. */
void view_apply(struct view *view, const struct message *event, const struct place *place);

struct show *view_show(const struct view *view, struct text show_id); /* NULL: unknown */

/* The requested reservation, brought back from the store if it is not hot; NULL: unknown. */
struct reservation *view_reservation(struct view *view, struct text reservation_id);

/* The same of that show, requested or not. */
struct reservation *view_reservation_of(struct view *view, struct text show_id,
                                        struct text reservation_id);

/* Whether somebody requested it. */
bool view_is_requested(const struct reservation *reservation);

/* Takes in what the register had at the start. */
void view_take_show(struct view *view, struct show *show);
void view_take_reservation(struct view *view, struct reservation *reservation);

/* Whether it is to leave once it is written; takes it out and frees it. */
bool view_may_leave(const struct reservation *reservation);
void view_let_go(struct view *view, struct reservation *reservation);

/* Says that it changed: the register is to write it. view_apply does so by itself. */
void view_touch(struct view *view, struct reservation *reservation);

/* ---- pure functions of what was said --------------------------------------------------------- */
enum reservation_status {
    STATUS_REQUESTED,
    STATUS_REJECTED,
    STATUS_HELD,
    STATUS_PAYING,
    STATUS_PAYMENT_UNKNOWN,
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

/* The attempt that was sold, else the one under way, else the last one; NULL: none. */
const struct attempt *view_attempt(const struct reservation *reservation);
const struct attempt *view_attempt_of(const struct reservation *reservation,
                                      struct text payment_id); /* NULL: none */
/* Whether it may still become a sale by itself. */
bool view_attempt_is_open(const struct attempt *attempt);
const struct repayment *view_repayment_of(const struct reservation *reservation,
                                          struct text refund_id); /* NULL: none */

/* Tickets that are good for entry; before any were made, the seats wanted. */
int64_t view_seat_count(const struct reservation *reservation);
bool view_ticket_is_valid(const struct reservation *reservation, int64_t number);
/* NULL: nothing was said about that one. */
const struct ticket_state *view_ticket(const struct reservation *reservation, int64_t number);

enum show_status {
    SHOW_SCHEDULED,
    SHOW_ON_SALE,
    SHOW_PAUSED,
    SHOW_CLOSED,
    SHOW_CANCELLED,
    SHOW_ARCHIVED
};
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
void view_set_note(struct reservation *reservation, struct text note);
void view_set_late_payment(struct reservation *reservation, struct text payment_id);
void view_set_lines(struct reservation *reservation, const struct lines *lines);
void view_set_tickets(struct reservation *reservation, const struct tickets *tickets);
struct attempt *view_add_attempt(struct reservation *reservation, struct text payment_id);
struct repayment *view_add_repayment(struct reservation *reservation, struct text refund_id);
struct ticket_state *view_add_ticket(struct reservation *reservation, int64_t number);
void view_ticket_set_holder(struct ticket_state *ticket, const struct holder *holder);
void view_show_set_name(struct show *show, struct text name);
void view_show_set_why(struct show *show, struct text why);
void view_show_set_tiers(struct show *show, const struct tiers *tiers);
void view_show_set_block(struct show *show, struct text block_id, int64_t quantity,
                         struct text note);
struct replay *view_replay_add(struct replays *replays); /* a blank one, the oldest making room */

/* Copies a text into a field of fixed size, cut to fit. */
void view_set(char *field, size_t size, struct text text);

#endif
