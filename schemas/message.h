/* message.h: one message as C sees it, generated from messages.def.
 *
 * All messages share one vocabulary, so one struct holds any of them: `type` says which, `has` says
 * which fields are there. Nothing else of the struct is set; reading a field whose `has` is false
 * is a bug. Texts are borrowed: from the arena the message was decoded into, or from the state or
 * input it was built from.
 *
 * The source of names and limits is the choreography's table of messages; times are UTC epoch
 * milliseconds, money is in minor units of `currency` (ISO 4217). Pure; any thread. */
#ifndef SCHEMAS_MESSAGE_H
#define SCHEMAS_MESSAGE_H

#include "base/text.h"
#include "schemas/numbers.h"

/* ---- limits ---------------------------------------------------------------------------------- */
enum {
    LINES_MAX = 16,
    TIERS_MAX = 16,
    QUANTITY_MAX = NUMBERS_MAX,
    SEATS_MAX = 1000000,
    ID_SIZE_MAX = 64,
    NAME_SIZE_MAX = 200,
    EMAIL_SIZE_MAX = 254,
    PHONE_SIZE_MAX = 16,
    NOTE_SIZE_MAX = 500,
    LABEL_SIZE_MAX = 128, /* names of machines, versions, fields; printable ASCII */
    MESSAGE_SIZE_MAX = 16 * 1024,
    MAX_PER_ORDER_DEFAULT = 10,
    HOLD_TTL_S_DEFAULT = 600,
    HOLD_GRACE_MS = 30 * 1000, /* a hold lives this much longer than the customer was told */
    PAY_WINDOW_S_DEFAULT = 600,
    PIN_MS = 1800 * 1000, /* once per hold, while the outcome of a payment is not known */
    CHECKOUT_ATTEMPTS_MAX = 3
};
#define AMOUNT_MINOR_MAX INT64_C(1000000000000)
#define TIME_MS_MAX      INT64_C(253402300799999)  /* 9999-12-31T23:59:59.999Z */
#define COUNTER_MAX      INT64_C(9007199254740991) /* 2^53 - 1: exact in every JSON reader */

/* ---- words: the values of channel are spelled channel_web, channel_boxoffice, … -------------- */
#define WORD(name, word) name##_##word,
#define WORDS(name, ...) enum name { __VA_ARGS__ name##_COUNT };
#include "schemas/messages.def"
#undef WORD

/* ---- shapes ---------------------------------------------------------------------------------- */
struct holder {
    struct text name;
    struct text email; /* data NULL: absent */
    struct text phone; /* data NULL: absent */
};

struct tier {
    struct text tier_id;
    struct text name;
    int64_t amount_minor;
    int64_t capacity; /* -1: no cap of its own */
};

struct tiers {
    int count;
    struct tier items[TIERS_MAX];
};

struct line {
    struct text tier_id;
    int64_t quantity;
    int64_t unit_amount_minor; /* 0 in `wanted`: the price is fixed when the seats are held */
};

struct lines {
    int count;
    struct line items[LINES_MAX];
};

struct ticket_range { /* tickets <reservation_id>-<first> … -<first+count-1> */
    struct text tier_id;
    int64_t first;
    int64_t count;
};

struct tickets {
    int count;
    struct ticket_range items[LINES_MAX];
};

struct payment {
    struct text payment_id;
    struct text provider;     /* data NULL: absent (paid at the box office) */
    struct text provider_ref; /* data NULL: absent */
    enum method method;
    int64_t amount_minor;
    struct text currency;
};

struct tier_use {
    struct text tier_id;
    int64_t held;
    int64_t sold;
};

struct after { /* the seats of the show once this event has happened */
    int64_t capacity, held, sold, blocked, free, oversold_by;
    int tier_count;
    struct tier_use tiers[TIERS_MAX];
};

/* ---- fields: C types by kind ----------------------------------------------------------------- */
#define TYPE_ID          struct text
#define TYPE_UUID        struct text
#define TYPE_TICKET_ID   struct text
#define TYPE_NAME        struct text
#define TYPE_NOTE        struct text
#define TYPE_LABEL       struct text
#define TYPE_EMAIL       struct text
#define TYPE_PHONE       struct text
#define TYPE_CURRENCY    struct text
#define TYPE_FINGERPRINT struct text
#define TYPE_TIME        int64_t
#define TYPE_AMOUNT      int64_t
#define TYPE_SEATS       int64_t
#define TYPE_QUANTITY    int64_t
#define TYPE_HOLD_TTL    int64_t
#define TYPE_PAY_WINDOW  int64_t
#define TYPE_COUNTER     int64_t
#define TYPE_BOOL        bool
#define TYPE_CHANNEL     enum channel
#define TYPE_BY          enum by
#define TYPE_REFUND      enum refund
#define TYPE_METHOD      enum method
#define TYPE_EXPECT      enum expect
#define TYPE_ENTRY       enum entry
#define TYPE_RESULT      enum result
#define TYPE_REPAID      enum repaid
#define TYPE_CAUSE       enum cause
#define TYPE_REASON      enum reason
#define TYPE_CODE        enum code
#define TYPE_HOLDER      struct holder
#define TYPE_TIERS       struct tiers
#define TYPE_WANTED      struct lines
#define TYPE_LINES       struct lines
#define TYPE_TICKETS     struct tickets
#define TYPE_NUMBERS     struct numbers
#define TYPE_PAYMENT     struct payment
#define TYPE_AFTER       struct after

enum field {
#define FIELD(name, json, kind) FIELD_##name,
#include "schemas/messages.def"
    FIELD_COUNT
};

enum message_type {
#define MESSAGE(name, service, role, ...) MESSAGE_##name,
#include "schemas/messages.def"
    MESSAGE_COUNT,
    MESSAGE_NONE = -1
};

enum message_role { ROLE_COMMAND, ROLE_EVENT, ROLE_BUS };

/* Who speaks a message. `any` is each of the three services. */
enum speaker { SPEAKER_shows, SPEAKER_reservations, SPEAKER_checkout, SPEAKER_any, SPEAKER_bus };

struct arena;

struct message {
    enum message_type type;
    struct arena *arena; /* of a message being built: where texts made on the way are kept; not
                            reset by init */
    /* CloudEvents context, kept in headers. Empty: absent. */
    struct text id;       /* ce_id; of an outcome <service>/<partition>/<stamp> */
    struct text cause_id; /* ce_causationid: the ce_id of what this answers; empty for a timer */
    struct text correlation_id; /* the reservation id, else the show id */
    struct text actor;          /* ce_actor: key name or "public" */
    struct text traceparent;
    int64_t at_ms; /* ce_time of an outcome: when it was decided, by the log's clock */

    bool has[FIELD_COUNT];
#define FIELD(name, json, kind) TYPE_##kind name;
#include "schemas/messages.def"
};

/* The only ways to write and to ask for a field: message_set(outcome, quantity, 4);
 * message_has(input, tiers). */
#define message_set(message, field, ...)                                                           \
    ((message)->has[FIELD_##field] = true, (message)->field = __VA_ARGS__)
#define message_has(message, field) ((message)->has[FIELD_##field])
/* Takes a field over from another message, absence included. */
#define message_copy(to, from, field)                                                              \
    ((from)->has[FIELD_##field] ? (void)message_set(to, field, (from)->field)                      \
                                : (void)((to)->has[FIELD_##field] = false))

/* A message of that type without any field. */
void message_init(struct message *message, enum message_type type);

/* ---- the table ------------------------------------------------------------------------------- */
const char *message_name(enum message_type type); /* "SeatsHeld" */
enum message_role message_role(enum message_type type);
enum speaker message_speaker(enum message_type type);
enum message_type message_named(struct text name); /* MESSAGE_NONE: no such */
const char *speaker_name(enum speaker speaker);    /* "shows" */

/* "stagedoor.<service>.<Name>"; for messages of any service, `speaker` says which. */
void message_type_print(enum message_type type, enum speaker speaker, struct buffer *out);

/* The message of that CloudEvents type, spoken by `*speaker`; MESSAGE_NONE: unknown. */
enum message_type message_type_parse(struct text ce_type, enum speaker *speaker);

/* Moves every time the message has, `by_ms` later; one that would leave the limits stays. */
void message_shift_times(struct message *message, int64_t by_ms);

/* Whether the type may carry / must carry the field. */
bool message_may(enum message_type type, enum field field);
bool message_needs(enum message_type type, enum field field);

/* The words of an enumerated field: channel_name(channel_web) is "web"; channel_named finds it,
 * false: no such. */
#define WORDS(enum_name, ...)                                                                      \
    const char *enum_name##_name(enum enum_name value);                                            \
    bool enum_name##_named(struct text name, enum enum_name *value);
#include "schemas/messages.def"

#endif
