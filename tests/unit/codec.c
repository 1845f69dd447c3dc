/* Every message, every field, every limit: between JSON and struct message.
 *
 * The documents are the examples of schemas/examples, taken apart into their members, with one
 * member left out or put another way. Run from the root of the source tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schemas/codec.h"
#include "schemas/json.h"
#include "schemas/shape.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARTS_MAX = 40 };

struct part {
    struct text name;
    struct text json; /* the value as it stands in the document */
};

/* An example: its compact bytes and where each member of the object lies in them. */
struct example {
    struct buffer bytes;
    struct part parts[PARTS_MAX];
    int count;
};

/* What one decoding gave; made anew for each. */
struct decoded {
    struct arena arena;
    struct message message;
    struct codec_error error;
    enum codec_result result;
};

static void decode(enum message_type type, struct text json, struct decoded *decoded)
{
    arena_reset(&decoded->arena);
    memset(&decoded->message, 0xa5, sizeof decoded->message); /* nothing may rely on zeros */
    decoded->result = codec_decode(type, json, &decoded->arena, &decoded->message, &decoded->error);
    assert_int_equal(decoded->message.type, type);
    assert_int_equal(decoded->result == CODEC_OK, decoded->error.detail[0] == '\0');
}

/* ---- examples taken apart -------------------------------------------------------------------- */

/* Drops the space between the tokens; what stands in strings stays. */
static void compact(struct text json, struct buffer *out)
{
    bool in_string = false;
    for (size_t i = 0; i < json.size; i++) {
        char c = json.data[i];
        if (c == '"')
            in_string = !in_string;
        if (in_string || !strchr(" \n", c))
            buffer_byte(out, c);
        if (c == '\\')
            buffer_byte(out, json.data[++i]);
    }
}

static void take_apart(struct example *example)
{
    const char *bytes = example->bytes.data;
    size_t start = 1, colon = 0;
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < example->bytes.size; i++) {
        char c = bytes[i];
        if (c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        if (in_string)
            continue;
        depth += c == '{' || c == '[';
        if (depth == 1 && c == ':' && colon < start)
            colon = i;
        if (depth == 1 && (c == ',' || c == '}')) {
            assert_true(example->count < PARTS_MAX);
            example->parts[example->count++] =
                (struct part){text_from(bytes + start + 1, colon - start - 2),
                              text_from(bytes + colon + 1, i - colon - 1)};
            start = i + 1;
        }
        depth -= c == '}' || c == ']';
    }
}

static void example_read(struct example *example, enum message_type type)
{
    char path[128], bytes[MESSAGE_SIZE_MAX];
    *example = (struct example){0};
    snprintf(path, sizeof path, "schemas/examples/%s.json", message_name(type));
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("cannot read '%s'; run me from the root of the source tree", path);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    compact(text_from(bytes, size), &example->bytes);
    take_apart(example);
}

static void example_release(struct example *example)
{
    buffer_release(&example->bytes);
}

/* The example with the member `name` as `json`, or, if that is NULL, without it. A member that the
 * example does not have is put at the end. */
static struct text with(const struct example *example, const char *name, const char *json,
                        struct buffer *out)
{
    bool found = false;
    buffer_clear(out);
    json_put_open(out, NULL, '{');
    for (int i = 0; i < example->count; i++) {
        bool here = text_is(example->parts[i].name, name);
        char key[64];
        snprintf(key, sizeof key, "%.*s", TEXT_PRINT(example->parts[i].name));
        found = found || here;
        if (!here)
            json_put_raw(out, key, example->parts[i].json);
        else if (json)
            json_put_raw(out, key, text_of(json));
    }
    if (!found && json)
        json_put_raw(out, name, text_of(json));
    json_put_close(out, '}');
    return buffer_view(out);
}

/* Decodes `type`'s example with one member changed, and expects `field` to be at fault, or none. */
static void expect(enum message_type type, const char *name, const char *json, const char *field)
{
    struct example example;
    struct buffer out = {0};
    struct decoded decoded = {0};
    example_read(&example, type);
    decode(type, with(&example, name, json, &out), &decoded);
    const char *at_fault = decoded.result == CODEC_INVALID ? decoded.error.field
                           : decoded.result == CODEC_OK    ? NULL
                                                           : "(undecodable)";
    if (!at_fault != !field || (field && strcmp(at_fault, field) != 0))
        fail_msg("%s with %s = %.200s: %s %s, expected %s", message_name(type), name,
                 json ? json : "(absent)", at_fault ? at_fault : "good", decoded.error.detail,
                 field ? field : "good");
    arena_release(&decoded.arena);
    buffer_release(&out);
    example_release(&example);
}

/* ---- whole messages -------------------------------------------------------------------------- */

static void codec__each_example_is_read(void **state)
{
    struct decoded decoded = {0};
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        struct example example;
        example_read(&example, (enum message_type)type);
        decode((enum message_type)type, buffer_view(&example.bytes), &decoded);
        if (decoded.result != CODEC_OK)
            fail_msg("%s: %s %s", message_name((enum message_type)type), decoded.error.field,
                     decoded.error.detail);
        struct shape shape = message_shape((enum message_type)type);
        int present = 0;
        for (int i = 0; i < FIELD_COUNT; i++)
            present += decoded.message.has[i];
        assert_int_equal(present, example.count); /* no member of an example is a stranger */
        for (int i = 0; i < shape.count; i++)
            if (shape.members[i].required)
                assert_true(decoded.message.has[shape.members[i].field]);
        example_release(&example);
    }
    arena_release(&decoded.arena);
}

static void codec__writes_the_bytes_it_read(void **state)
{
    struct decoded decoded = {0};
    struct buffer out = {0};
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        struct example example;
        example_read(&example, (enum message_type)type);
        decode((enum message_type)type, buffer_view(&example.bytes), &decoded);
        buffer_clear(&out);
        codec_encode(&decoded.message, &out);
        assert_string_equal(out.data, example.bytes.data);
        example_release(&example);
    }
    buffer_release(&out);
    arena_release(&decoded.arena);
}

static void codec__reads_members_in_any_order(void **state)
{
    struct decoded decoded = {0};
    struct buffer turned = {0}, out = {0};
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        struct example example;
        example_read(&example, (enum message_type)type);
        buffer_clear(&turned);
        json_put_open(&turned, NULL, '{');
        for (int i = example.count - 1; i >= 0; i--)
            buffer_print(&turned, "%s \"%.*s\" : %.*s", i < example.count - 1 ? " ,\n" : "",
                         TEXT_PRINT(example.parts[i].name), TEXT_PRINT(example.parts[i].json));
        json_put_close(&turned, '}');
        decode((enum message_type)type, buffer_view(&turned), &decoded);
        assert_int_equal(decoded.result, CODEC_OK);
        buffer_clear(&out);
        codec_encode(&decoded.message, &out);
        assert_string_equal(out.data, example.bytes.data);
        example_release(&example);
    }
    buffer_release(&turned);
    buffer_release(&out);
    arena_release(&decoded.arena);
}

static void codec__each_needed_field_is_missed(void **state)
{
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        struct shape shape = message_shape((enum message_type)type);
        for (int i = 0; i < shape.count; i++) {
            const char *name = shape.members[i].json;
            expect((enum message_type)type, name, NULL, shape.members[i].required ? name : NULL);
        }
    }
}

static void expect_wrong(enum message_type type, const struct member *member, const char *json)
{
    struct example example;
    struct buffer out = {0};
    struct decoded decoded = {0};
    example_read(&example, type);
    decode(type, with(&example, member->json, json, &out), &decoded);
    assert_int_equal(decoded.result, CODEC_INVALID);
    assert_true(text_starts(text_of(decoded.error.field), member->json));
    assert_false(decoded.message.has[member->field]);
    arena_release(&decoded.arena);
    buffer_release(&out);
    example_release(&example);
}

static void codec__no_field_may_be_null_or_of_another_type(void **state)
{
    static const char *const wrong[] = {"null", "\"\"", "\"\\n\"", "-1",
                                        "1.5",  "[]",   "[null]",  "{}"};
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        struct shape shape = message_shape((enum message_type)type);
        for (int i = 0; i < shape.count; i++)
            for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
                expect_wrong((enum message_type)type, &shape.members[i], wrong[k]);
    }
}

static void codec__unknown_fields_are_ignored(void **state)
{
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        expect((enum message_type)type, "stranger", "{\"show_id\":[null,{\"deep\":0.5}]}", NULL);
        expect((enum message_type)type, "SHOW_ID", "5", NULL);
    }
    expect(MESSAGE_RequestReservation, "holder", "{\"title\":null,\"name\":\"WDJ\",\"x\":1}", NULL);
    expect(MESSAGE_RequestReservation, "lines",
           "[{\"tier_id\":\"a\",\"quantity\":1,\"unit_amount_minor\":-5}]", NULL);
}

/* A field of another message is unknown here. */
static void codec__fields_of_other_messages_are_unknown(void **state)
{
    struct decoded decoded = {0};
    (void)state;
    decode(MESSAGE_Progress, text_of("{\"service\":\"shows\",\"seq\":-1,\"lines\":0}"), &decoded);
    assert_int_equal(decoded.result, CODEC_OK);
    assert_false(message_has(&decoded.message, seq));
    assert_false(message_has(&decoded.message, lines));
    arena_release(&decoded.arena);
}

static void codec__what_is_no_object_is_undecodable(void **state)
{
    static const char *const bad[] = {"",
                                      "null",
                                      "[]",
                                      "\"{}\"",
                                      "17",
                                      "{",
                                      "{}x",
                                      "{\"a\":1,\"a\":1}",
                                      "[{}]",
                                      "{]",
                                      "\xef\xbb\xbf{}",
                                      "{\"a\":\"\\u0000\"}",
                                      "{'a':1}"};
    struct decoded decoded = {0};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int type = 0; type < MESSAGE_COUNT; type += 7) {
            decode((enum message_type)type, text_of(bad[i]), &decoded);
            assert_int_equal(decoded.result, CODEC_UNDECODABLE);
            assert_string_equal(decoded.error.field, "");
            assert_non_null(strstr(decoded.error.detail, "the value is not"));
            for (int field = 0; field < FIELD_COUNT; field++)
                assert_false(decoded.message.has[field]);
        }
    arena_release(&decoded.arena);
}

static void codec__a_value_has_at_most_16_kib(void **state)
{
    struct decoded decoded = {0};
    struct buffer out = {0};
    (void)state;
    buffer_string(&out, "{\"service\":\"shows\"}");
    while (out.size < MESSAGE_SIZE_MAX)
        buffer_byte(&out, ' ');
    decode(MESSAGE_Progress, buffer_view(&out), &decoded);
    assert_int_equal(decoded.result, CODEC_OK);
    buffer_byte(&out, ' ');
    decode(MESSAGE_Progress, buffer_view(&out), &decoded);
    assert_int_equal(decoded.result, CODEC_UNDECODABLE);
    assert_string_equal(decoded.error.detail,
                        "the value has 16385 bytes; at most 16384 are allowed");
    buffer_release(&out);
    arena_release(&decoded.arena);
}

static void codec__tells_the_first_problem_and_keeps_the_good_fields(void **state)
{
    struct decoded decoded = {0};
    (void)state;
    decode(MESSAGE_SetBlock,
           text_of("{\"quantity\":-1,\"block_id\":\"\",\"show_id\":\"s\",\"note\":\"n\"}"),
           &decoded);
    assert_int_equal(decoded.result, CODEC_INVALID);
    assert_string_equal(decoded.error.field, "block_id"); /* first in messages.def */
    assert_string_equal(decoded.error.detail, "must be 1 to 64 of A-Z a-z 0-9 _ -");
    assert_true(message_has(&decoded.message, show_id));
    assert_true(text_is(decoded.message.show_id, "s"));
    assert_true(message_has(&decoded.message, note));
    assert_false(message_has(&decoded.message, block_id));
    assert_false(message_has(&decoded.message, block_quantity));
    arena_release(&decoded.arena);
}

static void codec__texts_outlive_the_document(void **state)
{
    char json[] = "{\"service\":\"sh\\u006fws\"}";
    struct decoded decoded = {0};
    (void)state;
    decode(MESSAGE_Progress, text_of(json), &decoded);
    memset(json, 'x', sizeof json);
    assert_string_equal(decoded.message.service.data, "shows");
    assert_int_equal(decoded.message.service.size, 5);
    arena_release(&decoded.arena);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void expect_sized(enum message_type type, const char *name, const char *head, char fill,
                         size_t size, bool good)
{
    struct buffer json = {0};
    buffer_byte(&json, '"');
    buffer_string(&json, head);
    while (json.size < size + 1)
        buffer_byte(&json, fill);
    buffer_byte(&json, '"');
    expect(type, name, json.data, good ? NULL : name);
    buffer_release(&json);
}

static void codec__texts_have_their_size(void **state)
{
    static const struct {
        enum message_type type;
        const char *name;
        const char *head;
        size_t min, max;
        char fill;
    } rows[] = {
        {MESSAGE_OpenSale, "show_id", "", 1, 64, 'Z'},
        {MESSAGE_SetBlock, "block_id", "", 1, 64, '_'},
        {MESSAGE_RequestReservation, "party", "", 1, 64, '-'},
        {MESSAGE_ReservationConfirmed, "reference", "", 1, 64, '9'},
        {MESSAGE_StartCheckout, "payment_id", "0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b9", 36, 36, 'a'},
        {MESSAGE_CreateShow, "name", "", 1, 200, ' '},
        {MESSAGE_SetBlock, "note", "", 1, 500, '~'},
        {MESSAGE_OpenSale, "reason", "", 1, 500, '!'},
        {MESSAGE_Refused, "detail", "", 1, 500, 'd'},
        {MESSAGE_Refused, "field", "", 1, 128, '/'},
        {MESSAGE_Claimed, "host", "", 1, 128, '~'},
        {MESSAGE_CreateShow, "currency", "", 3, 3, 'A'},
        {MESSAGE_CreateShow, "fingerprint", "", 16, 16, 'f'},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t head = strlen(rows[i].head);
        if (rows[i].min - 1 >= head)
            expect_sized(rows[i].type, rows[i].name, rows[i].head, rows[i].fill, rows[i].min - 1,
                         false);
        expect_sized(rows[i].type, rows[i].name, rows[i].head, rows[i].fill, rows[i].min, true);
        expect_sized(rows[i].type, rows[i].name, rows[i].head, rows[i].fill, rows[i].max, true);
        expect_sized(rows[i].type, rows[i].name, rows[i].head, rows[i].fill, rows[i].max + 1,
                     false);
    }
}

/* Bytes are counted, not characters: 100 of two bytes are 200. */
static void codec__text_sizes_are_bytes(void **state)
{
    struct buffer json = {0};
    (void)state;
    buffer_byte(&json, '"');
    for (int i = 0; i < 100; i++)
        buffer_string(&json, "\xc3\xa9");
    buffer_byte(&json, '"');
    expect(MESSAGE_CreateShow, "name", json.data, NULL);
    json.data[json.size - 1] = 'x';
    buffer_byte(&json, '"');
    expect(MESSAGE_CreateShow, "name", json.data, "name");
    buffer_release(&json);
}

static void codec__integers_have_their_range(void **state)
{
    static const struct {
        enum message_type type;
        const char *name;
        int64_t min, max;
    } rows[] = {
        {MESSAGE_CreateShow, "starts_at_ms", 0, INT64_C(253402300799999)},
        {MESSAGE_SeatsHeld, "amount_minor", 0, INT64_C(1000000000000)},
        {MESSAGE_CreateShow, "capacity", 0, 1000000},
        {MESSAGE_SetBlock, "quantity", 0, 1000000},
        {MESSAGE_SeatsHeld, "quantity", 1, 1000},
        {MESSAGE_CreateShow, "max_per_order", 1, 1000},
        {MESSAGE_CreateShow, "max_per_person", 1, 1000},
        {MESSAGE_CreateShow, "hold_ttl_s", 60, 7200},
        {MESSAGE_CreateShow, "pay_window_s", 60, 3600},
        {MESSAGE_SetCapacity, "expected_seq", 0, INT64_C(9007199254740991)},
        {MESSAGE_ReservationCancelled, "remaining", 0, 1000000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int64_t values[] = {rows[i].min - 1, rows[i].min, rows[i].max, rows[i].max + 1};
        for (int k = 0; k < 4; k++) {
            char json[32];
            snprintf(json, sizeof json, "%lld", (long long)values[k]);
            expect(rows[i].type, rows[i].name, json, k == 0 || k == 3 ? rows[i].name : NULL);
        }
    }
}

struct odd_value {
    enum message_type type;
    const char *name;
    const char *json;
    bool good;
};

static void expect_rows(const struct odd_value *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect(rows[i].type, rows[i].name, rows[i].json, rows[i].good ? NULL : rows[i].name);
}

static void codec__odd_texts(void **state)
{
    static const struct odd_value rows[] = {
        /* ids */
        {MESSAGE_OpenSale, "show_id", "\"azAZ09_-\"", true},
        {MESSAGE_OpenSale, "show_id", "\"a b\"", false},
        {MESSAGE_OpenSale, "show_id", "\"a.b\"", false},
        {MESSAGE_OpenSale, "show_id", "\"a/b\"", false},
        {MESSAGE_OpenSale, "show_id", "\"\xc3\xa9\"", false},
        {MESSAGE_OpenSale, "show_id", "\"a\\n\"", false},
        {MESSAGE_OpenSale, "show_id", "\"@\"", false},
        {MESSAGE_OpenSale, "show_id", "\"[\"", false},
        {MESSAGE_OpenSale, "show_id", "\"`\"", false},
        {MESSAGE_OpenSale, "show_id", "\"{\"", false},
        {MESSAGE_OpenSale, "show_id", "\":\"", false},
        {MESSAGE_StartCheckout, "payment_id", "\"0B7E6A52-6C1F-8D8E-9A41-3F0C5E2D7B96\"", false},
        {MESSAGE_StartCheckout, "payment_id", "\"0b7e6a52x6c1f-8d8e-9a41-3f0c5e2d7b96\"", false},
        /* names and notes */
        {MESSAGE_CreateShow, "name", "\"Die Fl\\u00fcgel \xf0\x9f\x8e\xad\"", true},
        {MESSAGE_CreateShow, "name", "\"\\u00a0\"", true},
        {MESSAGE_CreateShow, "name", "\"a\\u001f\"", false},
        {MESSAGE_CreateShow, "name", "\"a\\tb\"", false},
        {MESSAGE_CreateShow, "name", "\"a\\u007f\"", false},
        {MESSAGE_CreateShow, "name", "\"\\u0080\"", false},
        {MESSAGE_CreateShow, "name", "\"a\\u009f\"", false},
        {MESSAGE_CreateShow, "name", "\"\\u0085b\"", false},
        {MESSAGE_SetBlock, "note", "\"two\\nlines\"", false},
        {MESSAGE_Claimed, "host", "\" ~\"", true},
        {MESSAGE_Claimed, "host", "\"\\u007f\"", false},
        {MESSAGE_Claimed, "host", "\"\xc3\xa9\"", false},
        {MESSAGE_Claimed, "host", "\"a\\tb\"", false},
        /* money and hashes */
        {MESSAGE_CreateShow, "currency", "\"eur\"", false},
        {MESSAGE_CreateShow, "currency", "\"EU1\"", false},
        {MESSAGE_CreateShow, "fingerprint", "\"0123456789abcdef\"", true},
        {MESSAGE_CreateShow, "fingerprint", "\"0123456789ABCDEF\"", false},
        {MESSAGE_CreateShow, "fingerprint", "\"0123456789abcdeg\"", false},
    };
    (void)state;
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void codec__odd_numbers_truths_and_words(void **state)
{
    static const struct odd_value rows[] = {
        /* numbers */
        {MESSAGE_CreateShow, "capacity", "1e2", true},
        {MESSAGE_CreateShow, "capacity", "100.0", true},
        {MESSAGE_CreateShow, "capacity", "-0", true},
        {MESSAGE_CreateShow, "capacity", "0.5", false},
        {MESSAGE_CreateShow, "capacity", "\"100\"", false},
        {MESSAGE_CreateShow, "capacity", "true", false},
        {MESSAGE_CreateShow, "capacity", "1e300", false},
        {MESSAGE_SetCapacity, "expected_seq", "9007199254740993", false},
        /* truths and words */
        {MESSAGE_SetCapacity, "force", "true", true},
        {MESSAGE_SetCapacity, "force", "1", false},
        {MESSAGE_SetCapacity, "force", "\"true\"", false},
        {MESSAGE_RequestReservation, "channel", "\"boxoffice\"", true},
        {MESSAGE_RequestReservation, "channel", "\"Web\"", false},
        {MESSAGE_RequestReservation, "channel", "\"we\"", false},
        {MESSAGE_RequestReservation, "channel", "\"webs\"", false},
        {MESSAGE_RequestReservation, "channel", "0", false},
        {MESSAGE_CancelReservation, "refund", "\"half\"", false},
        {MESSAGE_StartCheckout, "method", "\"gold\"", false},
        {MESSAGE_StartCheckout, "by", "\"nobody\"", false},
        {MESSAGE_HoldRejected, "reason", "\"all_held\"", true},
        {MESSAGE_HoldRejected, "reason", "\"whim\"", false},
        {MESSAGE_Refused, "code", "\"internal\"", true},
        {MESSAGE_Refused, "code", "\"whim\"", false},
        {MESSAGE_CancellationRequested, "expect", "\"hold\"", true},
        {MESSAGE_CancellationRequested, "expect", "\"sale\"", false},
        {MESSAGE_HoldExtended, "cause", "\"whim\"", false},
    };
    (void)state;
    expect_rows(rows, sizeof rows / sizeof *rows);
}

static void codec__holders_have_a_name_and_perhaps_more(void **state)
{
    static const struct {
        const char *json;
        const char *field; /* NULL: good */
    } rows[] = {
        {"{\"name\":\"WDJ\"}", NULL},
        {"{}", "holder/name"},
        {"{\"name\":\"\"}", "holder/name"},
        {"{\"name\":\"WDJ\",\"email\":\"a@b\"}", NULL},
        {"{\"name\":\"WDJ\",\"email\":\"a@b@c\"}", NULL},
        {"{\"name\":\"WDJ\",\"email\":\"@@b\"}", "holder/email"},
        {"{\"name\":\"WDJ\",\"email\":\"aab\"}", "holder/email"},
        {"{\"name\":\"WDJ\",\"email\":\"@ab\"}", "holder/email"},
        {"{\"name\":\"WDJ\",\"email\":\"ab@\"}", "holder/email"},
        {"{\"name\":\"WDJ\",\"email\":\"a @b\"}", "holder/email"},
        {"{\"name\":\"WDJ\",\"email\":\"a@b\\n\"}", "holder/email"},
        {"{\"name\":\"WDJ\",\"email\":\"\"}", "holder/email"},
        {"{\"name\":\"WDJ\",\"email\":null}", "holder/email"},
        {"{\"name\":\"WDJ\",\"phone\":\"+12\"}", NULL},
        {"{\"name\":\"WDJ\",\"phone\":\"+123456789012345\"}", NULL},
        {"{\"name\":\"WDJ\",\"phone\":\"+1234567890123456\"}", "holder/phone"},
        {"{\"name\":\"WDJ\",\"phone\":\"+1\"}", "holder/phone"},
        {"{\"name\":\"WDJ\",\"phone\":\"+0123\"}", "holder/phone"},
        {"{\"name\":\"WDJ\",\"phone\":\"0123\"}", "holder/phone"},
        {"{\"name\":\"WDJ\",\"phone\":\"+1 23\"}", "holder/phone"},
        {"{\"name\":\"WDJ\",\"phone\":\"+12+3\"}", "holder/phone"},
        {"[]", "holder"},
        {"\"WDJ\"", "holder"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(MESSAGE_RequestReservation, "holder", rows[i].json, rows[i].field);
}

static void codec__an_email_has_at_most_254_bytes(void **state)
{
    struct buffer json = {0};
    (void)state;
    for (size_t size = 254; size <= 255; size++) {
        buffer_clear(&json);
        buffer_string(&json, "{\"name\":\"WDJ\",\"email\":\"a@");
        for (size_t i = 2; i < size; i++)
            buffer_byte(&json, 'b');
        buffer_string(&json, "\"}");
        expect(MESSAGE_RequestReservation, "holder", json.data,
               size == 254 ? NULL : "holder/email");
    }
    buffer_release(&json);
}

static void codec__lists_have_1_to_16_items(void **state)
{
    static const struct {
        enum message_type type;
        const char *name;
        const char *item;
    } rows[] = {
        {MESSAGE_RequestReservation, "lines", "{\"tier_id\":\"a\",\"quantity\":1}"},
        {MESSAGE_SeatsHeld, "lines", "{\"tier_id\":\"a\",\"quantity\":1,\"unit_amount_minor\":0}"},
        {MESSAGE_CreateShow, "tiers", "{\"tier_id\":\"a\",\"name\":\"A\",\"amount_minor\":0}"},
        {MESSAGE_ReservationConfirmed, "tickets", "{\"tier_id\":\"a\",\"first\":1,\"count\":1}"},
    };
    struct buffer json = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int count = 0; count <= 17; count++) {
            buffer_clear(&json);
            buffer_byte(&json, '[');
            for (int k = 0; k < count; k++)
                buffer_print(&json, "%s%s", k ? "," : "", rows[i].item);
            buffer_byte(&json, ']');
            bool good = count >= 1 && count <= 16;
            expect(rows[i].type, rows[i].name, json.data, good ? NULL : rows[i].name);
        }
    buffer_release(&json);
}

#define LINE    "{\"tier_id\":\"a\",\"quantity\":1}"
#define PRICED  "{\"tier_id\":\"a\",\"quantity\":1,\"unit_amount_minor\":5}"
#define PAYMENT "\"payment_id\":\"4c2f8a10-93b7-8e15-b6d0-71a9e4f3c802\""
#define SEATS   "\"capacity\":9,\"held\":0,\"sold\":0,\"blocked\":0,\"free\":9,\"oversold_by\":0"

static void codec__names_the_path_of_what_is_wrong(void **state)
{
    static const struct {
        enum message_type type;
        const char *name;
        const char *json;
        const char *field;
    } rows[] = {
        {MESSAGE_RequestReservation, "lines", "[{\"tier_id\":\"a\",\"quantity\":0}]",
         "lines/0/quantity"},
        {MESSAGE_RequestReservation, "lines", "[{\"tier_id\":\"a\",\"quantity\":1001}]",
         "lines/0/quantity"},
        {MESSAGE_RequestReservation, "lines", "[" LINE "," LINE ",{\"quantity\":1}]",
         "lines/2/tier_id"},
        {MESSAGE_RequestReservation, "lines", "[" LINE ",17]", "lines/1"},
        {MESSAGE_RequestReservation, "lines", "[[]]", "lines/0"},
        {MESSAGE_RequestReservation, "lines", "{}", "lines"},
        {MESSAGE_SeatsHeld, "lines", "[" PRICED "," LINE "]", "lines/1/unit_amount_minor"},
        {MESSAGE_CreateShow, "tiers", "[{\"tier_id\":\"a\",\"name\":\"A\"}]",
         "tiers/0/amount_minor"},
        {MESSAGE_CreateShow, "tiers",
         "[{\"tier_id\":\"a\",\"name\":\"A\",\"amount_minor\":1,\"capacity\":-1}]",
         "tiers/0/capacity"},
        {MESSAGE_ReservationConfirmed, "tickets", "[{\"tier_id\":\"a\",\"first\":0,\"count\":1}]",
         "tickets/0/first"},
        {MESSAGE_PaymentSucceeded, "payment",
         "{" PAYMENT ",\"method\":\"cash\",\"amount_minor\":1,\"currency\":\"EUR\"}", NULL},
        {MESSAGE_PaymentSucceeded, "payment",
         "{" PAYMENT ",\"method\":\"cash\",\"amount_minor\":1}", "payment/currency"},
        {MESSAGE_PaymentSucceeded, "payment",
         "{" PAYMENT ",\"method\":\"iou\",\"amount_minor\":1,\"currency\":\"EUR\"}",
         "payment/method"},
        {MESSAGE_PaymentSucceeded, "payment",
         "{" PAYMENT ",\"provider\":\"\",\"method\":\"cash\",\"amount_minor\":1,"
         "\"currency\":\"EUR\"}",
         "payment/provider"},
        {MESSAGE_HoldReleased, "after", "{" SEATS "}", "after/tiers"},
        {MESSAGE_HoldReleased, "after", "{" SEATS ",\"tiers\":[]}", "after/tiers"},
        {MESSAGE_HoldReleased, "after",
         "{" SEATS ",\"tiers\":[{\"tier_id\":\"a\",\"held\":0,\"sold\":0}]}", NULL},
        {MESSAGE_HoldReleased, "after",
         "{" SEATS ",\"tiers\":[{\"tier_id\":\"a\",\"held\":0,\"sold\":0},"
         "{\"tier_id\":\"b\",\"held\":0,\"sold\":-1}]}",
         "after/tiers/1/sold"},
        {MESSAGE_HoldReleased, "after", "{\"capacity\":0}", "after/held"},
        {MESSAGE_ShowCreated, "customer_cancel_until_ms", "-1", "customer_cancel_until_ms"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(rows[i].type, rows[i].name, rows[i].json, rows[i].field);
}

static void codec__says_what_would_be_right(void **state)
{
    static const struct {
        const char *json;
        const char *detail;
    } rows[] = {
        {"{}", "is missing"},
        {"{\"channel\":\"x\"}", "must be one of web, boxoffice, api"},
        {"{\"holder\":1}", "must be an object: who holds the reservation"},
        {"{\"lines\":[]}", "must be a list of 1 to 16 lines of what is wanted"},
        {"{\"lines\":[1]}", "must be an object"},
        {"{\"show_id\":\"\"}", "must be 1 to 64 of A-Z a-z 0-9 _ -"},
    };
    struct example example;
    struct buffer out = {0};
    struct decoded decoded = {0};
    (void)state;
    example_read(&example, MESSAGE_RequestReservation);
    for (size_t i = 1; i < sizeof rows / sizeof *rows; i++) {
        struct text rest = text_of(rows[i].json + 2);
        struct text name = text_cut(&rest, '"');
        char key[32], value[32];
        snprintf(key, sizeof key, "%.*s", TEXT_PRINT(name));
        snprintf(value, sizeof value, "%.*s", (int)rest.size - 2, rest.data + 1);
        decode(MESSAGE_RequestReservation, with(&example, key, value, &out), &decoded);
        assert_string_equal(decoded.error.detail, rows[i].detail);
    }
    decode(MESSAGE_RequestReservation, text_of(rows[0].json), &decoded);
    assert_string_equal(decoded.error.detail, rows[0].detail);
    assert_string_equal(decoded.error.field, "show_id");
    arena_release(&decoded.arena);
    buffer_release(&out);
    example_release(&example);
}

/* ---- absence inside -------------------------------------------------------------------------- */

static void codec__absent_parts_are_marked(void **state)
{
    struct decoded decoded = {0};
    struct buffer out = {0};
    (void)state;
    decode(MESSAGE_RequestReservation,
           text_of("{\"show_id\":\"s\",\"reservation_id\":\"0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b96\","
                   "\"lines\":[" LINE "],\"holder\":{\"name\":\"WDJ\"},\"channel\":\"web\"}"),
           &decoded);
    assert_int_equal(decoded.result, CODEC_OK);
    assert_null(decoded.message.holder.email.data);
    assert_null(decoded.message.holder.phone.data);
    assert_int_equal(decoded.message.wanted.count, 1);
    assert_int_equal(decoded.message.wanted.items[0].unit_amount_minor, 0);
    assert_false(message_has(&decoded.message, party));
    assert_false(message_has(&decoded.message, lines)); /* `wanted` is what the JSON calls lines */
    decode(MESSAGE_UpdateShow,
           text_of("{\"show_id\":\"s\",\"tiers\":[{\"tier_id\":\"a\",\"name\":\"A\","
                   "\"amount_minor\":0}]}"),
           &decoded);
    assert_int_equal(decoded.result, CODEC_OK);
    assert_int_equal(decoded.message.tiers.items[0].capacity, -1);
    codec_encode(&decoded.message, &out);
    assert_string_equal(out.data, "{\"show_id\":\"s\",\"tiers\":[{\"tier_id\":\"a\",\"name\":\"A\","
                                  "\"amount_minor\":0}]}");
    buffer_release(&out);
    arena_release(&decoded.arena);
}

static void codec__appends_behind_what_is_there(void **state)
{
    struct message message;
    struct buffer out = {0};
    (void)state;
    message_init(&message, MESSAGE_Progress);
    message_set(&message, service, text_of("a\"b"));
    buffer_string(&out, "x,");
    codec_encode(&message, &out);
    assert_string_equal(out.data, "x,{\"service\":\"a\\\"b\"}");
    buffer_release(&out);
}

/* What `type` would say with these fields: does the process end by an assert? */
static bool encoding_aborts(enum message_type type, bool with_service, bool with_seq)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct message message;
        struct buffer out = {0};
        signal(SIGABRT, SIG_DFL);
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(2);
        message_init(&message, type);
        if (with_service)
            message_set(&message, service, text_of("shows"));
        if (with_seq)
            message_set(&message, seq, 1);
        codec_encode(&message, &out);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void codec__encoding_asserts_needed_and_allowed_fields(void **state)
{
    (void)state;
    assert_false(encoding_aborts(MESSAGE_Progress, true, false));
    assert_true(encoding_aborts(MESSAGE_Progress, false, false));
    assert_true(encoding_aborts(MESSAGE_Progress, true, true));
}

/* ---- the schema ------------------------------------------------------------------------------ */

static void codec__schema_lists_the_fields_of_the_table(void **state)
{
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        struct buffer out = {0};
        const char *problem;
        size_t at;
        codec_schema((enum message_type)type, &out);
        struct json *schema = json_parse(buffer_view(&out), &problem, &at);
        assert_non_null(schema);
        const struct json *properties = json_member(schema, "properties");
        struct shape shape = message_shape((enum message_type)type);
        assert_int_equal(json_size(properties), shape.count);
        int required = 0;
        for (int i = 0; i < shape.count; i++) {
            assert_non_null(json_member(properties, shape.members[i].json));
            required += shape.members[i].required;
        }
        assert_int_equal(json_size(json_member(schema, "required")), required);
        json_free(schema);
        buffer_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec__each_example_is_read),
        cmocka_unit_test(codec__writes_the_bytes_it_read),
        cmocka_unit_test(codec__reads_members_in_any_order),
        cmocka_unit_test(codec__each_needed_field_is_missed),
        cmocka_unit_test(codec__no_field_may_be_null_or_of_another_type),
        cmocka_unit_test(codec__unknown_fields_are_ignored),
        cmocka_unit_test(codec__fields_of_other_messages_are_unknown),
        cmocka_unit_test(codec__what_is_no_object_is_undecodable),
        cmocka_unit_test(codec__a_value_has_at_most_16_kib),
        cmocka_unit_test(codec__tells_the_first_problem_and_keeps_the_good_fields),
        cmocka_unit_test(codec__texts_outlive_the_document),
        cmocka_unit_test(codec__texts_have_their_size),
        cmocka_unit_test(codec__text_sizes_are_bytes),
        cmocka_unit_test(codec__integers_have_their_range),
        cmocka_unit_test(codec__odd_texts),
        cmocka_unit_test(codec__odd_numbers_truths_and_words),
        cmocka_unit_test(codec__holders_have_a_name_and_perhaps_more),
        cmocka_unit_test(codec__an_email_has_at_most_254_bytes),
        cmocka_unit_test(codec__lists_have_1_to_16_items),
        cmocka_unit_test(codec__names_the_path_of_what_is_wrong),
        cmocka_unit_test(codec__says_what_would_be_right),
        cmocka_unit_test(codec__absent_parts_are_marked),
        cmocka_unit_test(codec__appends_behind_what_is_there),
        cmocka_unit_test(codec__encoding_asserts_needed_and_allowed_fields),
        cmocka_unit_test(codec__schema_lists_the_fields_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
