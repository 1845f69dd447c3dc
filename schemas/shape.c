/* Kinds and shapes as tables: every limit of the log's vocabulary is written here, once. */
#include "schemas/shape.h"

#include "base/uuid.h"
#include "schemas/ticket.h"

#include <assert.h>
#include <string.h>

/* ---- what a text may look like --------------------------------------------------------------- */

static bool all(struct text text, bool (*good)(unsigned char))
{
    for (size_t i = 0; i < text.size; i++)
        if (!good((unsigned char)text.data[i]))
            return false;
    return true;
}

static bool digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool upper(unsigned char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool id_byte(unsigned char c)
{
    return digit(c) || upper(c) || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

static bool hex_byte(unsigned char c)
{
    return digit(c) || (c >= 'a' && c <= 'f');
}

static bool printable(unsigned char c)
{
    return c >= 0x20 && c <= 0x7e;
}

static bool no_control(unsigned char c)
{
    return c >= 0x20 && c != 0x7f;
}

static bool good_id(struct text text)
{
    return all(text, id_byte);
}

/* C1 controls are U+0080 to U+009F: C2 80 to C2 9F in UTF-8. */
static bool good_name(struct text text)
{
    for (size_t i = 0; i + 1 < text.size; i++)
        if ((unsigned char)text.data[i] == 0xc2 && (unsigned char)text.data[i + 1] < 0xa0)
            return false;
    return all(text, no_control);
}

static bool good_label(struct text text)
{
    return all(text, printable);
}

static bool good_email(struct text text)
{
    const char *at = memchr(text.data, '@', text.size);
    return at && at != text.data && at + 1 != text.data + text.size && all(text, no_control) &&
           memchr(text.data, ' ', text.size) == NULL;
}

static bool good_phone(struct text text)
{
    return text.data[0] == '+' && text.data[1] != '0' &&
           all((struct text){text.data + 1, text.size - 1}, digit);
}

static bool good_ticket_id(struct text text)
{
    struct text reservation_id;
    int64_t number;
    return ticket_id_parse(text, &reservation_id, &number);
}

static bool good_currency(struct text text)
{
    return all(text, upper);
}

static bool good_fingerprint(struct text text)
{
    return all(text, hex_byte);
}

/* ---- nested shapes --------------------------------------------------------------------------- */

#define PART(type, member, kind, required)                                                         \
    {                                                                                              \
#member, KIND_##kind, offsetof(struct type, member), required, -1                          \
    }
#define SHAPE(parts)                                                                               \
    {                                                                                              \
        parts, sizeof(parts) / sizeof *(parts)                                                     \
    }

static const struct member holder_parts[] = {
    PART(holder, name, NAME, true),
    PART(holder, email, EMAIL, false),
    PART(holder, phone, PHONE, false),
};

static const struct member tier_parts[] = {
    PART(tier, tier_id, ID, true),
    PART(tier, name, NAME, true),
    PART(tier, amount_minor, AMOUNT, true),
    PART(tier, capacity, SEATS, false),
};

static const struct member wanted_parts[] = {
    PART(line, tier_id, ID, true),
    PART(line, quantity, QUANTITY, true),
};

static const struct member line_parts[] = {
    PART(line, tier_id, ID, true),
    PART(line, quantity, QUANTITY, true),
    PART(line, unit_amount_minor, AMOUNT, true),
};

static const struct member ticket_parts[] = {
    PART(ticket_range, tier_id, ID, true),
    PART(ticket_range, first, QUANTITY, true),
    PART(ticket_range, count, QUANTITY, true),
};

static const struct member payment_parts[] = {
    PART(payment, payment_id, UUID, true),     PART(payment, provider, ID, false),
    PART(payment, provider_ref, LABEL, false), PART(payment, method, METHOD, true),
    PART(payment, amount_minor, AMOUNT, true), PART(payment, currency, CURRENCY, true),
};

static const struct member tier_use_parts[] = {
    PART(tier_use, tier_id, ID, true),
    PART(tier_use, held, SEATS, true),
    PART(tier_use, sold, SEATS, true),
};

static const struct member after_parts[] = {
    PART(after, capacity, SEATS, true),
    PART(after, held, SEATS, true),
    PART(after, sold, SEATS, true),
    PART(after, blocked, SEATS, true),
    PART(after, free, SEATS, true),
    PART(after, oversold_by, SEATS, true),
    {"tiers", KIND_TIER_USES, offsetof(struct after, tier_count), true, -1},
};

/* ---- kinds ----------------------------------------------------------------------------------- */

#define WORD(name, word)      #word,
#define WORDS(enum_name, ...) static const char *const enum_name##_words[] = {__VA_ARGS__ NULL};
#include "schemas/messages.def"
#undef WORD

#define TEXT_KIND(name, min, max, good, pattern, meaning)                                          \
    {                                                                                              \
        name, FAMILY_TEXT, min, max, good, pattern, meaning, NULL, {NULL, 0}, 0, 0                 \
    }
#define INTEGER_KIND(name, min, max, meaning)                                                      \
    {                                                                                              \
        name, FAMILY_INTEGER, min, max, NULL, NULL, meaning, NULL, {NULL, 0}, 0, 0                 \
    }
#define WORD_KIND(name, words)                                                                     \
    {                                                                                              \
        name, FAMILY_WORD, 0, 0, NULL, NULL, "one of the listed words", words, {NULL, 0}, 0, 0     \
    }
#define OBJECT_KIND(name, parts, meaning)                                                          \
    {                                                                                              \
        name, FAMILY_OBJECT, 0, 0, NULL, NULL, meaning, NULL, SHAPE(parts), 0, 0                   \
    }
#define LIST_KIND(name, max, parts, type, item, first, count, meaning)                             \
    {                                                                                              \
        name, FAMILY_LIST, 1, max, NULL, NULL, meaning, NULL, SHAPE(parts), sizeof(struct item),   \
            offsetof(struct type, first) - offsetof(struct type, count)                            \
    }

static const struct kind_row kinds[KIND_COUNT] = {
    [KIND_ID] = TEXT_KIND("id", 1, ID_SIZE_MAX, good_id, "^[A-Za-z0-9_-]{1,64}$",
                          "1 to 64 of A-Z a-z 0-9 _ -"),
    [KIND_UUID] = TEXT_KIND("uuid", 36, 36, uuid_valid,
                            "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
                            "a UUID in 36 lower-case characters"),
    [KIND_TICKET_ID] = TEXT_KIND(
        "ticket_id", 38, TICKET_ID_SIZE_MAX, good_ticket_id,
        "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-([1-9][0-9]{0,2}|1000)$",
        "a reservation_id, a hyphen and the ticket's number from 1"),
    [KIND_NAME] =
        TEXT_KIND("name", 1, NAME_SIZE_MAX, good_name, "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
                  "1 to 200 bytes of UTF-8 without control characters"),
    [KIND_NOTE] =
        TEXT_KIND("note", 1, NOTE_SIZE_MAX, good_name, "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
                  "1 to 500 bytes of UTF-8 without control characters"),
    [KIND_LABEL] = TEXT_KIND("label", 1, LABEL_SIZE_MAX, good_label, "^[ -~]{1,128}$",
                             "1 to 128 printable ASCII characters"),
    [KIND_EMAIL] = TEXT_KIND("email", 3, EMAIL_SIZE_MAX, good_email,
                             "^[^@ \\u0000-\\u001f\\u007f]+@[^ \\u0000-\\u001f\\u007f]+$",
                             "an e-mail address of at most 254 bytes"),
    [KIND_PHONE] = TEXT_KIND("phone", 3, PHONE_SIZE_MAX, good_phone, "^\\+[1-9][0-9]{1,14}$",
                             "a phone number as E.164, like +4930123456"),
    [KIND_CURRENCY] = TEXT_KIND("currency", 3, 3, good_currency, "^[A-Z]{3}$",
                                "three capital letters of ISO 4217"),
    [KIND_FINGERPRINT] = TEXT_KIND("fingerprint", 16, 16, good_fingerprint, "^[0-9a-f]{16}$",
                                   "16 lower-case hex digits"),
    [KIND_TIME] = INTEGER_KIND("time_ms", 0, TIME_MS_MAX, "UTC epoch milliseconds"),
    [KIND_AMOUNT] = INTEGER_KIND("amount_minor", 0, AMOUNT_MINOR_MAX, "0 to 10^12 minor units"),
    [KIND_SEATS] = INTEGER_KIND("seats", 0, SEATS_MAX, "0 to 1 000 000 seats"),
    [KIND_QUANTITY] = INTEGER_KIND("quantity", 1, QUANTITY_MAX, "1 to 1000 seats"),
    [KIND_HOLD_TTL] = INTEGER_KIND("hold_ttl_s", 60, 7200, "60 to 7200 seconds"),
    [KIND_PAY_WINDOW] = INTEGER_KIND("pay_window_s", 60, 3600, "60 to 3600 seconds"),
    [KIND_COUNTER] = INTEGER_KIND("counter", 0, COUNTER_MAX, "a whole number from 0 to 2^53 - 1"),
    [KIND_BOOL] = {"bool", FAMILY_BOOL, 0, 0, NULL, NULL, "true or false", NULL, {NULL, 0}, 0, 0},
    [KIND_CHANNEL] = WORD_KIND("channel", channel_words),
    [KIND_BY] = WORD_KIND("by", by_words),
    [KIND_REFUND] = WORD_KIND("refund", refund_words),
    [KIND_METHOD] = WORD_KIND("method", method_words),
    [KIND_EXPECT] = WORD_KIND("expect", expect_words),
    [KIND_ENTRY] = WORD_KIND("entry", entry_words),
    [KIND_RESULT] = WORD_KIND("result", result_words),
    [KIND_REPAID] = WORD_KIND("repaid", repaid_words),
    [KIND_CAUSE] = WORD_KIND("cause", cause_words),
    [KIND_REASON] = WORD_KIND("reason", reason_words),
    [KIND_CODE] = WORD_KIND("code", code_words),
    [KIND_HOLDER] = OBJECT_KIND("holder", holder_parts, "who holds the reservation"),
    [KIND_PAYMENT] = OBJECT_KIND("payment", payment_parts, "the payment that was decided on"),
    [KIND_AFTER] = OBJECT_KIND("after", after_parts, "the seats of the show after this event"),
    [KIND_TIERS] = LIST_KIND("tiers", TIERS_MAX, tier_parts, tiers, tier, items, count,
                             "1 to 16 ticket tiers"),
    [KIND_WANTED] = LIST_KIND("wanted", LINES_MAX, wanted_parts, lines, line, items, count,
                              "1 to 16 lines of what is wanted"),
    [KIND_LINES] = LIST_KIND("lines", LINES_MAX, line_parts, lines, line, items, count,
                             "1 to 16 lines with their price"),
    [KIND_TICKETS] = LIST_KIND("tickets", LINES_MAX, ticket_parts, tickets, ticket_range, items,
                               count, "ranges of tickets, numbered from 1"),
    [KIND_NUMBERS] = {"numbers",
                      FAMILY_NUMBERS,
                      1,
                      NUMBERS_MAX,
                      NULL,
                      NULL,
                      "different ticket numbers from 1 to 1000",
                      NULL,
                      {NULL, 0},
                      0,
                      0},
    [KIND_TIER_USES] = LIST_KIND("tier_uses", TIERS_MAX, tier_use_parts, after, tier_use, tiers,
                                 tier_count, "seats held and sold of each tier"),
};

const struct kind_row *kind_row(enum kind kind)
{
    assert(kind < KIND_COUNT && kinds[kind].name);
    return &kinds[kind];
}

/* ---- messages -------------------------------------------------------------------------------- */

/* A row of messages.def as members: each field's place in struct message. */
#define FIELD(name, json, kind)                                                                    \
    static const struct member field_##name = {json, KIND_##kind, offsetof(struct message, name),  \
                                               false, FIELD_##name};
#include "schemas/messages.def"

struct field_use {
    const struct member *member;
    bool needed;
};

#define NEEDS(name) {&field_##name, true},
#define MAY(name)   {&field_##name, false},
#define MESSAGE(name, service, role, ...)                                                          \
    static const struct field_use name##_fields[] = {__VA_ARGS__};
#include "schemas/messages.def"

static const struct field_use *const uses[MESSAGE_COUNT] = {
#define MESSAGE(name, service, role, ...) [MESSAGE_##name] = name##_fields,
#include "schemas/messages.def"
};
static const int use_counts[MESSAGE_COUNT] = {
#define MESSAGE(name, service, role, ...)                                                          \
    [MESSAGE_##name] = sizeof name##_fields / sizeof *name##_fields,
#include "schemas/messages.def"
};

/* Built once from the rows; a constructor, so that threads need no lock. */
static struct member members[MESSAGE_COUNT][FIELD_COUNT];

__attribute__((constructor)) static void build_members(void)
{
    for (int type = 0; type < MESSAGE_COUNT; type++)
        for (int i = 0; i < use_counts[type]; i++) {
            members[type][i] = *uses[type][i].member;
            members[type][i].required = uses[type][i].needed;
        }
}

struct shape message_shape(enum message_type type)
{
    assert(type >= 0 && type < MESSAGE_COUNT);
    return (struct shape){members[type], use_counts[type]};
}

static const struct member *member_of(enum message_type type, enum field field)
{
    struct shape shape = message_shape(type);
    for (const struct member *member = shape.members; member < shape.members + shape.count;
         member++)
        if (member->field == (int)field)
            return member;
    return NULL;
}

bool message_may(enum message_type type, enum field field)
{
    return member_of(type, field) != NULL;
}

bool message_needs(enum message_type type, enum field field)
{
    const struct member *member = member_of(type, field);
    return member && member->required;
}

void message_shift_times(struct message *message, int64_t by_ms)
{
    struct shape shape = message_shape(message->type);
    for (const struct member *member = shape.members; member < shape.members + shape.count;
         member++) {
        if (member->kind != KIND_TIME || !message->has[member->field])
            continue;
        int64_t *at_ms = (int64_t *)((char *)message + member->offset);
        if (*at_ms + by_ms >= 0 && *at_ms + by_ms <= TIME_MS_MAX)
            *at_ms += by_ms;
    }
}
