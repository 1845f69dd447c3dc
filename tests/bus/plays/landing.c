/* What lands: offsets, order, bytes, the log's time, one answer each. */
#include "tests/bus/plays/plays.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

static void offsets_start_at_0_and_grow_by_one(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    role_follow(writer, ACTS, 2, 0);
    for (int i = 0; i < 5; i++) {
        role_say(writer, ACTS, 2, "%d", i);
        UNTIL(stage, writer->appended_count == i + 1);
        const struct seen *answer = role_seen(writer, BUS_APPENDED, i);
        assert_int_equal(answer->event.topic, ACTS);
        assert_int_equal(answer->event.partition, 2);
        assert_true(answer->event.offset == i || answer->event.offset == -1);
    }
    UNTIL(stage, writer->record_count == 5);
    for (int i = 0; i < 5; i++)
        assert_true(role_heard(writer, ACTS, 2, i, (const char *[]){"0", "1", "2", "3", "4"}[i]));
}

void assert_lines(struct role *reader, int topic, int partition, int first, int count)
{
    char value[16];
    for (int i = 0; i < count; i++) {
        snprintf(value, sizeof value, "%d", first + i);
        if (!role_heard(reader, topic, partition, i, value))
            fail_msg("%s: offset %d does not say %s", reader->name, i, value);
    }
}

static void appends_land_in_the_order_of_the_calls(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    for (int i = 0; i < 400; i++)
        role_say(writer, i % 2 ? ACTS : SCENES, i / 2 % 2, "%d", i / 4);
    struct role *reader = role_enter(stage, "reader");
    for (int p = 0; p < 2; p++) {
        role_follow(reader, ACTS, p, 0);
        role_follow(reader, SCENES, p, 0);
    }
    UNTIL(stage, reader->record_count == 400);
    for (int p = 0; p < 2; p++) {
        assert_lines(reader, ACTS, p, 0, 100);
        assert_lines(reader, SCENES, p, 0, 100);
    }
}

void assert_same_text(struct text came, struct text went)
{
    assert_int_equal(came.size, went.size);
    if (went.size)
        assert_memory_equal(came.data, went.data, went.size);
}

static void assert_same_record(struct role *reader, int64_t offset, const struct bus_record *went)
{
    const struct seen *seen = role_record(reader, ACTS, 0, offset);
    assert_non_null(seen);
    const struct bus_record *came = &seen->event.record;
    assert_int_equal(came->key.data == NULL, went->key.data == NULL);
    assert_same_text(came->key, went->key);
    assert_same_text(came->value, went->value);
    assert_int_equal(came->header_count, went->header_count);
    for (int i = 0; i < went->header_count; i++) {
        assert_same_text(came->headers[i].name, went->headers[i].name);
        assert_same_text(came->headers[i].value, went->headers[i].value);
    }
}

static void bytes_come_back_as_they_went_in(struct stage *stage)
{
    char every[256], large[BUS_VALUE_SIZE_MAX];
    for (int i = 0; i < 256; i++)
        every[i] = (char)i;
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 31 % 251);
    struct text all = {every, sizeof every};
    struct bus_header headers[] = {{TEXT("name"), all},
                                   {TEXT("name"), TEXT("again, with the same name")},
                                   {TEXT("empty"), TEXT("")},
                                   {TEXT("grüße"), TEXT("\0\xff\0")}};
    struct bus_header many[BUS_HEADERS_MAX];
    for (int i = 0; i < BUS_HEADERS_MAX; i++)
        many[i] = (struct bus_header){{every + i + 65, 1}, {every, (size_t)i}};
    struct bus_record records[] = {
        {.key = all, .value = all, .headers = headers, .header_count = 4},
        {.key = {NULL, 0}, .value = TEXT("no key")},
        {.key = {"", 0}, .value = TEXT("an empty key")},
        {.key = TEXT("\0"), .value = TEXT("")},
        {.value = TEXT("many"), .headers = many, .header_count = BUS_HEADERS_MAX},
        {.value = {large, sizeof large}},
        {.key = {large, 100},
         .value = {large, sizeof large - 105},
         .headers = (struct bus_header[]){{TEXT("h"), TEXT("four")}},
         .header_count = 1},
    };
    const int count = (int)(sizeof records / sizeof records[0]);
    struct role *writer = role_enter(stage, "writer");
    role_follow(writer, ACTS, 0, 0);
    for (int i = 0; i < count; i++)
        assert_int_equal(role_try(writer, ACTS, 0, &records[i]), BUS_OK);
    UNTIL(stage, writer->record_count == count && role_unanswered(writer) == 0);
    assert_int_equal(writer->appended_count, count);
    for (int i = 0; i < count; i++)
        assert_same_record(writer, i, &records[i]);
}

static void records_carry_the_logs_time(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    role_follow(writer, ACTS, 0, 0);
    for (int i = 0; i < 3; i++) {
        int64_t before_ms = stage->sim ? sim_now_ms(stage->sim) : clock_wall_ms();
        role_say(writer, ACTS, 0, "%d", i);
        UNTIL(stage, writer->record_count == i + 1);
        int64_t after_ms = stage->sim ? sim_now_ms(stage->sim) : clock_wall_ms();
        int64_t append_ms = role_record(writer, ACTS, 0, i)->event.record.append_ms;
        assert_true(append_ms >= before_ms - 5 && append_ms <= after_ms + 5);
    }
}

static void every_append_is_answered_once(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    for (int i = 0; i < 3000; i++)
        role_say(writer, i % 2, i % STAGE_PARTITIONS, "%d", i);
    UNTIL(stage, role_unanswered(writer) == 0);
    stage_listen(stage, 100); /* a second answer would fail the role */
    assert_int_equal(writer->appended_count, 3000);
}

static void two_writers_each_keep_their_order(struct stage *stage)
{
    struct role *odd = role_enter(stage, "odd"), *even = role_enter(stage, "even");
    for (int i = 0; i < 300; i++)
        role_say(i % 2 ? odd : even, ACTS, 0, "%d", i);
    struct role *reader = role_enter(stage, "reader");
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->record_count == 300 && role_unanswered(odd) + role_unanswered(even) == 0);
    int last[2] = {-2, -1};
    for (int i = 0; i < 300; i++) {
        int value = atoi(role_record(reader, ACTS, 0, i)->event.record.value.data);
        assert_int_equal(value, last[value % 2] + 2);
        last[value % 2] = value;
    }
}

const struct play landing_plays[] = {
    PLAY(offsets_start_at_0_and_grow_by_one, ANYWHERE),
    PLAY(appends_land_in_the_order_of_the_calls, ANYWHERE | THREADS),
    PLAY(bytes_come_back_as_they_went_in, ANYWHERE),
    PLAY(records_carry_the_logs_time, ANYWHERE),
    PLAY(every_append_is_answered_once, ANYWHERE | THREADS),
    PLAY(two_writers_each_keep_their_order, ANYWHERE),
    {0},
};
