/* A record as one line, for people and for programs. */
#include "cli/tail_print.h"
#include "schemas/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* 2026-11-21T19:30:00.123Z */
#define AT_MS INT64_C(1795289400123)

static struct bus_header headers[] = {
    {TEXT("ce_type"), TEXT("stagedoor.shows.SeatsHeld")},
    {TEXT("ce_id"), TEXT("shows/2/4-00000000000000ff.7")},
    {TEXT("ce_causationid"), TEXT("c-1")},
};

static struct bus_record record_of(const char *value)
{
    return (struct bus_record){.key = TEXT("gala"),
                               .value = text_of(value),
                               .headers = headers,
                               .header_count = sizeof headers / sizeof *headers,
                               .append_ms = AT_MS};
}

static struct follower_item item_of(const struct bus_record *record, const char *why)
{
    return (struct follower_item){.place = {TOPIC_SHOWS_EVENTS, 2, 815},
                                  .record = record,
                                  .message = {.type = MESSAGE_SeatsHeld},
                                  .why = why};
}

static void tail__a_line_shows_what_matters(void **state)
{
    struct buffer out = {0};
    struct bus_record record =
        record_of("{\"show_id\":\"gala\",\"lines\":[{\"tier_id\":\"stalls\",\"quantity\":2}],"
                  "\"holder\":{\"name\":\"Eve B\"},\"expires_at_ms\":1795289400123,\"seq\":3,"
                  "\"after\":{\"capacity\":100,\"held\":2,\"sold\":0,\"blocked\":0,\"free\":98}}");
    struct follower_item item = item_of(&record, NULL);
    (void)state;
    tail_print_line(FOLLOWER_MESSAGE, &item, &out);
    assert_string_equal(out.data,
                        "19:30:00.123 shows.events/2@815           SeatsHeld                gala"
                        " lines=stalls×2 holder={name='Eve B'} expires_at=2026-11-21T19:30:00.123Z"
                        " held:2 free:98/100\n");
    buffer_release(&out);
}

/* Of each message what is particular to it, as a person reads it. */
static void tail__shapes_of_the_vocabulary(void **state)
{
    static const struct {
        const char *value, *expected;
    } rows[] = {
        {"{\"tickets\":[1,2,3,7,9,10],\"remaining\":2}", " tickets=1-3,7,9-10 remaining=2\n"},
        {"{\"tickets\":[{\"tier_id\":\"stalls\",\"first\":1,\"count\":2},{\"tier_id\":\"circle\","
         "\"first\":3,\"count\":1}]}",
         " tickets=stalls 1-2,circle 3\n"},
        {"{\"old\":[{\"tier_id\":\"stalls\",\"quantity\":2,\"unit_amount_minor\":2500}],"
         "\"amount_minor\":5000,\"currency\":\"EUR\"}",
         " old=stalls×2 amount=EUR 50.00\n"},
        {"{\"payment\":{\"payment_id\":\"p-1\",\"provider\":\"till\",\"method\":\"cash\","
         "\"amount_minor\":6800,\"currency\":\"JPY\"}}",
         " payment={JPY 6800 cash till p-1}\n"},
        {"{\"currency\":\"EUR\",\"tiers\":[{\"tier_id\":\"stalls\",\"name\":\"Stalls\","
         "\"amount_minor\":2500,\"capacity\":70},{\"tier_id\":\"circle\",\"name\":\"C\","
         "\"amount_minor\":1805}]}",
         " tiers=stalls EUR 25.00 (70),circle EUR 18.05\n"},
        {"{\"pay_by_ms\":1795289400123,\"amount_minor\":-5}",
         " pay_by=2026-11-21T19:30:00.123Z amount_minor=-5\n"},
        {"{\"tickets\":[],\"x\":[{}],\"y\":null}", " tickets= x={} y=?\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        struct bus_record record = record_of(rows[i].value);
        struct follower_item item = item_of(&record, NULL);
        tail_print_line(FOLLOWER_MESSAGE, &item, &out);
        assert_string_equal(strstr(out.data, " gala") + strlen(" gala"), rows[i].expected);
        buffer_release(&out);
    }
}

static void tail__what_does_not_count_says_why(void **state)
{
    struct buffer out = {0};
    struct bus_record record = record_of("\x1b[2J");
    struct follower_item item = item_of(&record, "behind a gap");
    (void)state;
    tail_print_line(FOLLOWER_VOID, &item, &out);
    assert_non_null(strstr(out.data, "SeatsHeld"));
    assert_non_null(strstr(out.data, "[void: behind a gap] gala (4 bytes: "));
    assert_null(strchr(out.data, '\x1b'));
    buffer_release(&out);
}

static void tail__json_is_one_strict_object_whatever_the_bytes(void **state)
{
    static const char *const values[] = {
        "{\"show_id\":\n \"gala\"}", "", "{", "\xff\xfe", "\"x\"", "\x01"};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct buffer out = {0};
        const char *problem = NULL;
        size_t at;
        struct text text;
        struct bus_record record = record_of(values[i]);
        struct follower_item item = item_of(&record, i ? "why \xff" : NULL);
        tail_print_json(i ? FOLLOWER_VOID : FOLLOWER_MESSAGE, &item, &out);
        assert_int_equal(out.data[out.size - 1], '\n');
        assert_ptr_equal(memchr(out.data, '\n', out.size), out.data + out.size - 1);
        struct json *document = json_parse(text_from(out.data, out.size - 1), &problem, &at);
        assert_non_null(document);
        assert_true(json_text(json_member(document, "cause"), &text));
        assert_true(text_is(text, "c-1"));
        assert_int_equal(json_member(document, "data") != NULL, i == 0 || i == 4);
        json_free(document);
        buffer_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tail__a_line_shows_what_matters),
        cmocka_unit_test(tail__shapes_of_the_vocabulary),
        cmocka_unit_test(tail__what_does_not_count_says_why),
        cmocka_unit_test(tail__json_is_one_strict_object_whatever_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
