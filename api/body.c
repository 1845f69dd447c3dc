/* Strict bodies: what is there must be asked for, and what is asked for must be of its type. */
#include "api/body.h"

#include "api/problem.h"
#include "base/rfc3339.h"
#include "schemas/codec.h"
#include "schemas/ticket.h"

#include <stdio.h>
#include <string.h>

static bool fail(struct body *body, const char *pointer, const char *what)
{
    if (body->good)
        problem_field(body->request, pointer, "%s", what);
    body->good = false;
    return false;
}

static bool fail_member(struct body *body, const char *name, const char *what)
{
    char pointer[160] = "/";
    view_set(pointer + 1, sizeof pointer - 1, text_of(name));
    return fail(body, pointer, what);
}

bool body_open(struct body *body, struct request *request, bool may_be_empty)
{
    const char *problem;
    size_t at;
    *body = (struct body){.request = request, .good = true};
    if (request->body.size == 0 && may_be_empty)
        return true;
    body->document = json_parse(buffer_view(&request->body), &problem, &at);
    if (body->document == NULL) {
        body->good = false;
        problem_answer(request, PROBLEM_invalid, "the body is not JSON: %s, at byte %zu", problem,
                       at);
        return false;
    }
    return json_is_object(body->document) || fail(body, "", "the body must be a JSON object");
}

bool body_close(struct body *body)
{
    const struct json *member = body->document && body->good ? json_first(body->document) : NULL;
    for (; member; member = json_next(member)) {
        int i = 0;
        while (i < body->known_count && strcmp(body->known[i], json_key(member)) != 0)
            i++;
        if (i < body->known_count)
            continue;
        fail_member(body, json_key(member), "is not known here");
        break;
    }
    json_free(body->document);
    body->document = NULL;
    return body->good;
}

static const struct json *member_of(struct body *body, const char *name)
{
    if (body->known_count < BODY_MEMBERS_MAX)
        body->known[body->known_count++] = name;
    return body->document && body->good ? json_member(body->document, name) : NULL;
}

bool body_require(struct body *body, const char *name, bool found)
{
    return found || fail_member(body, name, "is missing");
}

bool body_text(struct body *body, const char *name, struct text *value)
{
    const struct json *member = member_of(body, name);
    struct text text;
    if (member == NULL)
        return false;
    if (!json_text(member, &text))
        return fail_member(body, name, "must be a text");
    *value = arena_text(&body->request->arena, text);
    return true;
}

bool body_i64(struct body *body, const char *name, int64_t *value)
{
    const struct json *member = member_of(body, name);
    return member && (json_i64(member, value) || fail_member(body, name, "must be a whole number"));
}

bool body_bool(struct body *body, const char *name, bool *value)
{
    const struct json *member = member_of(body, name);
    return member && (json_bool(member, value) || fail_member(body, name, "must be true or false"));
}

bool body_time(struct body *body, const char *name, int64_t *value_ms)
{
    struct text text;
    if (!body_text(body, name, &text))
        return false;
    return rfc3339_parse(text, value_ms) ||
           fail_member(body, name, "must be a time like 2026-11-21T19:30:00Z");
}

bool body_refund(struct body *body, const char *name, enum refund *value)
{
    struct text word;
    return body_text(body, name, &word) &&
           (refund_named(word, value) || fail_member(body, name, "must be none or full"));
}

bool body_entry(struct body *body, const char *name, enum entry *value)
{
    struct text word;
    return body_text(body, name, &word) &&
           (entry_named(word, value) || fail_member(body, name, "must be in or out"));
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* The members of an item may be these and no others; NULL ends the list. */
static bool only(struct body *body, const char *path, const struct json *item,
                 const char *const *names)
{
    char pointer[160];
    if (!json_is_object(item))
        return fail(body, path, "must be an object");
    for (const struct json *member = json_first(item); member; member = json_next(member)) {
        int i = 0;
        while (names[i] && strcmp(names[i], json_key(member)) != 0)
            i++;
        if (names[i])
            continue;
        int size = snprintf(pointer, sizeof pointer, "%.60s/", path);
        view_set(pointer + size, sizeof pointer - (size_t)size, text_of(json_key(member)));
        return fail(body, pointer, "is not known here");
    }
    return true;
}

static bool item_text(struct body *body, const char *path, const struct json *item,
                      const char *name, struct text *value)
{
    char pointer[160];
    const struct json *member = json_member(item, name);
    struct text text;
    snprintf(pointer, sizeof pointer, "%.60s/%.60s", path, name);
    if (member == NULL || !json_text(member, &text))
        return fail(body, pointer, member ? "must be a text" : "is missing");
    *value = arena_text(&body->request->arena, text);
    return true;
}

static bool item_i64(struct body *body, const char *path, const struct json *item, const char *name,
                     int64_t *value)
{
    char pointer[160];
    const struct json *member = json_member(item, name);
    snprintf(pointer, sizeof pointer, "%.60s/%.60s", path, name);
    if (member == NULL || !json_i64(member, value))
        return fail(body, pointer, member ? "must be a whole number" : "is missing");
    return true;
}

static const struct json *list_of(struct body *body, const char *name, int max)
{
    const struct json *list = member_of(body, name);
    char what[64];
    if (list == NULL)
        return NULL;
    snprintf(what, sizeof what, "must be a list of 1 to %d", max);
    if (!json_is_array(list) || json_size(list) < 1 || json_size(list) > max) {
        fail_member(body, name, what);
        return NULL;
    }
    return list;
}

bool body_lines(struct body *body, struct lines *lines)
{
    static const char *const names[] = {"tier_id", "quantity", NULL};
    const struct json *list = list_of(body, "lines", LINES_MAX);
    char path[32];
    lines->count = 0;
    for (const struct json *item = list ? json_first(list) : NULL; item; item = json_next(item)) {
        struct line *line = &lines->items[lines->count];
        snprintf(path, sizeof path, "/lines/%d", lines->count++);
        line->unit_amount_minor = 0;
        if (!only(body, path, item, names) ||
            !item_text(body, path, item, "tier_id", &line->tier_id) ||
            !item_i64(body, path, item, "quantity", &line->quantity))
            return false;
    }
    return list != NULL;
}

bool body_tickets(struct body *body, const char *name, struct text reservation_id,
                  struct numbers *numbers)
{
    const struct json *list = list_of(body, name, NUMBERS_MAX);
    char pointer[160];
    int at = 0;
    *numbers = (struct numbers){{0}};
    for (const struct json *item = list ? json_first(list) : NULL; item;
         item = json_next(item), at++) {
        struct text text, of;
        int64_t number;
        snprintf(pointer, sizeof pointer, "/%.60s/%d", name, at);
        if (!json_text(item, &text) || !ticket_id_parse(text, &of, &number) ||
            !text_equal(of, reservation_id))
            return fail(body, pointer, "must be a ticket_id of this reservation");
        numbers_add(numbers, number);
    }
    return list != NULL;
}

/* {price: {amount_minor, currency}} as shows are shown, or amount_minor alone. */
static bool read_price(struct body *body, const char *path, const struct json *item,
                       int64_t *amount_minor, struct text *currency)
{
    static const char *const names[] = {"amount_minor", "currency", NULL};
    const struct json *price = json_member(item, "price");
    char inner[64];
    struct text found;
    if (price == NULL)
        return item_i64(body, path, item, "amount_minor", amount_minor);
    snprintf(inner, sizeof inner, "%.40s/price", path);
    if (!only(body, inner, price, names) ||
        !item_i64(body, inner, price, "amount_minor", amount_minor))
        return false;
    if (json_member(price, "currency") == NULL)
        return true;
    if (!item_text(body, inner, price, "currency", &found))
        return false;
    if (currency->size == 0)
        *currency = found;
    return text_equal(*currency, found) || fail(body, inner, "must be in the show's currency");
}

bool body_tiers(struct body *body, struct tiers *tiers, struct text *currency)
{
    static const char *const names[] = {"tier_id",      "name",     "price",
                                        "amount_minor", "capacity", NULL};
    const struct json *list = list_of(body, "tiers", TIERS_MAX);
    char path[32];
    tiers->count = 0;
    for (const struct json *item = list ? json_first(list) : NULL; item; item = json_next(item)) {
        struct tier *tier = &tiers->items[tiers->count];
        snprintf(path, sizeof path, "/tiers/%d", tiers->count++);
        tier->capacity = -1;
        if (!only(body, path, item, names) ||
            !item_text(body, path, item, "tier_id", &tier->tier_id) ||
            !item_text(body, path, item, "name", &tier->name) ||
            !read_price(body, path, item, &tier->amount_minor, currency))
            return false;
        if (json_member(item, "capacity") &&
            !item_i64(body, path, item, "capacity", &tier->capacity))
            return false;
    }
    return list != NULL;
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* How the log's path of a field reads in the body. */
static void print_pointer(const char *field, char *pointer, size_t size)
{
    static const char *const renamed[][2] = {{"holder/", ""},
                                             {"starts_at_ms", "starts_at"},
                                             {"until_at_ms", "until"},
                                             {"on_sale_at_ms", "on_sale_at"},
                                             {"off_sale_at_ms", "off_sale_at"},
                                             {"customer_cancel_until_ms", "customer_cancel_until"}};
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (strncmp(field, renamed[i][0], strlen(renamed[i][0])) == 0) {
            snprintf(pointer, size, "/%s%s", renamed[i][1], field + strlen(renamed[i][0]));
            return;
        }
    snprintf(pointer, size, "%s%s", field[0] ? "/" : "", field);
}

bool command_check(struct request *request, const struct message *command)
{
    static _Thread_local struct message decoded;
    struct buffer value = {0};
    struct codec_error error;
    char pointer[LABEL_SIZE_MAX + 8];
    codec_encode(command, &value);
    enum codec_result result =
        codec_decode(command->type, buffer_view(&value), &request->arena, &decoded, &error);
    buffer_release(&value);
    if (result == CODEC_OK)
        return true;
    print_pointer(error.field, pointer, sizeof pointer);
    problem_field(request, pointer, "%s", error.detail);
    return false;
}
