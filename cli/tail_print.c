/* The value is printed field by field as it lies in the log, so a new field needs no change here.
 */
#include "cli/tail_print.h"

#include "base/rfc3339.h"
#include "story/words.h"
#include "schemas/json.h"

#include <string.h>

enum { NAME_COLUMN = 24, PLACE_COLUMN = 28, TEXT_SHOWN_MAX = 60 };

static const char *news_word(enum follower_news news)
{
    switch (news) {
    case FOLLOWER_MESSAGE:
        return "accepted";
    case FOLLOWER_CLAIM:
        return "claim";
    case FOLLOWER_PROGRESS:
        return "progress";
    case FOLLOWER_VOID:
        return "void";
    case FOLLOWER_STRANGE:
        return "strange";
    case FOLLOWER_NOTHING:
    case FOLLOWER_LOST:
        break;
    }
    return "lost";
}

static struct text context(const struct follower_item *item, const char *header)
{
    return record_header(item->record, header, NULL);
}

/* The last part of the type: "SeatsHeld". Of a structured command the message knows it. */
static struct text short_name(enum follower_news news, const struct follower_item *item)
{
    if (news == FOLLOWER_MESSAGE)
        return text_of(message_name(item->message.type));
    struct text type = context(item, "ce_type");
    for (size_t i = type.size; i > 0; i--)
        if (type.data[i - 1] == '.')
            return text_from(type.data + i, type.size - i);
    return type;
}

/* ---- for people ------------------------------------------------------------------------------ */
/* Bytes from outside on somebody's terminal. */
static void put_safe(struct buffer *out, struct text text)
{
    words_safe(out, text, TEXT_SHOWN_MAX);
}

static void pad(struct buffer *out, size_t start, size_t column)
{
    while (out->size - start < column)
        buffer_byte(out, ' ');
    buffer_byte(out, ' ');
}

static bool boring(const char *name)
{
    static const char *const names[] = {"show_id", "fingerprint", "seq", "currency", "after"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Where a value is printed, and what its amounts are in. */
struct printing {
    struct buffer *out;
    struct text currency;
};

static void put_value(const struct printing *to, const struct json *value);

static bool text_member(const struct json *object, const char *name, struct text *text)
{
    const struct json *member = json_member(object, name);
    return member && json_text(member, text);
}

static bool number_member(const struct json *object, const char *name, int64_t *number)
{
    const struct json *member = json_member(object, name);
    return member && json_i64(member, number);
}

static void put_range(const struct printing *to, int64_t first, int64_t last)
{
    buffer_i64(to->out, first);
    if (last > first)
        buffer_print(to->out, "-%lld", (long long)last);
}

/* "stalls×2" for a line, "stalls 1-2" for its tickets, "stalls EUR 25.00 (70)" for a tier. */
static bool put_of_tier(const struct printing *to, const struct json *object)
{
    struct text tier;
    int64_t first, number, capacity;
    if (!text_member(object, "tier_id", &tier))
        return false;
    if (number_member(object, "first", &first) && number_member(object, "count", &number)) {
        put_safe(to->out, tier);
        buffer_byte(to->out, ' ');
        put_range(to, first, first < INT64_MAX - number ? first + number - 1 : first);
        return true;
    }
    if (number_member(object, "quantity", &number)) {
        put_safe(to->out, tier);
        buffer_print(to->out, "×%lld", (long long)number);
        return true;
    }
    if (!number_member(object, "amount_minor", &number))
        return false;
    put_safe(to->out, tier);
    buffer_byte(to->out, ' ');
    words_money(to->out, number, to->currency);
    if (number_member(object, "capacity", &capacity))
        buffer_print(to->out, " (%lld)", (long long)capacity);
    return true;
}

/* "EUR 68.00 cash 4c2f8a10-…": what was paid, how, and under which id. */
static bool put_payment(const struct printing *to, const struct json *object)
{
    static const char *const names[] = {"provider", "provider_ref", "payment_id"};
    struct text method, text, currency = to->currency;
    int64_t amount_minor;
    if (!text_member(object, "method", &method) ||
        !number_member(object, "amount_minor", &amount_minor))
        return false;
    text_member(object, "currency", &currency);
    buffer_byte(to->out, '{');
    words_money(to->out, amount_minor, currency);
    buffer_byte(to->out, ' ');
    put_safe(to->out, method);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_member(object, names[i], &text)) {
            buffer_byte(to->out, ' ');
            put_safe(to->out, text);
        }
    buffer_byte(to->out, '}');
    return true;
}

static void put_object(const struct printing *to, const struct json *object)
{
    if (put_of_tier(to, object) || put_payment(to, object))
        return;
    buffer_byte(to->out, '{');
    for (const struct json *member = json_first(object); member; member = json_next(member)) {
        if (member != json_first(object))
            buffer_byte(to->out, ' ');
        put_safe(to->out, text_of(json_key(member)));
        buffer_byte(to->out, '=');
        put_value(to, member);
    }
    buffer_byte(to->out, '}');
}

/* "1-3,7": numbers that follow each other are drawn together. */
static void put_array(const struct printing *to, const struct json *array)
{
    for (const struct json *item = json_first(array); item;) {
        int64_t first, last, next;
        if (item != json_first(array))
            buffer_byte(to->out, ',');
        if (!json_i64(item, &first)) {
            put_value(to, item);
            item = json_next(item);
            continue;
        }
        last = first;
        item = json_next(item);
        while (item && json_i64(item, &next) && next == last + 1) {
            last = next;
            item = json_next(item);
        }
        put_range(to, first, last);
    }
}

static void put_value(const struct printing *to, const struct json *value)
{
    struct text text;
    int64_t number;
    bool truth;
    if (json_text(value, &text)) {
        bool quoted = text.size == 0 || memchr(text.data, ' ', text.size);
        buffer_string(to->out, quoted ? "'" : "");
        put_safe(to->out, text);
        buffer_string(to->out, quoted ? "'" : "");
    } else if (json_i64(value, &number)) {
        buffer_i64(to->out, number);
    } else if (json_bool(value, &truth)) {
        buffer_string(to->out, truth ? "true" : "false");
    } else if (json_is_array(value)) {
        put_array(to, value);
    } else if (json_is_object(value)) {
        put_object(to, value);
    } else {
        buffer_string(to->out, "?");
    }
}

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name), end_size = strlen(end);
    return size > end_size && strcmp(name + size - end_size, end) == 0;
}

static bool is_time(const char *name)
{
    return ends_with(name, "_at_ms") || ends_with(name, "_by_ms") || ends_with(name, "_until_ms");
}

static void put_member(const struct printing *to, const struct json *member)
{
    char time[RFC3339_SIZE];
    int64_t number;
    const char *name = json_key(member);
    bool whole = json_i64(member, &number);
    bool moment = whole && is_time(name) && number >= 0 && number <= TIME_MS_MAX;
    bool money = whole && strcmp(name, "amount_minor") == 0 && number >= 0;
    size_t cut = moment ? strlen("_ms") : money ? strlen("_minor") : 0;
    buffer_byte(to->out, ' ');
    put_safe(to->out, text_from(name, strlen(name) - cut));
    buffer_byte(to->out, '=');
    if (moment)
        buffer_string(to->out, rfc3339_print(number, time));
    else if (money)
        words_money(to->out, number, to->currency);
    else
        put_value(to, member);
}

static void put_seats(struct buffer *out, const struct json *after)
{
    static const char *const names[] = {"held", "sold", "blocked", "free", "oversold_by"};
    int64_t number;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_i64(json_member(after, names[i]), &number) && (number || i == 3))
            buffer_print(out, " %s:%lld", names[i], (long long)number);
    if (json_i64(json_member(after, "capacity"), &number))
        buffer_print(out, "/%lld", (long long)number);
}

static void put_fields(struct buffer *out, struct text value)
{
    const char *problem;
    size_t at;
    struct json *document = json_parse(value, &problem, &at);
    if (document == NULL) {
        buffer_print(out, " (%zu bytes: %s)", value.size, problem);
        return;
    }
    if (json_is_object(document)) {
        struct printing to = {out, {NULL, 0}};
        text_member(document, "currency", &to.currency);
        for (const struct json *member = json_first(document); member; member = json_next(member))
            if (!boring(json_key(member)))
                put_member(&to, member);
        const struct json *after = json_member(document, "after");
        if (after && json_is_object(after))
            put_seats(out, after);
    }
    json_free(document);
}

static void put_time(struct buffer *out, int64_t at_ms)
{
    char time[RFC3339_SIZE];
    at_ms = at_ms < 0 || at_ms > TIME_MS_MAX ? 0 : at_ms;
    struct text text = text_of(rfc3339_print(at_ms, time));
    buffer_text(out, text_from(text.data + 11, text.size - 12)); /* without the day and the Z */
    buffer_byte(out, ' ');
}

void tail_print_line(enum follower_news news, const struct follower_item *item, struct buffer *out)
{
    put_time(out, item->record->append_ms);
    size_t start = out->size;
    buffer_print(out, "%s/%d@%lld", topic_name(item->place.topic), item->place.partition,
                 (long long)item->place.offset);
    pad(out, start, PLACE_COLUMN);
    start = out->size;
    put_safe(out, short_name(news, item));
    pad(out, start, NAME_COLUMN);
    if (news != FOLLOWER_MESSAGE) {
        buffer_print(out, "[%s%s%s] ", news_word(news), item->why ? ": " : "",
                     item->why ? item->why : "");
    }
    put_safe(out, item->record->key.data ? item->record->key : text_of("-"));
    put_fields(out, item->record->value);
    buffer_byte(out, '\n');
}

/* ---- for programs ---------------------------------------------------------------------------- */
/* A text that may be any bytes: as it is when it can stand in JSON, else left out. */
static void put_text(struct buffer *out, const char *name, struct text text)
{
    if (text.data == NULL)
        return;
    size_t at;
    struct buffer quoted = {0};
    json_put_text(&quoted, NULL, text);
    if (json_problem(buffer_view(&quoted), &at) == NULL)
        json_put_raw(out, name, buffer_view(&quoted));
    buffer_release(&quoted);
}

static void put_context(struct buffer *out, const struct follower_item *item)
{
    static const char *const headers[][2] = {
        {"ce_type", "type"},         {"ce_id", "id"},
        {"ce_time", "decided_at"},   {"ce_source", "source"},
        {"ce_causationid", "cause"}, {"ce_correlationid", "correlation"},
        {"ce_actor", "actor"},       {"traceparent", "traceparent"},
        {"sd_stamp", "stamp"},       {"sd_claim", "claim"},
        {"sd_source", "answers"},    {"sd_positions", "positions"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        put_text(out, headers[i][1], context(item, headers[i][0]));
}

/* In JSON a newline can only lie between values. */
static void put_on_one_line(struct buffer *out, struct text json)
{
    json_put_raw(out, "data", text_from("", 0));
    size_t start = out->size;
    buffer_text(out, json);
    for (size_t i = start; i < out->size; i++)
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
}

void tail_print_json(enum follower_news news, const struct follower_item *item, struct buffer *out)
{
    char time[RFC3339_SIZE];
    int64_t at_ms = item->record->append_ms;
    size_t at;
    at_ms = at_ms < 0 || at_ms > TIME_MS_MAX ? 0 : at_ms;
    json_put_open(out, NULL, '{');
    json_put_text(out, "time", text_of(rfc3339_print(at_ms, time)));
    json_put_text(out, "topic", text_of(topic_name(item->place.topic)));
    json_put_i64(out, "partition", item->place.partition);
    json_put_i64(out, "offset", item->place.offset);
    json_put_text(out, "verdict", text_of(news_word(news)));
    if (item->why)
        put_text(out, "why", text_of(item->why));
    put_text(out, "name", short_name(news, item));
    put_text(out, "key", item->record->key);
    put_context(out, item);
    if (item->record->value.size && json_problem(item->record->value, &at) == NULL)
        put_on_one_line(out, item->record->value);
    else
        put_text(out, "text", item->record->value);
    json_put_i64(out, "size", (int64_t)item->record->value.size);
    json_put_close(out, '}');
    buffer_byte(out, '\n');
}
