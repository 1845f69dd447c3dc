/* Steps are turned into JSON and read by the codec, so that a test can say nothing that a record
 * could not; outcomes are compared as JSON for the same reason. */
#include "tests/support/core_play.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "bus/envelope.h"
#include "schemas/json.h"
#include "schemas/shape.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAIRS_MAX = 32, REFUNDS_MAX = 16 };

/* An outcome, as later steps may name it. */
struct answer {
    enum message_type type;
    char id[64], cause_id[64], reservation_id[UUID_SIZE];
};

struct play {
    const struct service_descriptor *service;
    void *state;  /* as the owner's: applies what it decided */
    void *replay; /* as a successor's: applies what it read */
    struct arena arena;
    struct envelope envelope;
    struct message input, outcome;
    struct buffer said, bytes, again;
    int64_t now_ms, last_ms;
    int serial, decided;
    int refund_count;
    char refunds[REFUNDS_MAX][UUID_SIZE]; /* asked for by the core: f1, f2, … */
    struct answer **answers;              /* a list that grows */
    size_t answer_count;
    bool spoke; /* the last step had a message */
    const char *step;
    void (*watch)(void *user, const struct message *outcome);
    void *user;
    const struct message *heard; /* while it watches: what the outcome answers */
};

static struct play_seen seen;

#define FAIL(play, ...)                                                                            \
    do {                                                                                           \
        print_error("step: %s\n", (play)->step);                                                   \
        fail_msg(__VA_ARGS__);                                                                     \
    } while (0)

/* ---- words ----------------------------------------------------------------------------------- */

struct pair {
    struct text key, value;
};

struct pairs {
    int count;
    struct pair items[PAIRS_MAX];
};

static struct text next_word(struct text *rest)
{
    while (rest->size && rest->data[0] == ' ')
        rest->data++, rest->size--;
    return text_cut(rest, ' ');
}

static bool short_name(struct text word, char letter)
{
    uint64_t number;
    return word.size > 1 && word.data[0] == letter &&
           text_to_u64((struct text){word.data + 1, word.size - 1}, &number);
}

/* The field that a word stands for by itself; NULL: it is no short form. */
static const char *field_of_short(struct text word)
{
    struct text number = word, id = text_cut(&number, '-');
    uint64_t k;
    if (number.data)
        return short_name(id, 'r') && text_to_u64(number, &k) ? "ticket_id" : NULL;
    return short_name(word, 'r')   ? "reservation_id"
           : short_name(word, 'p') ? "payment_id"
           : short_name(word, 'f') ? "refund_id"
           : short_name(word, 's') ? "show_id"
                                   : NULL;
}

/* The rest of a line after its message: words as key and value. */
static struct pairs read_pairs(struct play *play, struct text rest)
{
    struct pairs pairs = {0};
    for (;;) {
        struct text word = next_word(&rest);
        if (word.size == 0)
            return pairs;
        struct pair *pair = &pairs.items[pairs.count++];
        assert_in_range(pairs.count, 1, PAIRS_MAX);
        struct text value = word, key = text_cut(&value, '=');
        const char *field = field_of_short(word);
        if (value.data)
            *pair = (struct pair){key, value};
        else if (field)
            *pair = (struct pair){text_of(field), word};
        else
            FAIL(play, "'%.*s' is no short form", TEXT_PRINT(word));
    }
}

static const struct text *find_pair(const struct pairs *pairs, const char *key)
{
    for (int i = 0; i < pairs->count; i++)
        if (text_is(pairs->items[i].key, key))
            return &pairs->items[i].value;
    return NULL;
}

/* ---- values as JSON -------------------------------------------------------------------------- */

/* "600" or "600.001": seconds since the curtain rose. */
static int64_t read_time(struct play *play, struct text text)
{
    struct text rest = text, whole = text_cut(&rest, '.');
    int64_t seconds, milliseconds = 0;
    while (rest.size > 1 && rest.data[0] == '0')
        rest.data++, rest.size--;
    if (!text_to_i64(whole, &seconds) || (rest.data && !text_to_i64(rest, &milliseconds)))
        FAIL(play, "'%.*s' is no time", TEXT_PRINT(text));
    return PLAY_START_MS + seconds * 1000 + milliseconds;
}

/* The id that r1, p1 or f1 stands for; false: it is no such name. */
static bool put_id(const struct play *play, struct text value, struct buffer *out)
{
    static const char letters[] = "rpf";
    for (int i = 0; letters[i]; i++) {
        if (!short_name(value, letters[i]))
            continue;
        int number = (int)strtol(value.data + 1, NULL, 10);
        if (letters[i] == 'f' && number >= 1 && number <= play->refund_count)
            buffer_string(out, play->refunds[number - 1]);
        else
            buffer_print(out, "%c0000000-0000-4000-8000-%012d", "abc"[i], number);
        return true;
    }
    return false;
}

/* The id that "^c9", "^SeatsHeld" or "^SeatsHeld:r2" stands for; any other word is one itself. */
static struct text read_id(struct play *play, struct text word)
{
    struct buffer id = {0};
    const char *found = NULL;
    if (word.size == 0 || word.data[0] != '^')
        return word;
    struct text rest = {word.data + 1, word.size - 1}, name = text_cut(&rest, ':');
    if (rest.data && !put_id(play, rest, &id))
        FAIL(play, "'%.*s' is no reservation", TEXT_PRINT(rest));
    for (size_t i = play->answer_count; i > 0 && found == NULL; i--) {
        const struct answer *answer = play->answers[i - 1];
        bool named = text_is(name, message_name(answer->type)) || text_is(name, answer->cause_id);
        if (named && (rest.data == NULL || text_is(buffer_view(&id), answer->reservation_id)))
            found = answer->id;
    }
    if (found == NULL)
        FAIL(play, "there was no outcome '%.*s'", TEXT_PRINT(word));
    buffer_release(&id);
    return text_of(found);
}

static void put_word(struct play *play, struct text value, struct buffer *out)
{
    struct buffer id = {0};
    char digit = value.size ? value.data[0] : '\0';
    bool number = (digit >= '0' && digit <= '9') || text_is(value, "true") ||
                  text_is(value, "false") || digit == '[';
    if (digit == 'T' && value.size > 1 && value.data[1] >= '0' && value.data[1] <= '9')
        buffer_i64(out, read_time(play, (struct text){value.data + 1, value.size - 1}));
    else if (put_id(play, value, &id))
        buffer_print(out, "\"%s\"", id.data);
    else if (number)
        buffer_text(out, value);
    else
        buffer_print(out, "\"%.*s\"", TEXT_PRINT(value));
    buffer_release(&id);
}

/* "r1-2" */
static void put_ticket_id(const struct play *play, struct text value, struct buffer *out)
{
    struct text number = value, id = text_cut(&number, '-');
    buffer_byte(out, '"');
    if (put_id(play, id, out))
        buffer_print(out, "-%.*s", TEXT_PRINT(number));
    else
        buffer_text(out, value);
    buffer_byte(out, '"');
}

/* "1+3" */
static void put_numbers(struct text value, struct buffer *out)
{
    struct text rest = value;
    buffer_byte(out, '[');
    do {
        buffer_text(out, text_cut(&rest, '+'));
        if (rest.size)
            buffer_byte(out, ',');
    } while (rest.size);
    buffer_byte(out, ']');
}

static void put_members(struct play *play, struct text item, const char *const *names,
                        const char *const *defaults, struct buffer *out)
{
    buffer_byte(out, '{');
    for (int i = 0; names[i]; i++) {
        struct text part = text_cut(&item, ':');
        if (part.size == 0 && defaults[i] == NULL)
            continue;
        buffer_print(out, "%s\"%s\":", i ? "," : "", names[i]);
        put_word(play, part.size ? part : text_of(defaults[i]), out);
    }
    buffer_byte(out, '}');
}

/* "a:1,b:2" as a list of objects; one object without `list`. */
static void put_items(struct play *play, struct text value, bool list, const char *const *names,
                      const char *const *defaults, struct buffer *out)
{
    struct text rest = value;
    if (list)
        buffer_byte(out, '[');
    do {
        put_members(play, text_cut(&rest, ','), names, defaults, out);
        if (rest.size)
            buffer_byte(out, ',');
    } while (rest.size);
    if (list)
        buffer_byte(out, ']');
}

static void put_value(struct play *play, const struct member *member, struct text value,
                      struct buffer *out)
{
    static const char *const tier[] = {"tier_id", "amount_minor", "capacity", "name", NULL};
    static const char *const wanted[] = {"tier_id", "quantity", NULL};
    static const char *const line[] = {"tier_id", "quantity", "unit_amount_minor", NULL};
    static const char *const ticket[] = {"tier_id", "first", "count", NULL};
    static const char *const payment[] = {
        "payment_id", "method", "amount_minor", "currency", "provider_ref", "provider", NULL};
    static const char *const none[] = {NULL, NULL, NULL, NULL, NULL, NULL};
    value = read_id(play, value);
    switch ((int)member->kind) {
    case KIND_TIERS:
        put_items(play, value, true, tier, (const char *const[]){NULL, "0", NULL, "Seats"}, out);
        return;
    case KIND_WANTED:
        put_items(play, value, true, wanted, (const char *const[]){NULL, "1"}, out);
        return;
    case KIND_LINES:
        put_items(play, value, true, line, (const char *const[]){NULL, "1", "1500"}, out);
        return;
    case KIND_TICKETS:
        put_items(play, value, true, ticket, none, out);
        return;
    case KIND_NUMBERS:
        put_numbers(value, out);
        return;
    case KIND_TICKET_ID:
        put_ticket_id(play, value, out);
        return;
    case KIND_PAYMENT:
        put_items(play, value, false, payment,
                  (const char *const[]){NULL, "cash", "1500", "EUR", NULL, NULL}, out);
        return;
    case KIND_HOLDER:
        buffer_print(out, "{\"name\":\"%.*s\"}", TEXT_PRINT(value));
        return;
    case KIND_FINGERPRINT:
        buffer_print(out, "\"%016d\"", (int)strtol(value.data, NULL, 10));
        return;
    case KIND_AFTER:
        buffer_text(out, value);
        return;
    }
    bool short_uuid = member->kind == KIND_UUID && value.size < UUID_SIZE - 1;
    if (kind_row(member->kind)->family == FAMILY_TEXT && !short_uuid)
        buffer_print(out, "\"%.*s\"", TEXT_PRINT(value));
    else
        put_word(play, value, out);
}

/* What a message needs and nobody said. */
static const char *default_of(const struct member *member)
{
    static const struct {
        const char *json, *value;
    } named[] = {
        {"show_id", "s1"},     {"payment_id", "p1"}, {"starts_at_ms", "T864000"},
        {"block_id", "house"}, {"capacity", "10"},   {"refund_id", "f1"},
        {"list_id", "door"},   {"nonce", "n1"},      {"provider", "bank"},
        {NULL, NULL},
    };
    static const char *const by_kind[KIND_COUNT] = {
        [KIND_ID] = "standard",
        [KIND_UUID] = "r1",
        [KIND_TICKET_ID] = "r1-1",
        [KIND_NAME] = "Tempest",
        [KIND_NOTE] = "why",
        [KIND_LABEL] = "x",
        [KIND_CURRENCY] = "EUR",
        [KIND_TIME] = "T600",
        [KIND_AMOUNT] = "1500",
        [KIND_SEATS] = "0",
        [KIND_QUANTITY] = "1",
        [KIND_HOLD_TTL] = "600",
        [KIND_PAY_WINDOW] = "600",
        [KIND_COUNTER] = "1",
        [KIND_BOOL] = "false",
        [KIND_CHANNEL] = "web",
        [KIND_BY] = "customer",
        [KIND_REFUND] = "full",
        [KIND_METHOD] = "cash",
        [KIND_EXPECT] = "hold",
        [KIND_ENTRY] = "in",
        [KIND_RESULT] = "succeeded",
        [KIND_REPAID] = "completed",
        [KIND_CAUSE] = "checkout",
        [KIND_REASON] = "gone",
        [KIND_HOLDER] = "Eve",
        [KIND_WANTED] = "standard:1",
        [KIND_LINES] = "standard:1:1500",
        [KIND_TICKETS] = "standard:1:1",
        [KIND_NUMBERS] = "1",
        [KIND_PAYMENT] = "p1:cash:1500:EUR",
        [KIND_TIERS] = "standard:1500",
        [KIND_AFTER] = "{\"capacity\":10,\"held\":0,\"sold\":0,\"blocked\":0,\"free\":10,"
                       "\"oversold_by\":0,\"tiers\":"
                       "[{\"tier_id\":\"standard\",\"held\":0,\"sold\":0}]}",
    };
    for (int i = 0; named[i].json; i++)
        if (strcmp(named[i].json, member->json) == 0)
            return named[i].value;
    return by_kind[member->kind];
}

static const struct member *member_named(enum message_type type, struct text json)
{
    struct shape shape = message_shape(type);
    for (int i = 0; i < shape.count; i++)
        if (text_is(json, shape.members[i].json))
            return &shape.members[i];
    return NULL;
}

/* ---- saying ---------------------------------------------------------------------------------- */

/* What shows always says when it extends for a checkout, which is not needed of other causes. */
static bool always_there(enum message_type type, const struct member *member,
                         const struct pairs *pairs)
{
    const struct text *cause = find_pair(pairs, "cause");
    return type == MESSAGE_HoldExtended && (cause == NULL || text_is(*cause, "checkout")) &&
           (member->kind == KIND_AMOUNT || member->kind == KIND_CURRENCY ||
            strcmp(member->json, "pay_by_ms") == 0);
}

static void say_members(struct play *play, enum message_type type, const struct pairs *pairs)
{
    struct shape shape = message_shape(type);
    buffer_clear(&play->said);
    buffer_byte(&play->said, '{');
    for (int i = 0; i < shape.count; i++) {
        const struct member *member = &shape.members[i];
        const struct text *given = find_pair(pairs, member->json);
        if (given == NULL && !member->required && !always_there(type, member, pairs))
            continue;
        buffer_print(&play->said, "%s\"%s\":", play->said.size > 1 ? "," : "", member->json);
        put_value(play, member, given ? *given : text_of(default_of(member)), &play->said);
    }
    buffer_byte(&play->said, '}');
    for (int i = 0; i < pairs->count; i++)
        if (!member_named(type, pairs->items[i].key) && !text_is(pairs->items[i].key, "id") &&
            !text_is(pairs->items[i].key, "cause_id") && !text_is(pairs->items[i].key, "actor"))
            FAIL(play, "%s has no '%.*s'", message_name(type), TEXT_PRINT(pairs->items[i].key));
}

/* The message of a step, as the envelope would have read it. */
static void say(struct play *play, struct text name, struct text rest)
{
    enum message_type type = message_named(name);
    struct message *input = &play->input;
    struct codec_error error;
    char fingerprint[17];
    if (type == MESSAGE_NONE)
        FAIL(play, "there is no message '%.*s'", TEXT_PRINT(name));
    struct pairs pairs = read_pairs(play, rest);
    say_members(play, type, &pairs);
    if (codec_decode(type, buffer_view(&play->said), &play->arena, input, &error) != CODEC_OK)
        FAIL(play, "%s: '%s': %s", play->said.data, error.field, error.detail);
    const struct text *id = find_pair(&pairs, "id"), *actor = find_pair(&pairs, "actor");
    const struct text *cause_id = find_pair(&pairs, "cause_id");
    bool command = message_role(type) == ROLE_COMMAND;
    if (cause_id)
        input->cause_id = arena_text(&play->arena, read_id(play, *cause_id));
    input->id = id ? arena_text(&play->arena, *id)
                   : arena_print(&play->arena, "%s%d", command ? "c-" : "e-", ++play->serial);
    input->actor = actor ? arena_text(&play->arena, *actor) : (struct text){NULL, 0};
    if (command && !message_has(input, fingerprint)) {
        envelope_fingerprint(buffer_view(&play->said), fingerprint);
        message_set(input, fingerprint, arena_text(&play->arena, text_of(fingerprint)));
    }
}

/* ---- deciding and applying ------------------------------------------------------------------- */

/* One decision on one state: false for none, else its value in `bytes`. `input` NULL: what is due.
 */
static bool decide(struct play *play, const void *state, const struct message *input,
                   int64_t now_ms, struct message *outcome, struct buffer *bytes)
{
    memset(outcome, 0xa5, sizeof *outcome); /* whoever reads what was not set shall stumble */
    outcome->arena = &play->arena;
    bool any = input ? play->service->decide(state, input, now_ms, outcome)
                     : play->service->due(state, now_ms, outcome);
    buffer_clear(bytes);
    if (any) {
        buffer_string(bytes, message_name(outcome->type));
        codec_encode(outcome, bytes);
    }
    return any;
}

static bool decide_thrice(struct play *play, const struct message *input, int64_t now_ms)
{
    struct message *other = arena_take(&play->arena, sizeof *other);
    const void *states[] = {play->state, play->replay};
    bool any = decide(play, play->state, input, now_ms, &play->outcome, &play->bytes);
    for (int i = 0; i < 2; i++) {
        if (decide(play, states[i], input, now_ms, other, &play->again) != any ||
            !text_equal(buffer_view(&play->bytes), buffer_view(&play->again)))
            FAIL(play, "%s: decided first %s, then %s", i ? "replay differs" : "deciding acts",
                 any ? play->bytes.data : "none", play->again.size ? play->again.data : "none");
    }
    return any;
}

static void complete(struct play *play, const struct message *input, int64_t now_ms)
{
    struct message *outcome = &play->outcome;
    outcome->id = arena_print(&play->arena, "%s/0/7-00000000000000aa.%d", play->service->name,
                              ++play->decided);
    outcome->at_ms = now_ms;
    if (input == NULL)
        return;
    outcome->cause_id = input->id;
    outcome->actor = input->actor;
}

/* A refund has its id from the core: it is called by the order in which it was first asked for. */
static void name_refund(struct play *play, struct text refund_id)
{
    for (int i = 0; i < play->refund_count; i++)
        if (text_is(refund_id, play->refunds[i]))
            return;
    if (play->refund_count < REFUNDS_MAX)
        snprintf(play->refunds[play->refund_count++], UUID_SIZE, "%.*s", TEXT_PRINT(refund_id));
}

static void remember_answer(struct play *play, const struct message *outcome)
{
    struct answer *answer = memory_new(sizeof *answer);
    answer->type = outcome->type;
    snprintf(answer->id, sizeof answer->id, "%.*s", TEXT_PRINT(outcome->id));
    snprintf(answer->cause_id, sizeof answer->cause_id, "%.*s", TEXT_PRINT(outcome->cause_id));
    if (message_has(outcome, reservation_id))
        snprintf(answer->reservation_id, sizeof answer->reservation_id, "%.*s",
                 TEXT_PRINT(outcome->reservation_id));
    play->answers = memory_append(play->answers, play->answer_count++, answer);
}

/* What a successor reads: the record, and nothing else. Its memory is gone afterwards. */
static void apply_read(struct play *play)
{
    struct place place = {play->service->output, 0, play->decided};
    struct arena arena = {0};
    struct message *read = memory_new(sizeof *read);
    struct codec_error error;
    envelope_open(&play->envelope, &play->outcome, play->service->speaker);
    if (envelope_read(envelope_close(&play->envelope), &place, &arena, read, &error) != ENVELOPE_OK)
        FAIL(play, "cannot read %s back: '%s': %s", play->bytes.data, error.field, error.detail);
    assert_int_equal(read->at_ms, play->outcome.at_ms);
    play->service->apply(play->replay, read);
    arena_release(&arena);
    memory_free(read);
}

static const struct message *commit(struct play *play, const struct message *input, int64_t now_ms)
{
    struct message *outcome = &play->outcome;
    if (!service_allows(play->service, input ? input->type : MESSAGE_NONE, outcome->type))
        FAIL(play, "%s is not declared for this input", message_name(outcome->type));
    complete(play, input, now_ms);
    play->last_ms = now_ms;
    seen.types[outcome->type]++;
    if (message_has(outcome, code))
        seen.codes[outcome->code]++;
    if (message_has(outcome, reason))
        seen.reasons[outcome->reason]++;
    if (outcome->type == MESSAGE_RefundRequested)
        name_refund(play, outcome->refund_id);
    remember_answer(play, outcome);
    play->heard = input;
    if (play->watch)
        play->watch(play->user, outcome);
    apply_read(play);
    /* The texts of an outcome may lie in the state: a copy for the caller comes from the bytes. */
    play->service->apply(play->state, outcome);
    struct message *copy = arena_take(&play->arena, sizeof *copy);
    struct codec_error error;
    struct text value = {play->bytes.data + strlen(message_name(outcome->type)), 0};
    value.size = play->bytes.size - strlen(message_name(outcome->type));
    assert_int_equal(codec_decode(outcome->type, value, &play->arena, copy, &error), CODEC_OK);
    copy->id = outcome->id;
    copy->cause_id = outcome->cause_id;
    copy->actor = outcome->actor;
    copy->at_ms = outcome->at_ms;
    return copy;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static const struct message *pass_time(struct play *play)
{
    const struct message *last = NULL;
    if (play->service->due_at == NULL)
        return NULL;
    for (;;) {
        int64_t due_ms = play->service->due_at(play->state);
        assert_int_equal(play->service->due_at(play->replay), due_ms);
        if (due_ms > play->now_ms) {
            assert_false(decide_thrice(play, NULL, play->now_ms));
            return last;
        }
        int64_t now_ms = later(due_ms, play->last_ms);
        if (!decide_thrice(play, NULL, now_ms))
            FAIL(play, "something is due, and nothing is decided");
        last = commit(play, NULL, now_ms);
    }
}

static const struct message *take(struct play *play, struct text step)
{
    arena_release(&play->arena); /* what was kept without a copy is found out */
    struct text rest = step, word = next_word(&rest);
    if (word.size && word.data[0] == '@') {
        play->now_ms = read_time(play, (struct text){word.data + 1, word.size - 1});
        word = next_word(&rest);
    }
    const struct message *last = pass_time(play);
    play->spoke = word.size > 0;
    if (!play->spoke)
        return last;
    say(play, word, rest);
    int64_t now_ms = later(play->now_ms, play->last_ms);
    return decide_thrice(play, &play->input, now_ms) ? commit(play, &play->input, now_ms) : NULL;
}

/* ---- expecting ------------------------------------------------------------------------------- */

/* Everything in `expected` is in `value` too. */
static bool json_contains(const struct json *value, const struct json *expected)
{
    struct text a, b;
    int64_t m, n;
    bool s, t;
    if (value == NULL)
        return false;
    if (json_is_object(expected)) {
        for (const struct json *at = json_first(expected); at; at = json_next(at))
            if (!json_contains(json_member(value, json_key(at)), at))
                return false;
        return true;
    }
    if (json_is_array(expected)) {
        const struct json *other = json_first(value);
        for (const struct json *at = json_first(expected); at;
             at = json_next(at), other = json_next(other))
            if (!json_contains(other, at))
                return false;
        return json_size(value) == json_size(expected);
    }
    if (json_text(expected, &a))
        return json_text(value, &b) && text_equal(a, b);
    if (json_i64(expected, &m))
        return json_i64(value, &n) && m == n;
    return json_bool(expected, &s) && json_bool(value, &t) && s == t;
}

/* "after.tiers.1.held" */
static const struct json *walk(const struct json *value, struct text path)
{
    while (path.size && value) {
        struct text part = text_cut(&path, '.');
        char name[64];
        uint64_t index;
        if (json_is_array(value) && text_to_u64(part, &index)) {
            value = json_first(value);
            for (; index && value; index--)
                value = json_next(value);
            continue;
        }
        snprintf(name, sizeof name, "%.*s", TEXT_PRINT(part));
        value = json_member(value, name);
    }
    return value;
}

static bool context_as(struct play *play, const struct message *outcome, const struct pair *pair)
{
    if (text_is(pair->key, "at_ms"))
        return outcome->at_ms ==
               read_time(play, (struct text){pair->value.data + 1, pair->value.size - 1});
    if (text_is(pair->key, "cause_id"))
        return text_equal(outcome->cause_id, read_id(play, pair->value)) ||
               (text_is(pair->value, "-") && outcome->cause_id.size == 0);
    return text_equal(outcome->actor, pair->value) ||
           (text_is(pair->value, "-") && outcome->actor.size == 0);
}

static bool as_expected(struct play *play, const struct message *outcome, const struct json *got,
                        const struct pair *pair)
{
    struct buffer text = {0};
    const char *problem;
    size_t at;
    if (text_is(pair->key, "at_ms") || text_is(pair->key, "cause_id") ||
        text_is(pair->key, "actor"))
        return context_as(play, outcome, pair);
    const struct json *value = walk(got, pair->key);
    const struct member *member = member_named(outcome->type, pair->key);
    if (text_is(pair->value, "-"))
        return value == NULL;
    if (member)
        put_value(play, member, pair->value, &text);
    else
        put_word(play, pair->value, &text);
    struct json *expected = json_parse(buffer_view(&text), &problem, &at);
    if (expected == NULL)
        FAIL(play, "'%s' is not JSON: %s", text.data, problem);
    bool good = json_contains(value, expected);
    json_free(expected);
    buffer_release(&text);
    return good;
}

static void expect(struct play *play, const struct message *outcome, struct text expectation)
{
    struct text rest = expectation, name = next_word(&rest);
    struct buffer bytes = {0};
    const char *problem;
    size_t at;
    const char *was = outcome ? message_name(outcome->type) : "none";
    if (outcome)
        codec_encode(outcome, &bytes);
    if (!text_is(name, was))
        FAIL(play, "expected %.*s, was %s %s", TEXT_PRINT(expectation), was,
             bytes.size ? bytes.data : "");
    if (outcome == NULL)
        return;
    struct pairs pairs = read_pairs(play, rest);
    struct json *got = json_parse(buffer_view(&bytes), &problem, &at);
    assert_non_null(got);
    for (int i = 0; i < pairs.count; i++)
        if (!as_expected(play, outcome, got, &pairs.items[i]))
            FAIL(play, "expected %s %.*s=%.*s, was %s", was, TEXT_PRINT(pairs.items[i].key),
                 TEXT_PRINT(pairs.items[i].value), bytes.data);
    json_free(got);
    buffer_release(&bytes);
}

static bool is_refusal(enum message_type type)
{
    switch ((int)type) {
    case MESSAGE_Refused:
    case MESSAGE_HoldRejected:
    case MESSAGE_ResizeRejected:
    case MESSAGE_ExtensionRejected:
    case MESSAGE_SaleRejected:
    case MESSAGE_ReleaseRejected:
    case MESSAGE_CheckInRejected:
        return true;
    }
    return false;
}

/* ---- the rehearsal --------------------------------------------------------------------------- */

struct play *play_open(const struct service_descriptor *service)
{
    struct play *play = memory_new(sizeof *play);
    play->service = service;
    play->state = service->state_new();
    play->replay = service->state_new();
    play->now_ms = PLAY_START_MS;
    play->step = "";
    return play;
}

void play_close(struct play *play)
{
    play->service->state_free(play->state);
    play->service->state_free(play->replay);
    for (size_t i = 0; i < play->answer_count; i++)
        memory_free(play->answers[i]);
    memory_free(play->answers);
    arena_release(&play->arena);
    envelope_release(&play->envelope);
    buffer_release(&play->said);
    buffer_release(&play->bytes);
    buffer_release(&play->again);
    memory_free(play);
}

void play_watch(struct play *play, void (*watch)(void *user, const struct message *outcome),
                void *user)
{
    play->watch = watch;
    play->user = user;
}

const struct message *play_heard(const struct play *play)
{
    return play->heard;
}

const struct message *play_step(struct play *play, const char *step)
{
    play->step = step;
    return take(play, text_of(step));
}

const struct message *play_message(struct play *play, const char *step)
{
    struct text rest = text_of(step), word = next_word(&rest);
    play->step = step;
    arena_release(&play->arena);
    say(play, word, rest);
    return &play->input;
}

/* Before "->", and after it. */
static struct text cut_expectation(struct text step, struct text *expectation)
{
    *expectation = (struct text){NULL, 0};
    for (size_t i = 0; i + 1 < step.size; i++)
        if (step.data[i] == '-' && step.data[i + 1] == '>') {
            *expectation = (struct text){step.data + i + 2, step.size - i - 2};
            step.size = i;
        }
    return step;
}

const struct message *play_script(struct play *play, const char *script)
{
    const struct message *last = NULL;
    struct text rest = text_of(script);
    play->step = script;
    while (rest.size) {
        struct text expectation;
        struct text step = cut_expectation(text_cut(&rest, ';'), &expectation);
        last = take(play, step);
        if (expectation.data)
            expect(play, last, expectation);
        else if (play->spoke && (last == NULL || is_refusal(last->type)))
            FAIL(play, "'%.*s' had no effect: %s", TEXT_PRINT(step),
                 last ? play->bytes.data : "none");
    }
    return last;
}

void play_expect(struct play *play, const struct message *outcome, const char *expectation)
{
    expect(play, outcome, text_of(expectation));
}

void play_apply(struct play *play, const struct message *outcome)
{
    play->outcome = *outcome;
    play->decided++;
    apply_read(play);
    play->service->apply(play->state, outcome);
}

const void *play_state(const struct play *play)
{
    return play->state;
}

int64_t play_now_ms(const struct play *play)
{
    return play->now_ms;
}

void play_table(const struct service_descriptor *service, const struct play_row *rows, size_t count,
                const char *always)
{
    for (size_t i = 0; i < count; i++) {
        struct play *play = play_open(service);
        play_script(play, always);
        play_script(play, rows[i].given);
        const struct message *outcome = play_step(play, rows[i].when);
        play_expect(play, outcome, rows[i].then);
        play_close(play);
    }
}

/* ---- what was seen --------------------------------------------------------------------------- */

const struct play_seen *play_seen(void)
{
    return &seen;
}

static void check_seen(const char *what, const char *word, int times, const char *const *others)
{
    bool other = false;
    for (int i = 0; others[i]; i++)
        other = other || strcmp(others[i], word) == 0;
    if (times == 0 && !other)
        fail_msg("the %s '%s' was never seen", what, word);
    if (times > 0 && other)
        fail_msg("the %s '%s' is not for this core to say", what, word);
}

void play_expect_codes_seen(const char *const *others)
{
    for (unsigned i = 0; i < code_COUNT; i++)
        check_seen("code", code_name((enum code)i), seen.codes[i], others);
}

void play_expect_reasons_seen(const char *const *others)
{
    for (unsigned i = 0; i < reason_COUNT; i++)
        check_seen("reason", reason_name((enum reason)i), seen.reasons[i], others);
}
