/* The six topics by number, and where a key lies. */
#include "bus/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>

static void topics__every_name_is_found_again(void **state)
{
    (void)state;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        assert_int_equal(topic_named(text_of(topic_name(topic))), topic);
    assert_string_equal(topic_name(TOPIC_SHOWS_COMMANDS), "shows.commands");
    assert_string_equal(topic_name(TOPIC_CHECKOUT_EVENTS), "checkout.events");
    assert_int_equal(topic_named(text_of("shows.command")), -1);
    assert_int_equal(topic_named(text_of("shows.commandss")), -1);
    assert_int_equal(topic_named(text_of("Shows.commands")), -1);
    assert_int_equal(topic_named(text_of("")), -1);
}

static void topics__events_are_told_from_commands(void **state)
{
    (void)state;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        assert_int_equal(topic_is_events(topic), strstr(topic_name(topic), ".events") != NULL);
}

/* CRC-32 of the key, as computed by zlib. */
static void topics__a_key_lies_where_crc32_says(void **state)
{
    static const struct {
        const char *key;
        uint32_t crc;
    } rows[] = {
        {"s1", 0x141538f0},
        {"hamlet", 0x36544534},
        {"show-0", 0xa13e1183},
        {"show-1", 0xd6392115},
        {"", 0},
        {"The-Tempest_2026", 0x78f4fcf7},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0x89b46555},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (uint32_t count = 1; count <= PARTITIONS_MAX; count++)
            assert_int_equal(topic_partition_of(text_of(rows[i].key), (int)count),
                             rows[i].crc % count);
}

/* librdkafka's own default for keyed records (its random part is for records without a key). */
static void topics__librdkafka_agrees(void **state)
{
    char key[32];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int size = snprintf(key, sizeof key, "show_%x-%d", i * 7919, i);
        for (int count = 1; count <= 12; count++)
            assert_int_equal(
                topic_partition_of(text_of(key), count),
                rd_kafka_msg_partitioner_consistent(NULL, key, (size_t)size, count, NULL, NULL));
    }
}

static void topics__a_place_is_read_as_it_is_printed(void **state)
{
    static const char *const wrong[] = {"",
                                        "shows.events",
                                        "shows.events/2",
                                        "shows.events/2@",
                                        "shows.events/@5",
                                        "shows.events/999@5",
                                        "shows.events/2@-5",
                                        "nothing.events/2@5",
                                        "shows.events/2@5#00000000"};
    struct place place;
    struct buffer out = {0};
    (void)state;
    assert_true(place_parse(text_of("shows.events/2@815"), &place));
    place_print(&place, &out);
    assert_string_equal(out.data, "shows.events/2@815");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(place_parse(text_of(wrong[i]), &place));
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics__every_name_is_found_again),
        cmocka_unit_test(topics__events_are_told_from_commands),
        cmocka_unit_test(topics__a_key_lies_where_crc32_says),
        cmocka_unit_test(topics__librdkafka_agrees),
        cmocka_unit_test(topics__a_place_is_read_as_it_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
