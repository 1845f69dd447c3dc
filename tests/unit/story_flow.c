/* What came of what, from kept records. */
#include "story/flow.h"

#include "base/memory.h"
#include "schemas/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* 2026-11-21T19:30:00.000Z */
#define AT_MS INT64_C(1795289400000)
#define IDS   "\"show_id\":\"gala\",\"reservation_id\":\"0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b96\""
#define SEATS                                                                                      \
    "\"seq\":7,\"after\":{\"capacity\":100,\"held\":2,\"sold\":0,\"blocked\":0,\"free\":98,"       \
    "\"oversold_by\":0,\"tiers\":[{\"tier_id\":\"stalls\",\"held\":2,\"sold\":0}]}"

struct said {
    int topic;
    int64_t offset, after_ms;
    enum message_type type;
    const char *source; /* sd_source; NULL: a command */
    const char *id;     /* ce_id */
    const char *value;
};

static void add(struct record_list *list, const struct said *said)
{
    struct buffer type = {0};
    enum speaker speaker = (enum speaker)(said->topic / 2);
    message_type_print(said->type, speaker, &type);
    struct bus_header headers[] = {{TEXT("ce_type"), buffer_view(&type)},
                                   {TEXT("ce_id"), text_of(said->id)},
                                   {TEXT("sd_source"), text_of(said->source)}};
    struct bus_record record = {.key = TEXT("gala"),
                                .value = text_of(said->value),
                                .headers = headers,
                                .header_count = said->source ? 3 : 2,
                                .append_ms = AT_MS + said->after_ms};
    struct follower_item item = {.place = {said->topic, 2, said->offset},
                                 .record = &record,
                                 .message = {.type = said->type}};
    record_list_add(list, FOLLOWER_MESSAGE, &item);
    buffer_release(&type);
}

static const char held[] =
    "{" IDS ",\"lines\":[{\"tier_id\":\"stalls\",\"quantity\":2,\"unit_amount_minor\":2500}],"
    "\"quantity\":2,\"amount_minor\":5000,\"currency\":\"EUR\",\"expires_at_ms\":1795290000000,"
    "\"channel\":\"web\"," SEATS "}";
static const char wanted[] = "{" IDS ",\"lines\":[{\"tier_id\":\"stalls\",\"quantity\":2}],"
                             "\"holder\":{\"name\":\"Eve; <b>\"},\"channel\":\"web\"}";
static const char expired[] = "{" IDS ",\"quantity\":2,\"expires_at_ms\":1795290000000," SEATS "}";

/* In the order of reading: topic by topic. */
static const struct said story[] = {
    {TOPIC_SHOWS_EVENTS, 20, 6, MESSAGE_SeatsHeld, "reservations.events/2@9#00000000", "s-1", held},
    {TOPIC_SHOWS_EVENTS, 21, 630000, MESSAGE_HoldExpired, "timer", "s-2", expired},
    {TOPIC_RESERVATIONS_COMMANDS, 5, 0, MESSAGE_RequestReservation, NULL, "c-1", wanted},
    {TOPIC_RESERVATIONS_COMMANDS, 6, 50, MESSAGE_RequestReservation, NULL, "c-1", wanted},
    {TOPIC_RESERVATIONS_COMMANDS, 7, 700000, MESSAGE_CancelReservation, NULL, "c-2",
     "{" IDS ",\"by\":\"customer\",\"refund\":\"full\"}"},
    {TOPIC_RESERVATIONS_EVENTS, 9, 4, MESSAGE_ReservationRequested,
     "reservations.commands/2@5#00000000", "r-1", wanted},
    {TOPIC_RESERVATIONS_EVENTS, 10, 630002, MESSAGE_ReservationExpired,
     "shows.events/2@21#00000000", "r-2", "{" IDS "}"},
    {TOPIC_RESERVATIONS_EVENTS, 11, 700001, MESSAGE_Refused, "reservations.commands/2@8#00000000",
     "r-3", "{\"code\":\"undecodable\",\"detail\":\"no\"}"},
};

static struct record_list read_story(void)
{
    struct record_list list = {0};
    for (size_t i = 0; i < sizeof story / sizeof *story; i++)
        add(&list, &story[i]);
    record_list_sort(&list);
    return list;
}

static void flow__reads_like_a_story(void **state)
{
    struct record_list list = read_story();
    struct flow flow;
    struct buffer out = {0};
    (void)state;
    flow_build(&flow, &list);
    flow_print_text(&flow, &out);
    assert_string_equal(
        out.data,
        "         0 ms              a publisher: asks for 2 stalls for Eve; <b>, web"
        "  [RequestReservation reservations.commands/2@5]\n"
        "         4 ms       +4 ms  └ reservations: took it down: 2 stalls for Eve; <b>, web"
        "  [ReservationRequested reservations.events/2@9]\n"
        "         6 ms       +2 ms    └ shows: held 2 stalls until 19:40:00 for EUR 50.00;"
        " 98 of 100 seats free  [SeatsHeld shows.events/2@20]\n"
        "\n"
        "        50 ms              a publisher: asks for 2 stalls for Eve; <b>, web"
        " (it was asked and answered before, so it has no outcome)"
        "  [RequestReservation reservations.commands/2@6]\n"
        "\n"
        "  10 min 30 s              timer of shows: let 2 seats go: the hold ran out at 19:40:00;"
        " 98 of 100 seats free  [HoldExpired shows.events/2@21]\n"
        "  10 min 30 s       +2 ms  └ reservations: the reservation has expired"
        "  [ReservationExpired reservations.events/2@10]\n"
        "\n"
        "  11 min 40 s              a publisher: asks to cancel for the customer; refund full"
        " (no outcome yet)  [CancelReservation reservations.commands/2@7]\n"
        "\n"
        "  11 min 40 s              reservations: refused: undecodable: no"
        " (answers reservations.commands/2@8)  [Refused reservations.events/2@11]\n");
    buffer_release(&out);
    flow_release(&flow);
    record_list_release(&list);
}

static void flow__as_json_is_one_strict_object(void **state)
{
    struct record_list list = read_story();
    struct flow flow;
    struct buffer out = {0};
    struct text text;
    int64_t number;
    const char *problem;
    size_t at;
    (void)state;
    flow_build(&flow, &list);
    json_put_open(&out, NULL, '{');
    flow_print_json(&flow, &out);
    json_put_close(&out, '}');
    struct json *document = json_parse(buffer_view(&out), &problem, &at);
    assert_non_null(document);
    const struct json *steps = json_member(document, "steps");
    assert_int_equal(json_size(steps), sizeof story / sizeof *story);
    const struct json *step = json_next(json_next(json_first(steps)));
    assert_true(json_text(json_member(step, "type"), &text) && text_is(text, "SeatsHeld"));
    assert_true(json_text(json_member(step, "cause"), &text) &&
                text_is(text, "reservations.events/2@9"));
    assert_true(json_i64(json_member(step, "depth"), &number) && number == 2);
    assert_true(json_i64(json_member(step, "after_cause_ms"), &number) && number == 2);
    assert_true(json_is_object(json_member(step, "data")));
    json_free(document);
    buffer_release(&out);
    flow_release(&flow);
    record_list_release(&list);
}

static void flow__as_mermaid_escapes_what_would_end_a_line(void **state)
{
    struct record_list list = read_story();
    struct flow flow;
    struct buffer out = {0};
    (void)state;
    flow_build(&flow, &list);
    flow_print_mermaid(&flow, &out);
    assert_int_equal(strncmp(out.data,
                             "sequenceDiagram\n    participant P as a publisher\n"
                             "    participant R as reservations\n"
                             "    participant S as shows\n",
                             108),
                     0);
    assert_non_null(strstr(out.data, "P->>R: RequestReservation: asks for 2 stalls for "
                                     "Eve#59; #lt;b#gt;, web\n"));
    assert_non_null(strstr(out.data, "R->>S: ReservationRequested"));
    assert_non_null(strstr(out.data, "S-->>P: SeatsHeld"));
    assert_non_null(strstr(out.data, "Note over S: timer, 10 min 30 s in\n    S->>R: HoldExpired"));
    assert_non_null(strstr(out.data, "R--xP: Refused"));
    assert_null(strstr(out.data, "Eve;"));
    buffer_release(&out);
    flow_release(&flow);
    record_list_release(&list);
}

/* Records that name each other as cause can only be forged; they are told once each. */
static void flow__survives_a_circle_of_causes(void **state)
{
    static const struct said circle[] = {
        {TOPIC_SHOWS_EVENTS, 1, 0, MESSAGE_HoldExpired, "shows.events/2@2#00000000", "a", expired},
        {TOPIC_SHOWS_EVENTS, 2, 0, MESSAGE_HoldExpired, "shows.events/2@1#00000000", "b", expired},
        {TOPIC_SHOWS_EVENTS, 3, 0, MESSAGE_HoldExpired, "shows.events/2@3#00000000", "c", expired},
    };
    struct record_list list = {0};
    struct flow flow;
    struct buffer out = {0};
    int lines = 0;
    (void)state;
    for (size_t i = 0; i < 3; i++)
        add(&list, &circle[i]);
    flow_build(&flow, &list);
    flow_print_text(&flow, &out);
    for (const char *at = out.data; (at = strstr(at, "[HoldExpired")); at++)
        lines++;
    assert_int_equal(lines, 3);
    buffer_release(&out);
    flow_release(&flow);
    record_list_release(&list);
}

static void flow__of_nothing_is_nothing(void **state)
{
    struct record_list list = {0};
    struct flow flow;
    struct buffer out = {0};
    (void)state;
    flow_build(&flow, &list);
    flow_print_text(&flow, &out);
    assert_int_equal(out.size, 0);
    flow_release(&flow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flow__reads_like_a_story),
        cmocka_unit_test(flow__as_json_is_one_strict_object),
        cmocka_unit_test(flow__as_mermaid_escapes_what_would_end_a_line),
        cmocka_unit_test(flow__survives_a_circle_of_causes),
        cmocka_unit_test(flow__of_nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
