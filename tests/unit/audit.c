/* The auditor: whatever the order it is shown things in, it says the same; and what it says of a
 * log that is not whole depends on whether anybody was still at work. What it finds in doctored
 * logs is seen in tests/audit. */
#include "audit/audit.h"

#include "base/prng.h"
#include "bus/fence.h"
#include "tests/support/evening.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct sim *sim;
static struct installation installation;

static int play(void **state)
{
    (void)state;
    sim = evening_play(&installation);
    return 0;
}

static int end(void **state)
{
    (void)state;
    evening_end();
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
    struct audit *audit;
    int64_t next[TOPIC_COUNT][EVENING_PARTITIONS], end[TOPIC_COUNT][EVENING_PARTITIONS];
};

static struct reader reader_new(bool replay)
{
    struct audit_options options = {.replay = replay};
    struct reader reader = {.audit = audit_new(&installation, &options)};
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < EVENING_PARTITIONS; partition++)
            reader.end[topic][partition] = sim_end(sim, topic, partition);
    return reader;
}

/* The next record of that partition; false: there is none. */
static bool read_one(struct reader *reader, int topic, int partition)
{
    struct place place = {topic, partition, reader->next[topic][partition]};
    struct bus_record record;
    if (place.offset >= reader->end[topic][partition])
        return false;
    assert_true(sim_record(sim, topic, partition, place.offset, &record));
    audit_read(reader->audit, &place, &record);
    reader->next[topic][partition]++;
    return true;
}

static void read_topic(struct reader *reader, int topic)
{
    for (int partition = 0; partition < EVENING_PARTITIONS; partition++)
        while (read_one(reader, topic, partition))
            ;
}

static void read_rest(struct reader *reader)
{
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        read_topic(reader, topic);
}

static void assert_good(struct reader *reader, const struct audit_counts *like)
{
    audit_finish(reader->audit, true, 0);
    const struct audit_breach *first = audit_first(reader->audit);
    if (first)
        print_error("%s@%lld: %d: %s\n", topic_name(first->place.topic),
                    (long long)first->place.offset, first->invariant, first->text);
    assert_null(first);
    if (like)
        assert_memory_equal(audit_counts(reader->audit), like, sizeof *like);
    audit_free(reader->audit);
}

/* ---- in any order ---------------------------------------------------------------------------- */

static void audit__says_the_same_in_any_order(void **state)
{
    (void)state;
    struct prng prng = {.state = 11};
    struct reader forwards = reader_new(true);
    read_rest(&forwards);
    struct audit_counts counts = *audit_counts(forwards.audit);
    assert_true(counts.outcomes > 30 && counts.replayed >= counts.outcomes);
    assert_good(&forwards, NULL);

    struct reader backwards = reader_new(true);
    for (int topic = TOPIC_COUNT - 1; topic >= 0; topic--)
        read_topic(&backwards, topic);
    assert_good(&backwards, &counts);

    for (int walk = 0; walk < 20; walk++) {
        struct reader reader = reader_new(true);
        for (int i = 0; i < 1000; i++)
            read_one(&reader, (int)prng_below(&prng, TOPIC_COUNT),
                     (int)prng_below(&prng, EVENING_PARTITIONS));
        read_rest(&reader);
        assert_good(&reader, &counts);
    }
}

static void audit__judges_nothing_before_its_cause(void **state)
{
    (void)state;
    struct reader reader = reader_new(false);
    read_topic(&reader, TOPIC_SHOWS_EVENTS);
    assert_int_equal(audit_counts(reader.audit)->outcomes, 0);
    read_topic(&reader, TOPIC_SHOWS_COMMANDS);
    assert_int_equal(audit_counts(reader.audit)->outcomes, 0); /* it had read the other topics' */
    read_rest(&reader);
    assert_true(audit_counts(reader.audit)->outcomes > 30);
    assert_good(&reader, NULL);
}

/* Commands that nobody answers pile up: others are to be read on with first. */
static void audit__wants_no_more_of_what_nobody_passes(void **state)
{
    (void)state;
    struct reader reader = reader_new(false);
    struct bus_record record = {.value = TEXT("not json")};
    for (int64_t offset = 0; offset < 3000; offset++) {
        struct place place = {TOPIC_SHOWS_COMMANDS, 0, offset};
        if (offset < 1000)
            assert_true(audit_wants(reader.audit, TOPIC_SHOWS_COMMANDS, 0));
        audit_read(reader.audit, &place, &record);
    }
    assert_false(audit_wants(reader.audit, TOPIC_SHOWS_COMMANDS, 0));
    assert_true(audit_wants(reader.audit, TOPIC_SHOWS_COMMANDS, 1));
    assert_true(audit_wants(reader.audit, TOPIC_SHOWS_EVENTS, 0));
    audit_finish(reader.audit, false, 0);
    assert_null(audit_first(reader.audit));
    audit_free(reader.audit);
}

/* ---- whatever it is shown -------------------------------------------------------------------- */

/* Another digit, somewhere in what the record says, or in whose word it is. */
static void spoil(struct prng *prng, struct bus_record *record, struct bus_header *headers,
                  char *bytes)
{
    int which = (int)prng_below(prng, (uint64_t)record->header_count + 6);
    struct text *text = &record->value;
    memcpy(headers, record->headers, (size_t)record->header_count * sizeof *headers);
    record->headers = headers;
    if (which < record->header_count)
        text = &headers[which].value;
    memcpy(bytes, text->data, text->size);
    *text = text_from(bytes, text->size);
    for (int tries = 0; text->size && tries < 50; tries++) {
        size_t at = prng_below(prng, text->size);
        if (bytes[at] < '0' || bytes[at] > '9')
            continue;
        bytes[at] = (char)('0' + prng_below(prng, 10));
        return;
    }
}

static void audit__survives_whatever_it_is_shown(void **state)
{
    (void)state;
    static char bytes[BUS_VALUE_SIZE_MAX];
    static const int order[] = {TOPIC_SHOWS_COMMANDS,      TOPIC_RESERVATIONS_COMMANDS,
                                TOPIC_CHECKOUT_COMMANDS,   TOPIC_SHOWS_EVENTS,
                                TOPIC_RESERVATIONS_EVENTS, TOPIC_CHECKOUT_EVENTS};
    struct bus_header headers[BUS_HEADERS_MAX];
    struct prng prng = {.state = 5};
    uint64_t found = 0;
    for (int walk = 0; walk < 1500; walk++) {
        struct reader reader = reader_new(true);
        uint64_t chance = 1 + prng_below(&prng, 60);
        for (int i = 0; i < TOPIC_COUNT; i++)
            for (int64_t at = 0; at < sim_end(sim, order[i], 0); at++) {
                struct place place = {order[i], 0, at};
                struct bus_record record;
                sim_record(sim, place.topic, 0, at, &record);
                if (prng_chance(&prng, 1, chance))
                    spoil(&prng, &record, headers, bytes);
                audit_read(reader.audit, &place, &record);
            }
        audit_finish(reader.audit, true, 0);
        found += audit_first(reader.audit) != NULL;
        audit_free(reader.audit);
    }
    assert_true(found > 700);
}

/* ---- logs that are not whole ----------------------------------------------------------------- */

/* Without the last records of a topic; the number of the invariant, 0: no breach. */
static int verdict_without_end(int topic, int64_t missing, bool at_rest)
{
    struct reader reader = reader_new(false);
    int partition = topic_partition_of(text_of("tempest"), EVENING_PARTITIONS);
    reader.end[topic][partition] -= missing;
    read_rest(&reader);
    audit_finish(reader.audit, at_rest, 0);
    const struct audit_breach *first = audit_first(reader.audit);
    int invariant = first ? first->invariant : 0;
    audit_free(reader.audit);
    return invariant;
}

static void audit__running__what_is_not_there_yet_is_no_breach(void **state)
{
    (void)state;
    static const int topics[] = {TOPIC_SHOWS_COMMANDS,  TOPIC_SHOWS_EVENTS,
                                 TOPIC_CHECKOUT_EVENTS, TOPIC_RESERVATIONS_COMMANDS,
                                 TOPIC_CHECKOUT_EVENTS, TOPIC_RESERVATIONS_EVENTS};
    int partition = topic_partition_of(text_of("tempest"), EVENING_PARTITIONS);
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        for (int64_t missing = 0; missing < sim_end(sim, topics[i], partition); missing++)
            assert_int_equal(verdict_without_end(topics[i], missing, false), 0);
}

static void audit__at_rest__what_is_not_there_is_missing(void **state)
{
    (void)state;
    /* Of reservations the last is Eve's ticket: nobody waits for it, but it is owed. */
    assert_int_equal(verdict_without_end(TOPIC_RESERVATIONS_EVENTS, 1, true), 4);
    /* Of checkout a Progress, and in front of it Eve's payment, which shows has sold for. */
    assert_int_equal(verdict_without_end(TOPIC_CHECKOUT_EVENTS, 1, true), 14);
    assert_int_equal(verdict_without_end(TOPIC_RESERVATIONS_COMMANDS, 1, true), 14);
}

static void audit__at_rest__a_hold_is_judged_by_the_clock_of_the_log(void **state)
{
    (void)state;
    int partition = topic_partition_of(text_of("tempest"), EVENING_PARTITIONS);
    struct bus_record record;
    int64_t held_at = 0;
    while (sim_record(sim, TOPIC_SHOWS_EVENTS, partition, held_at, &record) &&
           !text_is(record_header(&record, "ce_type", NULL), "stagedoor.shows.HoldExpired"))
        held_at++;
    for (int late = 0; late < 2; late++) {
        struct reader reader = reader_new(false);
        for (int topic = 0; topic < TOPIC_COUNT; topic++)
            for (int at = 0; at < EVENING_PARTITIONS; at++)
                reader.end[topic][at] = 0;
        reader.end[TOPIC_SHOWS_COMMANDS][partition] = 1;
        reader.end[TOPIC_SHOWS_EVENTS][partition] = held_at;
        reader.end[TOPIC_RESERVATIONS_COMMANDS][partition] = 3;
        reader.end[TOPIC_RESERVATIONS_EVENTS][partition] = 8;
        reader.end[TOPIC_CHECKOUT_COMMANDS][partition] = 3;
        reader.end[TOPIC_CHECKOUT_EVENTS][partition] = 7;
        read_rest(&reader);
        audit_finish(reader.audit, true, record.append_ms + (late ? 1 : -1000));
        assert_int_equal(audit_breach_count(reader.audit, 15), late);
        audit_free(reader.audit);
    }
}

static void audit__knows_the_seats(void **state)
{
    (void)state;
    struct after seats;
    struct reader reader = reader_new(false);
    read_rest(&reader);
    assert_false(audit_seats(reader.audit, text_of("hamlet"), &seats));
    assert_true(audit_seats(reader.audit, text_of("tempest"), &seats));
    assert_int_equal(seats.capacity, 4);
    assert_int_equal(seats.sold, 2);
    assert_int_equal(seats.held, 0);
    assert_int_equal(seats.free, 2);
    assert_int_equal(seats.tier_count, 1);
    assert_true(text_is(seats.tiers[0].tier_id, "stalls"));
    assert_good(&reader, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audit__says_the_same_in_any_order),
        cmocka_unit_test(audit__judges_nothing_before_its_cause),
        cmocka_unit_test(audit__wants_no_more_of_what_nobody_passes),
        cmocka_unit_test(audit__survives_whatever_it_is_shown),
        cmocka_unit_test(audit__running__what_is_not_there_yet_is_no_breach),
        cmocka_unit_test(audit__at_rest__what_is_not_there_is_missing),
        cmocka_unit_test(audit__at_rest__a_hold_is_judged_by_the_clock_of_the_log),
        cmocka_unit_test(audit__knows_the_seats),
    };
    return cmocka_run_group_tests(tests, play, end);
}
