/* Between messages and records: what is written is read again, what a publisher may leave out is
 * filled in, and everything else is told apart. */
#include "base/memory.h"
#include "bus/envelope.h"
#include "bus/fence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SHOW_VALUE "{\"show_id\":\"s1\"}"

static const struct place commands = {TOPIC_SHOWS_COMMANDS, 2, 17};
static const struct place events = {TOPIC_SHOWS_EVENTS, 2, 17};

/* A record in the hand: up to eight headers, given as name, value, …, NULL. */
struct draft {
    struct bus_header headers[8];
    struct bus_record record;
};

static const struct bus_record *draft(struct draft *draft, const char *value,
                                      const char *const *headers)
{
    int count = 0;
    for (; headers[2 * count]; count++)
        draft->headers[count] =
            (struct bus_header){text_of(headers[2 * count]), text_of(headers[2 * count + 1])};
    draft->record = (struct bus_record){
        .value = text_of(value), .headers = draft->headers, .header_count = count};
    return &draft->record;
}

struct outcome {
    struct arena arena;
    struct message message;
    struct codec_error error;
};

static enum envelope_result read_value(struct outcome *outcome, const struct place *place,
                                       const char *value, const char *const *headers)
{
    struct draft hand;
    arena_release(&outcome->arena);
    memset(&outcome->message, 0x5a, sizeof outcome->message);
    return envelope_read(draft(&hand, value, headers), place, &outcome->arena, &outcome->message,
                         &outcome->error);
}

#define HEADERS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define TYPE(name)   "ce_type", "stagedoor.shows." name

static const char *value_of(const struct bus_record *record, const char *name)
{
    static char values[8][256];
    static int next;
    char *value = values[next++ % 8];
    struct text text = record_header(record, name, NULL);
    snprintf(value, sizeof values[0], "%.*s", TEXT_PRINT(text));
    return text.data ? value : NULL;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void fill_hold(struct message *message)
{
    message_init(message, MESSAGE_ReservationRequested);
    message->id = text_of("reservations/2/5-00000000000000aa.3");
    message->cause_id = text_of("c-1");
    message->actor = text_of("public");
    message->traceparent = text_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    message->at_ms = INT64_C(1800000000123);
    message_set(message, show_id, text_of("s1"));
    message_set(message, reservation_id, text_of("a0000000-0000-4000-8000-000000000001"));
    message_set(message, wanted, (struct lines){1, {{TEXT("standard"), 2, 0}}});
    message_set(message, holder, (struct holder){.name = TEXT("Eve")});
    message_set(message, channel, channel_api);
}

static void envelope__writes_cloudevents_in_binary_mode(void **state)
{
    struct envelope envelope = {0};
    struct message message;
    (void)state;
    fill_hold(&message);
    envelope_open(&envelope, &message, SPEAKER_reservations);
    envelope_header(&envelope, "sd_stamp", text_of("5-00000000000000aa.3"));
    const struct bus_record *record = envelope_close(&envelope);
    assert_true(text_is(record->key, "s1"));
    assert_true(text_is(record->value,
                        "{\"show_id\":\"s1\",\"reservation_id\":\"a0000000-0000-4000-8000-"
                        "000000000001\",\"lines\":[{\"tier_id\":\"standard\",\"quantity\":2}],"
                        "\"holder\":{\"name\":\"Eve\"},\"channel\":\"api\"}"));
    static const char *const expected[][2] = {
        {"ce_specversion", "1.0"},
        {"ce_id", "reservations/2/5-00000000000000aa.3"},
        {"ce_type", "stagedoor.reservations.ReservationRequested"},
        {"ce_source", "stagedoor/reservations"},
        {"ce_time", "2027-01-15T08:00:00.123Z"},
        {"ce_subject", "s1"},
        {"content-type", "application/json"},
        {"ce_correlationid", "a0000000-0000-4000-8000-000000000001"},
        {"ce_causationid", "c-1"},
        {"ce_actor", "public"},
        {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        {"sd_stamp", "5-00000000000000aa.3"},
    };
    assert_int_equal(record->header_count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_true(text_is(record->headers[i].name, expected[i][0]));
        assert_string_equal(value_of(record, expected[i][0]), expected[i][1]);
    }
    envelope_release(&envelope);
}

static void envelope__leaves_out_what_there_is_not(void **state)
{
    struct envelope envelope = {0};
    struct message message;
    (void)state;
    message_init(&message, MESSAGE_Progress);
    message_set(&message, service, text_of("shows"));
    envelope_open(&envelope, &message, SPEAKER_bus);
    const struct bus_record *record = envelope_close(&envelope);
    assert_null(record->key.data);
    assert_string_equal(value_of(record, "ce_type"), "stagedoor.bus.Progress");
    static const char *const absent[] = {
        "ce_id",          "ce_time",  "ce_subject", "ce_correlationid",
        "ce_causationid", "ce_actor", "traceparent"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_null(value_of(record, absent[i]));
    assert_int_equal(record->header_count, 4);
    envelope_release(&envelope);
}

/* The correlation id: as given, else of the reservation, else of the show. */
static void envelope__correlates_by_reservation_else_by_show(void **state)
{
    struct envelope envelope = {0};
    struct message message;
    (void)state;
    message_init(&message, MESSAGE_CancelReservation);
    message_set(&message, show_id, text_of("s1"));
    message_set(&message, reservation_id, text_of("a0000000-0000-4000-8000-000000000001"));
    message_set(&message, by, by_staff);
    message_set(&message, refund, refund_none);
    envelope_open(&envelope, &message, SPEAKER_reservations);
    assert_string_equal(value_of(envelope_close(&envelope), "ce_correlationid"),
                        "a0000000-0000-4000-8000-000000000001");
    message.correlation_id = text_of("given");
    envelope_open(&envelope, &message, SPEAKER_reservations);
    assert_string_equal(value_of(envelope_close(&envelope), "ce_correlationid"), "given");
    message_init(&message, MESSAGE_OpenSale);
    message_set(&message, show_id, text_of("s1"));
    envelope_open(&envelope, &message, SPEAKER_shows);
    assert_string_equal(value_of(envelope_close(&envelope), "ce_correlationid"), "s1");
    envelope_release(&envelope);
}

/* A refusal belongs to no show: misrouted, it would lie in the wrong partition for its key. */
static void envelope__a_refusal_has_no_key(void **state)
{
    struct envelope envelope = {0};
    struct message message;
    (void)state;
    message_init(&message, MESSAGE_Refused);
    message_set(&message, code, code_misrouted);
    message_set(&message, detail, text_of("x"));
    message_set(&message, show_id, text_of("s1"));
    envelope_open(&envelope, &message, SPEAKER_checkout);
    const struct bus_record *record = envelope_close(&envelope);
    assert_null(record->key.data);
    assert_string_equal(value_of(record, "ce_type"), "stagedoor.checkout.Refused");
    assert_string_equal(value_of(record, "ce_subject"), "s1");
    envelope_release(&envelope);
}

static void envelope__reads_what_it_wrote(void **state)
{
    struct envelope envelope = {0};
    struct arena arena = {0};
    struct message message, read;
    struct codec_error error;
    struct place place = {TOPIC_RESERVATIONS_EVENTS, 2, 9};
    (void)state;
    for (int round = 0; round < 2; round++) { /* the envelope is reusable */
        fill_hold(&message);
        envelope_open(&envelope, &message, SPEAKER_reservations);
        const struct bus_record *record = envelope_close(&envelope);
        assert_int_equal(envelope_read(record, &place, &arena, &read, &error), ENVELOPE_OK);
        memset(envelope.bytes.data, '#', envelope.bytes.size); /* nothing is borrowed from it */
        assert_int_equal(read.type, message.type);
        assert_true(text_equal(read.id, message.id));
        assert_true(text_equal(read.cause_id, message.cause_id));
        assert_true(text_is(read.correlation_id, "a0000000-0000-4000-8000-000000000001"));
        assert_true(text_equal(read.actor, message.actor));
        assert_true(text_equal(read.traceparent, message.traceparent));
        assert_int_equal(read.at_ms, message.at_ms);
        assert_true(text_is(read.wanted.items[0].tier_id, "standard"));
        assert_true(text_is(read.holder.name, "Eve"));
        assert_int_equal(read.channel, channel_api);
        assert_false(message_has(&read, fingerprint)); /* an event gets none */
    }
    envelope_release(&envelope);
    arena_release(&arena);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void envelope__a_type_and_a_value_are_enough(void **state)
{
    struct outcome outcome = {{0}, {0}, {"", ""}};
    char fingerprint[17];
    (void)state;
    assert_int_equal(read_value(&outcome, &commands, SHOW_VALUE, HEADERS(TYPE("OpenSale"))),
                     ENVELOPE_OK);
    assert_int_equal(outcome.message.type, MESSAGE_OpenSale);
    assert_true(text_is(outcome.message.id, "shows.commands/2/17"));
    assert_int_equal(outcome.message.at_ms, 0);
    assert_int_equal(outcome.message.actor.size + outcome.message.cause_id.size +
                         outcome.message.correlation_id.size + outcome.message.traceparent.size,
                     0);
    envelope_fingerprint(text_of(SHOW_VALUE), fingerprint);
    assert_true(text_is(outcome.message.fingerprint, fingerprint));
    assert_true(message_has(&outcome.message, fingerprint));
    arena_release(&outcome.arena);
}

static void envelope__takes_what_the_publisher_gave(void **state)
{
    struct outcome outcome = {{0}, {0}, {"", ""}};
    (void)state;
    assert_int_equal(
        read_value(&outcome, &commands,
                   "{\"show_id\":\"s1\",\"fingerprint\":\"00000000000000ab\",\"new\":[1]}",
                   HEADERS(TYPE("OpenSale"), "ce_id", "my-id", "ce_actor", "till", "traceparent",
                           "t", "ce_correlationid", "k", "ce_causationid", "z", "ce_time",
                           "2027-01-15T09:00:00+01:00", "content-type", "application/json")),
        ENVELOPE_OK);
    assert_true(text_is(outcome.message.id, "my-id"));
    assert_true(text_is(outcome.message.actor, "till"));
    assert_true(text_is(outcome.message.traceparent, "t"));
    assert_true(text_is(outcome.message.correlation_id, "k"));
    assert_true(text_is(outcome.message.cause_id, "z"));
    assert_int_equal(outcome.message.at_ms, INT64_C(1800000000000));
    assert_true(text_is(outcome.message.fingerprint, "00000000000000ab"));
    /* an id that cannot be one is none */
    char id[LABEL_SIZE_MAX + 2];
    memset(id, 'i', sizeof id);
    id[LABEL_SIZE_MAX + 1] = '\0';
    read_value(&outcome, &commands, SHOW_VALUE, HEADERS(TYPE("OpenSale"), "ce_id", id));
    assert_true(text_is(outcome.message.id, "shows.commands/2/17"));
    read_value(&outcome, &commands, SHOW_VALUE, HEADERS(TYPE("OpenSale"), "ce_id", id + 1));
    assert_true(text_is(outcome.message.id, id + 1));
    read_value(&outcome, &commands, SHOW_VALUE,
               HEADERS(TYPE("OpenSale"), "ce_id", "a", "ce_id", "b", "ce_time", "yesterday"));
    assert_true(text_is(outcome.message.id, "shows.commands/2/17"));
    assert_int_equal(outcome.message.at_ms, 0);
    arena_release(&outcome.arena);
}

static void envelope__tells_what_is_wrong(void **state)
{
    static const struct {
        const struct place *place;
        const char *type, *value;
        enum envelope_result result;
        enum message_type message; /* what is known of it all the same */
        const char *field, *detail;
    } rows[] = {
        {&commands, "", SHOW_VALUE, ENVELOPE_UNDECODABLE, MESSAGE_NONE, "", "no ce_type header"},
        {&commands, "stagedoor.shows.OpenSail", SHOW_VALUE, ENVELOPE_UNKNOWN_TYPE, MESSAGE_NONE, "",
         "no message is called 'stagedoor.shows.OpenSail'"},
        {&commands, "OpenSale", SHOW_VALUE, ENVELOPE_UNKNOWN_TYPE, MESSAGE_NONE, "", "no message"},
        /* of another service, or another kind of topic */
        {&commands, "stagedoor.checkout.StartCheckout", "{}", ENVELOPE_UNKNOWN_TYPE, MESSAGE_NONE,
         "", "'stagedoor.checkout.StartCheckout' does not belong into shows.commands"},
        {&commands, "stagedoor.shows.SeatsHeld", "{}", ENVELOPE_UNKNOWN_TYPE, MESSAGE_NONE, "",
         "'stagedoor.shows.SeatsHeld' does not belong into shows.commands"},
        {&commands, "stagedoor.shows.Refused", "{}", ENVELOPE_UNKNOWN_TYPE, MESSAGE_NONE, "", "'"},
        {&commands, "stagedoor.bus.Progress", "{\"service\":\"x\"}", ENVELOPE_UNKNOWN_TYPE,
         MESSAGE_NONE, "", "'"},
        {&events, "stagedoor.shows.OpenSale", SHOW_VALUE, ENVELOPE_UNKNOWN_TYPE, MESSAGE_NONE, "",
         "'stagedoor.shows.OpenSale' does not belong into shows.events"},
        {&events, "stagedoor.checkout.Refused", "{}", ENVELOPE_UNKNOWN_TYPE, MESSAGE_NONE, "", "'"},
        {&events, "stagedoor.reservations.ReservationExpired", "{}", ENVELOPE_UNKNOWN_TYPE,
         MESSAGE_NONE, "", "'"},
        {&events, "stagedoor.bus.Progress", "{\"service\":\"x\"}", ENVELOPE_OK, MESSAGE_Progress,
         "", ""},
        {&events, "stagedoor.shows.Refused", "{\"code\":\"invalid\",\"detail\":\"x\"}", ENVELOPE_OK,
         MESSAGE_Refused, "", ""},
        /* garbage */
        {&commands, "stagedoor.shows.OpenSale", "", ENVELOPE_UNDECODABLE, MESSAGE_OpenSale, "",
         "the value is not JSON"},
        {&commands, "stagedoor.shows.OpenSale", "not json", ENVELOPE_UNDECODABLE, MESSAGE_OpenSale,
         "", "the value is not JSON"},
        {&commands, "stagedoor.shows.OpenSale", "[]", ENVELOPE_UNDECODABLE, MESSAGE_OpenSale, "",
         "the value is not a JSON object"},
        {&commands, "stagedoor.shows.OpenSale", "{} {}", ENVELOPE_UNDECODABLE, MESSAGE_OpenSale, "",
         "the value is not JSON"},
        /* a field */
        {&commands, "stagedoor.shows.OpenSale", "{}", ENVELOPE_INVALID, MESSAGE_OpenSale, "show_id",
         "is missing"},
        {&commands, "stagedoor.shows.OpenSale", "{\"show_id\":7}", ENVELOPE_INVALID,
         MESSAGE_OpenSale, "show_id", "must be"},
        {&events, "stagedoor.shows.SaleOpened", SHOW_VALUE, ENVELOPE_INVALID, MESSAGE_SaleOpened,
         "seq", "is missing"},
    };
    struct outcome outcome = {{0}, {0}, {"", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum envelope_result result = read_value(&outcome, rows[i].place, rows[i].value,
                                                 HEADERS("ce_type", rows[i].type, "ce_id", "me"));
        if (result != rows[i].result || outcome.message.type != rows[i].message ||
            strcmp(outcome.error.field, rows[i].field) != 0 ||
            strncmp(outcome.error.detail, rows[i].detail, strlen(rows[i].detail)) != 0)
            fail_msg("%s %s: %d, '%s' '%s'", rows[i].type, rows[i].value, (int)result,
                     outcome.error.field, outcome.error.detail);
        assert_true(text_is(outcome.message.id, "me")); /* the cause is named all the same */
    }
    assert_int_equal(
        read_value(&outcome, &commands, SHOW_VALUE, HEADERS(TYPE("OpenSale"), TYPE("OpenSale"))),
        ENVELOPE_UNDECODABLE); /* which of the two? */
    arena_release(&outcome.arena);
}

/* What could be read of a bad command is there, so that the refusal can be its answer. */
static void envelope__an_invalid_command_keeps_its_good_fields(void **state)
{
    struct outcome outcome = {{0}, {0}, {"", ""}};
    const char *value = "{\"capacity\":-1,\"show_id\":\"s1\",\"force\":true}";
    char fingerprint[17];
    (void)state;
    assert_int_equal(read_value(&outcome, &commands, value, HEADERS(TYPE("SetCapacity"))),
                     ENVELOPE_INVALID);
    assert_string_equal(outcome.error.field, "capacity");
    assert_true(text_is(outcome.message.show_id, "s1"));
    assert_true(message_has(&outcome.message, force) && outcome.message.force);
    assert_false(message_has(&outcome.message, capacity));
    envelope_fingerprint(text_of(value), fingerprint);
    assert_true(text_is(outcome.message.fingerprint, fingerprint));
    assert_true(text_is(outcome.message.id, "shows.commands/2/17"));
    arena_release(&outcome.arena);
}

static void envelope__a_value_has_a_size(void **state)
{
    struct outcome outcome = {{0}, {0}, {"", ""}};
    char *value = memory_new(MESSAGE_SIZE_MAX + 2);
    (void)state;
    for (int structured = 0; structured < 2; structured++)
        for (int over = 0; over < 2; over++) {
            size_t size = (size_t)(MESSAGE_SIZE_MAX + over);
            memset(value, ' ', size);
            value[size] = '\0';
            const char *text = structured ? "{\"type\":\"stagedoor.shows.OpenSale\",\"data\":"
                                            "{\"show_id\":\"s1\"}}"
                                          : SHOW_VALUE;
            memcpy(value, text, strlen(text));
            enum envelope_result result =
                read_value(&outcome, &commands, value,
                           HEADERS(TYPE("OpenSale"), structured ? "content-type" : "x",
                                   "application/cloudevents+json"));
            assert_int_equal(result, over ? ENVELOPE_UNDECODABLE : ENVELOPE_OK);
            if (over)
                assert_non_null(strstr(outcome.error.detail, "at most 16384 are allowed"));
        }
    memory_free(value);
    arena_release(&outcome.arena);
}

/* ---- structured mode ------------------------------------------------------------------------- */

#define STRUCTURED  HEADERS("content-type", "application/cloudevents+json; charset=utf-8")
#define EVENT(rest) "{\"specversion\":\"1.0\",\"type\":\"stagedoor.shows.OpenSale\"" rest "}"

static void envelope__reads_structured_commands(void **state)
{
    struct outcome outcome = {{0}, {0}, {"", ""}};
    const char *value = EVENT(",\"id\":\"ev-1\",\"source\":\"x\",\"data\":" SHOW_VALUE);
    char fingerprint[17];
    (void)state;
    assert_int_equal(read_value(&outcome, &commands, value, STRUCTURED), ENVELOPE_OK);
    assert_int_equal(outcome.message.type, MESSAGE_OpenSale);
    assert_true(text_is(outcome.message.id, "ev-1"));
    assert_true(text_is(outcome.message.show_id, "s1"));
    envelope_fingerprint(text_of(value), fingerprint);
    assert_true(text_is(outcome.message.fingerprint, fingerprint));
    assert_int_equal(read_value(&outcome, &commands, EVENT(",\"data\":" SHOW_VALUE), STRUCTURED),
                     ENVELOPE_OK);
    assert_true(text_is(outcome.message.id, "shows.commands/2/17"));
    arena_release(&outcome.arena);
}

static void envelope__tells_what_is_wrong_with_a_structured_command(void **state)
{
    static const struct {
        const char *value;
        enum envelope_result result;
        const char *id, *detail;
    } rows[] = {
        {"{", ENVELOPE_UNDECODABLE, "shows.commands/2/17", "the value is not JSON"},
        {"[]", ENVELOPE_UNDECODABLE, "shows.commands/2/17", "the value is not a structured"},
        {"{\"data\":" SHOW_VALUE "}", ENVELOPE_UNDECODABLE, "shows.commands/2/17", "no ce_type"},
        {"{\"type\":7,\"data\":" SHOW_VALUE "}", ENVELOPE_UNDECODABLE, "shows.commands/2/17",
         "no ce_type"},
        {"{\"type\":\"x\",\"data\":" SHOW_VALUE "}", ENVELOPE_UNKNOWN_TYPE, "shows.commands/2/17",
         "no message is called 'x'"},
        {EVENT(""), ENVELOPE_UNDECODABLE, "shows.commands/2/17", "the structured CloudEvent has"},
        {EVENT(",\"data\":\"x\""), ENVELOPE_UNDECODABLE, "shows.commands/2/17",
         "the value is not a JSON object"},
        {EVENT(",\"id\":\"ev-1\",\"data\":{}"), ENVELOPE_INVALID, "ev-1", "is missing"},
    };
    struct outcome outcome = {{0}, {0}, {"", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum envelope_result result = read_value(&outcome, &commands, rows[i].value, STRUCTURED);
        if (result != rows[i].result || !text_is(outcome.message.id, rows[i].id) ||
            strncmp(outcome.error.detail, rows[i].detail, strlen(rows[i].detail)) != 0)
            fail_msg("%s: %d, '%.*s' '%s'", rows[i].value, (int)result,
                     TEXT_PRINT(outcome.message.id), outcome.error.detail);
    }
    arena_release(&outcome.arena);
}

/* Events are binary only: the header decides, the content type is not even looked at. */
static void envelope__events_are_not_structured(void **state)
{
    struct outcome outcome = {{0}, {0}, {"", ""}};
    (void)state;
    assert_int_equal(read_value(&outcome, &events, EVENT(",\"data\":" SHOW_VALUE), STRUCTURED),
                     ENVELOPE_UNDECODABLE);
    arena_release(&outcome.arena);
}

static void envelope__fingerprints_tell_bodies_apart(void **state)
{
    char a[17], b[17];
    (void)state;
    /* CRC-32 and CRC-32C of "123456789", both from their standards */
    envelope_fingerprint(text_of("123456789"), a);
    assert_string_equal(a, "cbf43926e3069283");
    envelope_fingerprint(text_of("123456788"), b);
    assert_string_not_equal(a, b);
    envelope_fingerprint((struct text){NULL, 0}, b);
    assert_string_equal(b, "0000000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelope__writes_cloudevents_in_binary_mode),
        cmocka_unit_test(envelope__leaves_out_what_there_is_not),
        cmocka_unit_test(envelope__correlates_by_reservation_else_by_show),
        cmocka_unit_test(envelope__a_refusal_has_no_key),
        cmocka_unit_test(envelope__reads_what_it_wrote),
        cmocka_unit_test(envelope__a_type_and_a_value_are_enough),
        cmocka_unit_test(envelope__takes_what_the_publisher_gave),
        cmocka_unit_test(envelope__tells_what_is_wrong),
        cmocka_unit_test(envelope__an_invalid_command_keeps_its_good_fields),
        cmocka_unit_test(envelope__a_value_has_a_size),
        cmocka_unit_test(envelope__reads_structured_commands),
        cmocka_unit_test(envelope__tells_what_is_wrong_with_a_structured_command),
        cmocka_unit_test(envelope__events_are_not_structured),
        cmocka_unit_test(envelope__fingerprints_tell_bodies_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
