/* book.h: what the auditor remembers, and how its files share it. Private to audit/.
 *
 *   stream.c        records in, in the order of their causes out; positions (8), passing over (4)
 *   hearing.c       one outcome: its cause (14), its time (6), then the three folds
 *   seats.c         the fold of shows.events: 1, 2, 3, 7, 9, 10, 13
 *   seats_reason.c  why something is not to be had, in the order of the table: 5
 *   bookings.c      the fold of reservations.events: 11
 *   tickets.c       the door: check-ins and transfers
 *   money.c         the fold of checkout.events: 12, 13
 *   replay.c        16
 *
 * Each service's part of a show, a reservation or a payment is folded from that service's events
 * alone, because the others may have been judged further. Whoever needs to know what another
 * service said looks at the cause. */
#ifndef AUDIT_BOOK_H
#define AUDIT_BOOK_H

#include "audit/audit.h"
#include "audit/parts.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/recent.h"
#include "bus/fence.h"

enum {
    SHOW_COMMANDS = 64,    /* ids of commands remembered per show */
    BOOKING_COMMANDS = 16, /* and per reservation */
    REFUND_COMMANDS = 16,
    TICKET_COMMANDS = 4
};
/* ---- records --------------------------------------------------------------------------------- */

/* A record, kept until everyone who reads its topic has passed it. */
struct page {
    struct page *next;
    int64_t offset;
    enum fence_verdict verdict; /* ACCEPTED for every command */
    enum message_type type;     /* once judged; NONE: unreadable */
    const char *why;            /* VOID */
    struct fence after;         /* of an event topic: the reading behind it */
    struct stamp stamp;
    uint32_t crc;
    struct fence *positions; /* ACCEPTED, PROGRESS: what its writer had read; NULL: malformed */
    struct bus_record record;
    struct bus_header headers[];
};

/* One partition of one topic. */
struct stream {
    struct fence fence;
    int64_t reached;           /* everything below was read */
    struct page *first, *last; /* kept */
    struct page *turn;         /* the first that is not judged yet */
    size_t kept;
    bool full; /* others should be read on first */
};

struct bits {
    uint8_t *bytes;
    size_t size;
};

/* What a service's accepted records say in one partition. */
struct ledger {
    struct fence positions[INPUTS_MAX];
    struct page *at[INPUTS_MAX]; /* the first record it has not passed; NULL: none was read */
    struct bits answered[INPUTS_MAX];
    int64_t last_ms;
    int64_t timer_ms;   /* the latest time that a timer decided for, and nothing else had come to */
    int64_t claim_ms;   /* when its current claim was appended … */
    int64_t handled_ms; /* … and, since then, the newest of what it answered */
    int64_t rules;      /* of its current claim */
    void *state;        /* replay: the core's; NULL: no longer comparable */
    bool spoiled;
};

/* A list beside a map, to walk it in the order it grew. */
struct list {
    void **items;
    size_t count;
};

/* ---- seats ----------------------------------------------------------------------------------- */

struct seat_tier {
    struct text tier_id;
    int64_t amount_minor, capacity, held, sold;
    bool there, was_there; /* in the show's list now, and before it was changed last */
};

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
    /* shows */
    bool created, paused, cancelled, archived, ever_held;
    struct text currency, fingerprint;
    int64_t starts_at_ms, on_sale_at_ms, off_sale_at_ms, customer_cancel_until_ms;
    int64_t max_per_order, max_per_person, hold_ttl_s, pay_window_s;
    int64_t capacity, held, sold, blocked, oversold_by, seq, live_holds;
    struct seat_tier *tiers; /* never removed: lines name them by number */
    int tier_count;
    int order[TIERS_MAX]; /* those that are there, as told */
    int order_count;
    struct map blocks, persons;
    struct recent commands;
    /* reservations */
    bool winding_up, wound_up, bookings_archived;
    struct place winding_place;
    int64_t winding_ms;
    int64_t open_bookings, asked_by_show, answered_by_show;
    struct list bookings; /* in the order they were asked for */
    size_t bookings_at_cancellation;
    /* checkout */
    bool payments_archived;
};

enum hold_state { HOLD_NONE, HOLD_HELD, HOLD_SOLD, HOLD_RELEASED, HOLD_EXPIRED, HOLD_RETURNED };

struct seat_line {
    int tier;
    int64_t quantity, unit_amount_minor;
};

struct capture;

struct hold {
    struct text reservation_id;
    struct show *show;
    enum hold_state state;
    bool paying, pinned, boxoffice;
    enum channel channel;
    struct seat_line *lines;
    int line_count;
    int64_t quantity, amount_minor, held_at_ms, expires_at_ms;
    int64_t extensions;
    struct person *person;
    struct place place; /* of its last event */
    int64_t place_ms;
    /* sold */
    struct numbers *returned; /* NULL: none yet */
    struct capture *paid;     /* with what; NULL: unknown */
    struct text paid_id;
    int64_t left_amount_minor, kept_on_return_minor, left;
};

/* ---- bookings -------------------------------------------------------------------------------- */

enum booking_state {
    BOOKING_REFUSED,
    BOOKING_REQUESTED,
    BOOKING_REJECTED,
    BOOKING_CONFIRMED,
    BOOKING_RELEASED,
    BOOKING_EXPIRED,
    BOOKING_CANCELLED
};

/* A cancellation that shows has not answered yet, or not to our knowledge. */
struct pending {
    struct pending *next;
    struct text id; /* of its CancellationRequested */
    bool all, by_show;
    struct numbers numbers;
};

struct presence { /* of a ticket, at one door list */
    struct presence *next;
    struct text list_id;
    bool in;
};

struct ticket {
    int64_t generation;
    bool let_in;
    struct presence *lists;
    struct recent commands;
};

struct booking {
    struct text reservation_id;
    struct show *show;
    struct text fingerprint;
    enum booking_state state;
    int64_t ticket_count, left;
    struct numbers *cancelled; /* NULL: none */
    struct ticket *tickets;    /* NULL: none was shown at a door or transferred */
    struct pending *pending;
    struct recent commands;
};

/* ---- money ----------------------------------------------------------------------------------- */

enum attempt_state {
    ATTEMPT_REFUSED,
    ATTEMPT_STARTED,
    ATTEMPT_REQUESTED,
    ATTEMPT_UNKNOWN,
    ATTEMPT_FAILED,
    ATTEMPT_SUCCEEDED,
    ATTEMPT_REJECTED,
    ATTEMPT_SUPERSEDED,
    ATTEMPT_ABANDONED
};

struct attempt {
    struct text payment_id, fingerprint;
    struct order *order;
    enum method method;
    enum attempt_state state;
    struct text provider;           /* data NULL: none */
    struct text told[result_COUNT]; /* fingerprints; data NULL: not told */
    bool captured;                  /* by a provider, under a number */
};

struct order {
    struct text key; /* "<show_id>/<reservation_id>" */
    struct text reservation_id;
    struct show *show;
    struct attempt *current;
    int started;
};

/* Money that came in: one PaymentSucceeded. */
struct capture {
    struct text key; /* "<payment_id>/<provider_ref>" */
    struct text currency, fingerprint;
    enum method method;
    int64_t amount_minor, refunded_minor;
    bool rejected; /* shows had no seats for it */
    struct hold *sold;
    struct place place;
    int64_t append_ms;
};

struct repayment {
    struct text refund_id, reservation_id;
    struct show *show;
    int64_t amount_minor, attempt, first_at_ms, failed_at_ms;
    struct text currency;
    bool manual, failed, completed;
    bool outlived; /* completed after its show's payments were archived: kept all the same */
    struct text completed_by;
    struct recent commands;
};

/* All of one partition number. */
struct book {
    struct stream streams[TOPIC_COUNT];
    struct ledger ledgers[SERVICES];
    struct map shows, holds, bookings, orders, attempts, captures, refunds;
    bool breached; /* no core is asked any more: what it would be given may be anything */
};

struct audit {
    struct installation installation;
    struct audit_options options;
    struct arena arena;   /* for good */
    struct arena passing; /* of the outcome in hand */
    struct audit_counts counts;
    struct audit_breach first;
    uint64_t breaches[AUDIT_INVARIANT_MAX + 1];
    bool at_rest, finished;
    int64_t newest_ms;
    struct message event, input, skipped, again;
    struct buffer bytes;
    struct list shows, holds, bookings, captures, tickets, refunds;
    struct book books[];
};

/* An accepted outcome in hand. */
struct hearing {
    struct audit *audit;
    struct book *book;
    struct ledger *ledger;
    int service;
    struct place place;
    int64_t append_ms;
    struct page *page;
    const struct message *event;
    struct page *cause; /* the record it answers; NULL: a timer, or it is not there */
    int cause_topic;
    const struct message *input; /* the same as a message; NULL: unreadable, too */
    bool timer;
};

/* ---- shared by all files --------------------------------------------------------------------- */

void breach_at(struct audit *audit, int invariant, const struct place *place, int64_t append_ms,
               const char *format, ...) __attribute__((format(printf, 5, 6)));
#define BREACH(hearing, invariant, ...)                                                            \
    breach_at((hearing)->audit, invariant, &(hearing)->place, (hearing)->append_ms, __VA_ARGS__)

void *keep(struct audit *audit, size_t size); /* zeroed, for good */
struct text keep_text(struct audit *audit, struct text text);
void list_add(struct list *list, void *item);
struct text print_key(struct audit *audit, struct text a, struct text b); /* "a/b", passing */
int64_t quantity_of_lines(const struct lines *lines);
struct numbers first_numbers(int64_t count); /* 1 … count, as far as there are numbers */
/* The command it answers, with its body's mark: the same of both is a repeat from now on. */
void remember_answer(struct recent *commands, const struct message *event);
bool both_same(bool has_a, struct text a, bool has_b, struct text b);

/* What an input calls for. MAY: the fold cannot tell; replay can. */
enum answer { ANSWER_NONE, ANSWER_MUST, ANSWER_MAY };

/* hearing.c */
void hear(struct audit *audit, struct book *book, int service, int partition, struct page *page);
enum answer answer_to(struct audit *audit, struct book *book, int service, int partition,
                      const struct message *input, enum envelope_result result);
enum envelope_result read_page(struct audit *audit, int topic, int partition,
                               const struct page *page, struct message *message);

/* stream.c */
void stream_read(struct audit *audit, const struct place *place, const struct bus_record *record);
/* Passes all that the writer of `by` had read, the cause among it (source -1: none); gives it back,
 * NULL: it is not there. */
struct page *stream_pass(struct audit *audit, struct book *book, int service,
                         const struct place *place, const struct page *by, int source_topic,
                         int64_t source);
void stream_advance(struct audit *audit, int partition);
bool stream_wanted(const struct audit *audit, int topic, int partition);
void stream_force(struct audit *audit);  /* at rest: judge what waits for what is not there */
void stream_unread(struct audit *audit); /* at rest: what nobody has passed needs no outcome */
void streams_release(struct audit *audit);
bool bits_get(const struct bits *bits, int64_t at);

/* seats.c */
struct show *show_of(struct audit *audit, struct book *book, struct text show_id); /* makes it */
struct show *find_show(const struct book *book, const struct message *message);
struct hold *find_hold(const struct book *book, const struct message *message); /* of that show */
void fold_seats(struct hearing *hearing);
enum answer answer_of_shows(const struct book *book, const struct message *input);
void seats_at_rest(struct audit *audit);
int find_tier(const struct show *show, struct text tier_id); /* -1: not there now */
int64_t tickets_of(const struct hold *hold, const struct numbers *numbers, struct lines *lines,
                   int64_t *amount_minor);

/* seats_reason.c: reason_COUNT: nothing stands against it */
enum reason reason_not_to_hold(const struct show *show, const struct lines *wanted,
                               const struct message *request, int64_t now_ms);
enum reason reason_not_to_resize(const struct hold *hold, const struct lines *wanted,
                                 int64_t now_ms);
enum reason reason_not_to_extend(const struct hold *hold, const struct message *request,
                                 enum cause cause, int64_t now_ms);
enum reason reason_not_to_sell(const struct hold *hold, const struct payment *payment);
enum reason reason_not_to_release(const struct hold *hold, const struct message *request,
                                  int64_t now_ms);

/* bookings.c, tickets.c */
struct booking *find_booking(const struct book *book, const struct message *message);
void fold_booking(struct hearing *hearing);
void fold_ticket(struct hearing *hearing);
bool is_pending(const struct booking *booking, int64_t number);
enum answer answer_of_reservations(struct audit *audit, const struct book *book,
                                   const struct message *input);
enum answer answer_at_the_door(struct audit *audit, const struct book *book,
                               const struct message *input);
void bookings_at_rest(struct audit *audit);

/* money.c */
bool same_payment(const struct payment *a, const struct payment *b);
struct capture *find_capture(struct audit *audit, const struct book *book,
                             const struct payment *payment);
void fold_money(struct hearing *hearing);
enum answer answer_of_checkout(struct audit *audit, const struct book *book,
                               const struct message *input);
void money_at_rest(struct audit *audit);

/* replay.c */
void replay_outcome(struct hearing *hearing);
void replay_skipped(struct audit *audit, struct book *book, int service, int partition,
                    const struct page *page, const struct message *input);
void replay_release(struct book *book);

#endif
