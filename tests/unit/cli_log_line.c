/* A log as lines: what goes in comes out, byte for byte, and nothing else is taken for a line. */
#include "cli/log_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static bool text_same(struct text a, struct text b)
{
    return (a.data == NULL) == (b.data == NULL) && text_equal(a, b);
}

static void comes_back(const struct bus_record *record)
{
    static struct log_line_read read;
    struct place place = {TOPIC_CHECKOUT_EVENTS, 3, 815};
    struct arena arena = {0};
    struct buffer line = {0}, again = {0};
    log_line_put_record(&line, &place, record);
    assert_null(memchr(line.data, '\n', line.size));
    assert_int_equal(log_line_read(buffer_view(&line), &arena, &read), LOG_LINE_RECORD);
    assert_true(read.place.topic == place.topic && read.place.partition == 3 &&
                read.place.offset == 815 && read.record.append_ms == record->append_ms);
    assert_true(text_same(read.record.key, record->key));
    assert_true(text_same(read.record.value, record->value));
    assert_int_equal(read.record.header_count, record->header_count);
    for (int i = 0; i < record->header_count && i < BUS_HEADERS_MAX; i++) {
        assert_true(text_equal(read.record.headers[i].name, record->headers[i].name));
        assert_true(text_same(read.record.headers[i].value, record->headers[i].value));
    }
    log_line_put_record(&again, &read.place, &read.record);
    assert_true(text_equal(buffer_view(&line), buffer_view(&again)));
    buffer_release(&line);
    buffer_release(&again);
    arena_release(&arena);
}

static void log_line__a_record_comes_back(void **state)
{
    struct bus_header headers[BUS_HEADERS_MAX + 1] = {
        {TEXT("ce_type"), TEXT("stagedoor.shows.SeatsHeld")},
        {TEXT("empty"), TEXT("")},
        {TEXT("none"), {NULL, 0}},
        {TEXT(""), TEXT("no name")},
        {TEXT("bytes"), TEXT("\xff\x00\x80")},
        {TEXT("twice"), TEXT("a: b\n\"\\\x01")},
        {TEXT("twice"), TEXT("Zo\xc3\xab")},
    };
    struct bus_record record = {.key = TEXT("gala"),
                                .value = TEXT("{\"a\":\"\\u0000\\n\"}\n"),
                                .headers = headers,
                                .header_count = 7,
                                .append_ms = 1795289400123};
    (void)state;
    comes_back(&record);
    record.key = record.value = (struct text){NULL, 0};
    comes_back(&record);
    record.key = record.value = (struct text)TEXT("");
    comes_back(&record);
    record.value = (struct text)TEXT("\xff\xfe nothing that \x00 could stand in JSON");
    comes_back(&record);
    for (int i = 7; i <= BUS_HEADERS_MAX; i++)
        headers[i] = (struct bus_header){TEXT("h"), TEXT("x")};
    record.header_count = BUS_HEADERS_MAX;
    comes_back(&record);
    record.header_count = BUS_HEADERS_MAX + 1; /* as a bus delivers it: 32, and says 33 */
    comes_back(&record);
}

static void log_line__head_and_tail_come_back(void **state)
{
    static struct log_line_read read;
    static struct log_sum sum;
    struct installation installation = {"0b7e6a52-6c1f-4d8e-9a41-000000000001", 4};
    struct place place = {TOPIC_SHOWS_EVENTS, 3, 0};
    struct arena arena = {0};
    struct buffer line = {0};
    (void)state;
    log_line_put_head(&line, &installation);
    assert_int_equal(log_line_read(buffer_view(&line), &arena, &read), LOG_LINE_HEAD);
    assert_string_equal(read.installation.id, installation.id);
    assert_int_equal(read.installation.partition_count, 4);
    log_sum_add(&sum, &place, text_of("the first"));
    place.offset = 1;
    log_sum_add(&sum, &place, text_of("the second"));
    buffer_clear(&line);
    log_line_put_tail(&line, &sum, 4);
    assert_int_equal(log_line_read(buffer_view(&line), &arena, &read), LOG_LINE_TAIL);
    assert_true(log_sum_same(&read.sum, &sum) && sum.ends[TOPIC_SHOWS_EVENTS][3] == 2);
    log_sum_add(&read.sum, &place, text_of(""));
    assert_false(log_sum_same(&read.sum, &sum));
    buffer_release(&line);
    arena_release(&arena);
}

static void log_line__what_is_none_is_told(void **state)
{
    static const char *const lines[] = {
        "",
        "nonsense",
        "[]",
        "{}",
        "{\"topic\":\"shows.events\"}",
        "{\"topic\":\"shows.others\",\"partition\":0,\"offset\":0,\"append_ms\":0,\"headers\":[]}",
        "{\"topic\":\"shows.events\",\"partition\":256,\"offset\":0,\"append_ms\":0,\"headers\":[]"
        "}",
        "{\"topic\":\"shows.events\",\"partition\":0,\"offset\":-1,\"append_ms\":0,\"headers\":[]}",
        "{\"topic\":\"shows.events\",\"partition\":0,\"offset\":0,\"append_ms\":0,\"headers\":{}}",
        "{\"topic\":\"shows.events\",\"partition\":0,\"offset\":0,\"append_ms\":0,"
        "\"headers\":[[\"a\"]]}",
        "{\"topic\":\"shows.events\",\"partition\":0,\"offset\":0,\"append_ms\":0,"
        "\"headers\":[[null,\"a\"]]}",
        "{\"topic\":\"shows.events\",\"partition\":0,\"offset\":0,\"append_ms\":0,\"headers\":[],"
        "\"value\":{\"hex\":\"0\"}}",
        "{\"topic\":\"shows.events\",\"partition\":0,\"offset\":0,\"append_ms\":0,\"headers\":[],"
        "\"value\":{\"hex\":\"zz\"}}",
        "{\"topic\":\"shows.events\",\"partition\":0,\"offset\":0,\"append_ms\":0,\"headers\":[],"
        "\"value\":[1]}",
        "{\"stagedoor_export\":1,\"installation\":\"x\",\"partitions\":4}",
        "{\"stagedoor_export\":2,\"installation\":\"x\",\"partitions\":4}",
        "{\"records\":1,\"ends\":{},\"sums\":{}}",
    };
    static struct log_line_read read;
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (log_line_read(text_of(lines[i]), &arena, &read) != LOG_LINE_WRONG)
            fail_msg("taken for a line: %s", lines[i]);
        assert_true(read.why && read.why[0]);
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_line__a_record_comes_back),
        cmocka_unit_test(log_line__head_and_tail_come_back),
        cmocka_unit_test(log_line__what_is_none_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
