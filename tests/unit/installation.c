/* Making the topics of an installation and telling which one they are, on the simulated log. */
#include "bus/installation.h"

#include "base/clock.h"
#include "bus/envelope.h"
#include "bus/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Opening waits by the machine's clock, and the simulated bus never waits: here every look at the
 * clock takes a tenth of a second. */
static int64_t ticks_ms;

int64_t clock_monotonic_ms(void)
{
    return ticks_ms += 100;
}

int64_t clock_monotonic_us(void)
{
    return clock_monotonic_ms() * 1000;
}

int64_t clock_wall_ms(void)
{
    return clock_monotonic_ms();
}

int64_t clock_wall_us(void)
{
    return clock_wall_ms() * 1000;
}

#define ONE     "11111111-1111-4111-8111-111111111111"
#define ANOTHER "22222222-2222-4222-8222-222222222222"

static struct bus *enter(struct sim *sim)
{
    struct bus_options options = {.client = "test"};
    return sim_bus_open(sim, &options);
}

static void expect_quiet(struct bus *bus)
{
    struct bus_event event;
    while (bus_poll(bus, 0, &event))
        if (event.type == BUS_RECORD || event.type == BUS_CAUGHT_UP)
            fail_msg("%s/%d is still followed", topic_name(event.topic), event.partition);
}

static enum bus_result open_as(struct sim *sim, bool create, int partition_count,
                               struct installation *installation, const char *reason)
{
    struct bus *bus = enter(sim);
    struct bus_error error = {""};
    memset(installation, 0, sizeof *installation);
    enum bus_result result = installation_open(bus, create, partition_count, installation, &error);
    if (result == BUS_OK)
        expect_quiet(bus);
    if (strstr(error.text, reason) == NULL || (result != BUS_OK && error.text[0] == '\0'))
        fail_msg("'%s', expected '%s'", error.text, reason);
    bus_close(bus);
    return result;
}

/* The topics as an interrupted making left them. */
static struct bus *make_bare(struct sim *sim, int partition_count)
{
    struct bus *bus = enter(sim);
    struct bus_topic_spec specs[TOPIC_COUNT];
    struct bus_error error;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        specs[topic] = (struct bus_topic_spec){topic_name(topic), partition_count, true, false};
    assert_int_equal(bus_topics(bus, specs, TOPIC_COUNT, &error), BUS_OK);
    return bus;
}

static void write_record(struct bus *bus, int topic, int partition, const char *id,
                         int64_t partitions)
{
    struct message message;
    struct envelope envelope = {0};
    message_init(&message, MESSAGE_Installed);
    message_set(&message, installation, text_of(id));
    message_set(&message, partitions, partitions);
    envelope_open(&envelope, &message, SPEAKER_bus);
    assert_int_equal(bus_append(bus, topic, partition, envelope_close(&envelope), 0), BUS_OK);
    envelope_release(&envelope);
}

/* Every event partition begins with the record, command partitions are empty. */
static void expect_installed(struct sim *sim, const struct installation *installation)
{
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < installation->partition_count; partition++) {
            struct bus_record record;
            if (!topic_is_events(topic)) {
                assert_int_equal(sim_end(sim, topic, partition), 0);
                continue;
            }
            assert_int_equal(sim_end(sim, topic, partition), 1);
            assert_true(sim_record(sim, topic, partition, 0, &record));
            char value[200];
            int size = snprintf(value, sizeof value, "{\"installation\":\"%s\",\"partitions\":%d}",
                                installation->id, installation->partition_count);
            assert_int_equal(record.value.size, size);
            assert_memory_equal(record.value.data, value, (size_t)size);
            assert_null(record.key.data);
        }
}

static void installation__is_made_once_and_found_again(void **state)
{
    struct sim *sim = sim_new(1, 1000);
    struct installation made, found;
    (void)state;
    assert_int_equal(open_as(sim, true, 0, &made, ""), BUS_OK);
    assert_int_equal(made.partition_count, PARTITIONS_DEFAULT);
    assert_true(uuid_valid(text_of(made.id)));
    expect_installed(sim, &made);
    static const struct {
        bool create;
        int partition_count;
    } ways[] = {{true, 0}, {true, 4}, {false, 0}, {false, 4}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        assert_int_equal(open_as(sim, ways[i].create, ways[i].partition_count, &found, ""), BUS_OK);
        assert_string_equal(found.id, made.id);
        assert_int_equal(found.partition_count, 4);
        expect_installed(sim, &made);
    }
    sim_free(sim);
}

static void installation__two_logs_are_two_installations(void **state)
{
    struct sim *a = sim_new(1, 1000), *b = sim_new(1, 1000);
    struct installation one, other;
    (void)state;
    assert_int_equal(open_as(a, true, 1, &one, ""), BUS_OK);
    assert_int_equal(open_as(b, true, 1, &other, ""), BUS_OK);
    assert_int_equal(one.partition_count, 1);
    assert_string_not_equal(one.id, other.id);
    sim_free(a);
    sim_free(b);
}

static void installation__the_count_never_changes(void **state)
{
    struct sim *sim = sim_new(1, 1000);
    struct installation installation;
    (void)state;
    assert_int_equal(open_as(sim, true, 3, &installation, ""), BUS_OK);
    assert_int_equal(open_as(sim, true, 2, &installation, "partitions"), BUS_UNFIT);
    assert_int_equal(open_as(sim, false, 2, &installation, "partitions"), BUS_UNFIT);
    assert_int_equal(open_as(sim, true, 0, &installation, "partitions"), BUS_UNFIT);
    assert_int_equal(open_as(sim, false, 0, &installation, ""), BUS_OK);
    assert_int_equal(installation.partition_count, 3);
    sim_free(sim);
}

static void installation__missing_topics_are_unfit(void **state)
{
    struct sim *sim = sim_new(1, 1000);
    struct installation installation;
    (void)state;
    assert_int_equal(open_as(sim, false, 0, &installation, "shows.commands"), BUS_UNFIT);
    assert_int_equal(open_as(sim, false, 4, &installation, "shows.commands"), BUS_UNFIT);
    assert_int_equal(open_as(sim, true, 4, &installation, ""), BUS_OK); /* nothing was made */
    expect_installed(sim, &installation);
    sim_free(sim);
}

/* Whoever only reads waits for the record, and says in the end what to do. */
static void installation__topics_without_a_record_are_waited_for(void **state)
{
    struct sim *sim = sim_new(1, 1000);
    struct installation installation;
    struct bus *bus = make_bare(sim, 2);
    (void)state;
    int64_t since_ms = ticks_ms;
    assert_int_equal(open_as(sim, false, 0, &installation, "stagedoor topics create"), BUS_UNFIT);
    assert_in_range(ticks_ms - since_ms, 10000, 11000);
    for (int topic = TOPIC_SHOWS_EVENTS; topic < TOPIC_COUNT; topic += 2) {
        write_record(bus, topic, 0, ONE, 2);
        if (topic != TOPIC_CHECKOUT_EVENTS)
            write_record(bus, topic, 1, ONE, 2);
    }
    assert_int_equal(open_as(sim, false, 0, &installation, "'checkout.events' partition 1"),
                     BUS_UNFIT);
    write_record(bus, TOPIC_CHECKOUT_EVENTS, 1, ONE, 2);
    assert_int_equal(open_as(sim, false, 0, &installation, ""), BUS_OK);
    assert_string_equal(installation.id, ONE);
    bus_close(bus);
    sim_free(sim);
}

static void installation__an_interrupted_making_is_finished(void **state)
{
    (void)state;
    for (int written = 0; written < 6; written++) {
        struct sim *sim = sim_new(1, 1000);
        struct installation installation, again;
        struct bus *bus = make_bare(sim, 2);
        for (int i = 0; i < written; i++) /* from the back: the first need not be there */
            write_record(bus, TOPIC_CHECKOUT_EVENTS - i / 2 * 2, i % 2, ONE, 2);
        assert_int_equal(open_as(sim, true, 2, &installation, ""), BUS_OK);
        if (written)
            assert_string_equal(installation.id, ONE);
        expect_installed(sim, &installation);
        assert_int_equal(open_as(sim, false, 0, &again, ""), BUS_OK);
        assert_string_equal(again.id, installation.id);
        bus_close(bus);
        sim_free(sim);
    }
}

static void installation__foreign_topics_are_unfit(void **state)
{
    static const struct {
        const char *id; /* NULL: garbage */
        int64_t partitions;
        const char *reason;
    } rows[] = {
        {NULL, 2, "does not begin with an installation record"},
        {ANOTHER, 2, "belongs to another installation"},
        {ONE, 3, "was made with another partition count"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int create = 0; create < 2; create++) {
            struct sim *sim = sim_new(1, 1000);
            struct installation installation;
            struct bus *bus = make_bare(sim, 2);
            struct bus_record garbage = {.value = TEXT("hello")};
            if (rows[i].id)
                write_record(bus, TOPIC_RESERVATIONS_EVENTS, 1, rows[i].id, rows[i].partitions);
            else
                bus_append(bus, TOPIC_RESERVATIONS_EVENTS, 1, &garbage, 0);
            for (int topic = TOPIC_SHOWS_EVENTS; topic < TOPIC_COUNT; topic += 2)
                for (int partition = 0; partition < 2; partition++)
                    write_record(bus, topic, partition, ONE, 2); /* behind it is too late */
            assert_int_equal(open_as(sim, create, 0 + 2 * create, &installation, rows[i].reason),
                             BUS_UNFIT);
            assert_int_equal(
                open_as(sim, create, 2, &installation, "'reservations.events' partition 1"),
                BUS_UNFIT);
            bus_close(bus);
            sim_free(sim);
        }
}

/* What stands behind the installation record, or in command topics, is nobody's business here. */
static void installation__later_records_do_not_matter(void **state)
{
    struct sim *sim = sim_new(1, 1000);
    struct installation made, found;
    struct bus_record garbage = {.value = TEXT("hello")};
    (void)state;
    assert_int_equal(open_as(sim, true, 1, &made, ""), BUS_OK);
    struct bus *bus = make_bare(sim, 1);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        bus_append(bus, topic, 0, &garbage, 0);
    write_record(bus, TOPIC_SHOWS_EVENTS, 0, ANOTHER, 9);
    assert_int_equal(open_as(sim, false, 0, &found, ""), BUS_OK);
    assert_string_equal(found.id, made.id);
    bus_close(bus);
    sim_free(sim);
}

static void installation__says_when_the_record_cannot_be_written(void **state)
{
    struct sim *sim = sim_new(1, 1000);
    struct installation installation;
    (void)state;
    sim_set_faults(sim, &(struct sim_faults){.append_lost = 1000});
    assert_int_equal(open_as(sim, true, 2, &installation, "try again"), BUS_UNREACHABLE);
    sim_set_faults(sim, &(struct sim_faults){.queue_full = 1000});
    assert_int_equal(open_as(sim, true, 2, &installation, "try again"), BUS_UNREACHABLE);
    sim_set_faults(sim, &(struct sim_faults){0});
    assert_int_equal(open_as(sim, true, 2, &installation, ""), BUS_OK);
    expect_installed(sim, &installation);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(installation__is_made_once_and_found_again),
        cmocka_unit_test(installation__two_logs_are_two_installations),
        cmocka_unit_test(installation__the_count_never_changes),
        cmocka_unit_test(installation__missing_topics_are_unfit),
        cmocka_unit_test(installation__topics_without_a_record_are_waited_for),
        cmocka_unit_test(installation__an_interrupted_making_is_finished),
        cmocka_unit_test(installation__foreign_topics_are_unfit),
        cmocka_unit_test(installation__later_records_do_not_matter),
        cmocka_unit_test(installation__says_when_the_record_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
