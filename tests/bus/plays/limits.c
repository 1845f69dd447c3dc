/* What is refused, and when to try again. */
#include "tests/bus/plays/plays.h"

static void a_full_queue_takes_more_later(struct stage *stage)
{
    stage->in_flight_max = 8;
    struct role *writer = role_enter(stage, "writer");
    struct bus_record record = {.value = TEXT("0")};
    int taken = 0;
    while (taken < 100 && role_try(writer, ACTS, 0, &record) == BUS_OK)
        taken++;
    assert_int_equal(taken, 8);
    assert_int_equal(role_try(writer, ACTS, 1, &record), BUS_FULL);
    UNTIL(stage, writer->appended_count == 8);
    role_say_lines(writer, ACTS, 1, 0, 200); /* polls when it is full */
    role_follow(writer, ACTS, 1, 0);
    UNTIL(stage, writer->record_count == 200 && role_unanswered(writer) == 0);
    assert_int_equal(writer->appended_count, 208);
    assert_lines(writer, ACTS, 1, 0, 200);
}

static void what_is_too_large_is_invalid(struct stage *stage)
{
    static char large[BUS_VALUE_SIZE_MAX + 1];
    struct bus_header headers[BUS_HEADERS_MAX + 1];
    for (int i = 0; i <= BUS_HEADERS_MAX; i++)
        headers[i] = (struct bus_header){TEXT("h"), TEXT("")};
    struct bus_record records[] = {
        {.value = {large, sizeof large}},
        {.key = {large, 1}, .value = {large, sizeof large - 1}},
        {.value = {large, sizeof large - 1}, .headers = headers, .header_count = 1},
        {.headers = headers, .header_count = BUS_HEADERS_MAX + 1}};
    struct role *writer = role_enter(stage, "writer");
    for (int i = 0; i < 4; i++)
        assert_int_equal(role_try(writer, ACTS, 0, &records[i]), BUS_INVALID);
    role_say(writer, ACTS, 0, "small");
    role_follow(writer, ACTS, 0, 0);
    UNTIL(stage, writer->record_count == 1 && writer->appended_count == 1);
    assert_true(role_heard(writer, ACTS, 0, 0, "small"));
}

static void what_is_unknown_is_invalid(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    struct bus_record record = {.value = TEXT("to nobody")};
    assert_int_equal(role_try(writer, STAGE_TOPICS, 0, &record), BUS_INVALID);
    assert_int_equal(role_try(writer, -1, 0, &record), BUS_INVALID);
    assert_int_equal(role_try(writer, ACTS, STAGE_PARTITIONS, &record), BUS_INVALID);
    assert_int_equal(role_try(writer, ACTS, -1, &record), BUS_INVALID);
}

static void ten_thousand_are_in_flight_unless_told_otherwise(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    struct bus_record record = {.value = TEXT("x")};
    int taken = 0;
    while (taken <= BUS_IN_FLIGHT_DEFAULT && role_try(writer, ACTS, taken % 4, &record) == BUS_OK)
        taken++;
    assert_int_equal(taken, BUS_IN_FLIGHT_DEFAULT);
    UNTIL(stage, writer->appended_count == BUS_IN_FLIGHT_DEFAULT);
    assert_int_equal(role_try(writer, ACTS, 0, &record), BUS_OK);
    UNTIL(stage, role_unanswered(writer) == 0);
}

const struct play limits_plays[] = {
    PLAY(a_full_queue_takes_more_later, ANYWHERE | THREADS),
    PLAY(ten_thousand_are_in_flight_unless_told_otherwise, ANYWHERE),
    PLAY(what_is_too_large_is_invalid, ANYWHERE),
    PLAY(what_is_unknown_is_invalid, ANYWHERE),
    {0},
};
