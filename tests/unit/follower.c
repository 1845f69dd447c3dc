/* Reading event topics for a view, on the simulated log: what a follower tells, and that it goes on
 * where it stood. */
#include "bus/follower.h"

#include "base/memory.h"
#include "bus/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PARTITIONS = 2 };

/* ---- a log and somebody who writes it -------------------------------------------------------- */

struct house {
    struct sim *sim;
    struct installation installation;
    struct bus *writer;
    struct envelope envelope;
};

static struct bus *enter(struct house *house, bool create)
{
    struct bus_options options = {.client = "test"};
    struct bus_error error;
    struct bus *bus = sim_bus_open(house->sim, &options);
    assert_int_equal(
        installation_open(bus, create, create ? PARTITIONS : 0, &house->installation, &error),
        BUS_OK);
    return bus;
}

static struct house house_open(void)
{
    struct house house = {.sim = sim_new(1, INT64_C(1800000000000))};
    house.writer = enter(&house, true);
    return house;
}

static void house_close(struct house *house)
{
    bus_close(house->writer);
    envelope_release(&house->envelope);
    sim_free(house->sim);
}

static void append(struct house *house, int topic, int partition, const char *header,
                   const char *value)
{
    if (header)
        envelope_header(&house->envelope, header, text_of(value));
    assert_int_equal(
        bus_append(house->writer, topic, partition, envelope_close(&house->envelope), 0), BUS_OK);
}

static void claim(struct house *house, int partition, const char *nonce, const char *installation)
{
    struct message message;
    char mark[64];
    message_init(&message, MESSAGE_Claimed);
    message_set(&message, installation, text_of(installation));
    message_set(&message, partitions, PARTITIONS);
    message_set(&message, service, text_of("shows"));
    message_set(&message, instance, text_of("x"));
    message_set(&message, host, text_of("x"));
    message_set(&message, pid, 1);
    message_set(&message, version, text_of("1"));
    message_set(&message, rules, 1);
    envelope_open(&house->envelope, &message, SPEAKER_bus);
    snprintf(mark, sizeof mark, "%s/%s", nonce, installation);
    append(house, TOPIC_SHOWS_EVENTS, partition, "sd_claim", mark);
}

static void refused(struct house *house, int partition, const char *stamp, const char *detail)
{
    struct message message;
    message_init(&message, MESSAGE_Refused);
    message_set(&message, code, code_invalid);
    message_set(&message, detail, text_of(detail));
    envelope_open(&house->envelope, &message, SPEAKER_shows);
    append(house, TOPIC_SHOWS_EVENTS, partition, "sd_stamp", stamp);
}

static void progress(struct house *house, int partition, const char *stamp)
{
    struct message message;
    message_init(&message, MESSAGE_Progress);
    message_set(&message, service, text_of("shows"));
    envelope_open(&house->envelope, &message, SPEAKER_bus);
    append(house, TOPIC_SHOWS_EVENTS, partition, "sd_stamp", stamp);
}

static void raw(struct house *house, int topic, int partition, const char *type, const char *stamp,
                const char *value)
{
    struct bus_header headers[2] = {{TEXT("ce_type"), text_of(type)},
                                    {TEXT("sd_stamp"), text_of(stamp)}};
    struct bus_record record = {
        .value = text_of(value), .headers = headers, .header_count = stamp ? 2 : 1};
    assert_int_equal(bus_append(house->writer, topic, partition, &record, 0), BUS_OK);
}

/* ---- somebody who reads ---------------------------------------------------------------------- */

struct reader {
    struct bus *bus;
    struct follower *follower;
    struct arena arena;
    char told[4000]; /* news in short, of one partition each */
    char why[200];
};

static struct reader reader_open(struct house *house, const struct fence *positions)
{
    static const int topics[] = {TOPIC_SHOWS_COMMANDS, TOPIC_SHOWS_EVENTS};
    struct reader reader = {.bus = enter(house, false)};
    reader.follower = follower_new(reader.bus, &house->installation, topics, 2, positions);
    return reader;
}

static void reader_close(struct reader *reader)
{
    follower_free(reader->follower);
    struct bus_event event;
    while (bus_poll(reader->bus, 0, &event)) /* nothing is followed any more */
        assert_true(event.type != BUS_RECORD && event.type != BUS_CAUGHT_UP);
    bus_close(reader->bus);
    arena_release(&reader->arena);
}

/* And remembers where it stood. */
static void reader_leave(struct reader *reader, struct fence positions[TOPIC_COUNT * PARTITIONS])
{
    for (int i = 0; i < TOPIC_COUNT * PARTITIONS; i++)
        positions[i] = *follower_position(reader->follower, i / PARTITIONS, i % PARTITIONS);
    reader_close(reader);
}

/* One letter an item; a message tells its detail too. */
static void tell(struct reader *reader, enum follower_news news, const struct follower_item *item)
{
    static const char letters[] = {
        [FOLLOWER_MESSAGE] = 'M', [FOLLOWER_CLAIM] = 'C',   [FOLLOWER_PROGRESS] = 'P',
        [FOLLOWER_VOID] = 'V',    [FOLLOWER_STRANGE] = 'S', [FOLLOWER_LOST] = 'L'};
    size_t size = strlen(reader->told);
    if (news == FOLLOWER_NOTHING)
        return;
    if (item->why)
        snprintf(reader->why, sizeof reader->why, "%s", item->why);
    bool message = news == FOLLOWER_MESSAGE && message_has(&item->message, detail);
    snprintf(reader->told + size, sizeof reader->told - size, "%c%lld%s%.*s ", letters[news],
             (long long)item->place.offset, message ? ":" : "",
             TEXT_PRINT(message ? item->message.detail : text_of("")));
}

/* Polls until all is read, showing the follower everything; `partition` -1: tells all. */
static const char *read_all(struct reader *reader, int topic, int partition)
{
    struct bus_event event;
    reader->told[0] = reader->why[0] = '\0';
    while (bus_poll(reader->bus, 0, &event)) {
        struct follower_item item = {.place = {-1, -1, -1}};
        enum follower_news news = follower_read(reader->follower, &event, &reader->arena, &item);
        if (news != FOLLOWER_NOTHING && event.topic == topic && event.partition == partition)
            tell(reader, news, &item);
        arena_reset(&reader->arena);
    }
    size_t size = strlen(reader->told);
    if (size)
        reader->told[size - 1] = '\0';
    return reader->told;
}

#define EVENTS(reader) read_all(reader, TOPIC_SHOWS_EVENTS, 0)

#define A "000000000000000a"
#define B "000000000000000b"

/* ---- what it tells --------------------------------------------------------------------------- */

static void follower__tells_what_counts(void **state)
{
    struct house house = house_open();
    (void)state;
    claim(&house, 0, A, house.installation.id);
    refused(&house, 0, "1-" A ".1", "one");
    progress(&house, 0, "1-" A ".2");
    refused(&house, 0, "1-" A ".3", "two");
    refused(&house, 0, "1-" A ".3", "again");
    claim(&house, 0, B, house.installation.id);
    refused(&house, 0, "1-" A ".4", "zombie");
    refused(&house, 0, "6-" B ".1", "three");
    struct reader reader = reader_open(&house, NULL);
    assert_false(follower_caught_up(reader.follower));
    assert_string_equal(EVENTS(&reader), "C1 M2:one P3 M4:two V5 C6 V7 M8:three");
    assert_string_equal(reader.why, "of an earlier epoch");
    assert_int_equal(follower_void_count(reader.follower), 2);
    assert_true(follower_caught_up(reader.follower));
    refused(&house, 0, "6-" B ".2", "four");          /* and goes on */
    assert_true(follower_caught_up(reader.follower)); /* as it was when it began */
    assert_string_equal(EVENTS(&reader), "M9:four");
    const struct fence *fence = follower_position(reader.follower, TOPIC_SHOWS_EVENTS, 0);
    assert_true(fence->next == 10 && fence->claim == 6 && fence->nonce == 0xb && fence->n == 2);
    reader_close(&reader);
    house_close(&house);
}

/* The message, its record, its place and its marks. */
/* What is not looked for still counts for the fence. */
static void follower__tells_only_what_holds_the_text(void **state)
{
    struct house house = house_open();
    (void)state;
    claim(&house, 0, A, house.installation.id);
    refused(&house, 0, "1-" A ".1", "one needle");
    refused(&house, 0, "1-" A ".2", "two");
    refused(&house, 0, "1-" A ".4", "a needle behind a gap");
    refused(&house, 0, "1-" A ".9", "behind a gap");
    refused(&house, 0, "1-" A ".3", "three needles");
    raw(&house, TOPIC_SHOWS_EVENTS, 0, "stagedoor.shows.needle", "1-" A ".4", "{}");
    struct reader reader = reader_open(&house, NULL);
    follower_only(reader.follower, text_of("needle"));
    assert_string_equal(EVENTS(&reader), "C1 M2:one needle V4 M6:three needles S7");
    assert_int_equal(follower_void_count(reader.follower), 2);
    reader_close(&reader);
    house_close(&house);
}

static void follower__hands_out_the_whole_item(void **state)
{
    struct house house = house_open();
    struct bus_event event;
    struct follower_item item;
    int messages = 0;
    (void)state;
    claim(&house, 1, A, house.installation.id);
    refused(&house, 1, "1-" A ".1", "one");
    struct reader reader = reader_open(&house, NULL);
    while (bus_poll(reader.bus, 0, &event)) {
        enum follower_news news = follower_read(reader.follower, &event, &reader.arena, &item);
        if (news == FOLLOWER_CLAIM)
            assert_int_equal(item.reading.nonce, 0xa);
        if (news != FOLLOWER_MESSAGE)
            continue;
        messages++;
        assert_true(item.place.topic == TOPIC_SHOWS_EVENTS && item.place.partition == 1 &&
                    item.place.offset == 2);
        assert_ptr_equal(item.record, &event.record);
        assert_int_equal(item.reading.stamp.n, 1);
        assert_int_equal(item.message.type, MESSAGE_Refused);
    }
    assert_int_equal(messages, 1);
    reader_close(&reader);
    house_close(&house);
}

static void follower__commands_have_no_fence(void **state)
{
    struct house house = house_open();
    (void)state;
    raw(&house, TOPIC_SHOWS_COMMANDS, 1, "stagedoor.shows.OpenSale", NULL, "{\"show_id\":\"s\"}");
    raw(&house, TOPIC_SHOWS_COMMANDS, 1, "stagedoor.shows.OpenSale", NULL, "{\"show_id\":7}");
    raw(&house, TOPIC_SHOWS_COMMANDS, 1, "what", NULL, "{}");
    raw(&house, TOPIC_SHOWS_COMMANDS, 1, "stagedoor.shows.PauseSale", NULL, "{\"show_id\":\"s\"}");
    struct reader reader = reader_open(&house, NULL);
    assert_string_equal(read_all(&reader, TOPIC_SHOWS_COMMANDS, 1), "M0 V1 V2 M3");
    assert_string_equal(reader.why, "no message is called 'what'");
    assert_int_equal(follower_void_count(reader.follower), 2);
    assert_int_equal(follower_position(reader.follower, TOPIC_SHOWS_COMMANDS, 1)->next, 4);
    raw(&house, TOPIC_SHOWS_COMMANDS, 1, "stagedoor.shows.OpenSale", NULL, "{\"show_id\":7}");
    read_all(&reader, TOPIC_SHOWS_COMMANDS, 1);
    assert_true(text_starts(text_of(reader.why), "show_id: must be"));
    reader_close(&reader);
    house_close(&house);
}

/* Written by a newer build: a view can go on, and must know that it missed something. */
static void follower__accepted_but_unreadable_is_strange(void **state)
{
    struct house house = house_open();
    (void)state;
    claim(&house, 0, A, house.installation.id);
    raw(&house, TOPIC_SHOWS_EVENTS, 0, "stagedoor.shows.SeatsUpgraded", "1-" A ".1", "{}");
    raw(&house, TOPIC_SHOWS_EVENTS, 0, "stagedoor.shows.SaleOpened", "1-" A ".2", "{}");
    raw(&house, TOPIC_SHOWS_EVENTS, 0, "stagedoor.shows.SeatsUpgraded", "1-" A ".9", "{}");
    refused(&house, 0, "1-" A ".3", "one");
    struct reader reader = reader_open(&house, NULL);
    assert_string_equal(EVENTS(&reader), "C1 S2 S3 V4 M5:one");
    assert_int_equal(follower_void_count(reader.follower), 1);
    reader_close(&reader);
    house_close(&house);
}

static void follower__an_invented_stamp_stalls_nothing(void **state)
{
    struct house house = house_open();
    (void)state;
    claim(&house, 0, A, house.installation.id);
    refused(&house, 0, "1-" A ".1", "one");
    refused(&house, 0, "2-" B ".1", "forged");
    refused(&house, 0, "1-" A ".2", "two");
    refused(&house, 0, "1-" B ".2", "forged");
    struct reader reader = reader_open(&house, NULL);
    assert_string_equal(EVENTS(&reader), "C1 M2:one V3 M4:two V5");
    assert_string_equal(reader.why, "of an epoch that was never claimed");
    assert_int_equal(follower_void_count(reader.follower), 2);
    assert_int_equal(follower_position(reader.follower, TOPIC_SHOWS_EVENTS, 0)->next, 6);
    assert_true(follower_caught_up(reader.follower));
    reader_close(&reader);
    house_close(&house);
}

/* A transaction's marker at the end, say: no record will come to tell that it was reached. */
static void follower__has_caught_up_behind_holes(void **state)
{
    struct house house = house_open();
    (void)state;
    claim(&house, 0, A, house.installation.id);
    sim_hole(house.sim, TOPIC_SHOWS_EVENTS, 0);
    sim_hole(house.sim, TOPIC_SHOWS_EVENTS, 0);
    struct reader reader = reader_open(&house, NULL);
    assert_false(follower_caught_up(reader.follower));
    assert_string_equal(EVENTS(&reader), "C1");
    assert_true(follower_caught_up(reader.follower));
    assert_int_equal(follower_position(reader.follower, TOPIC_SHOWS_EVENTS, 0)->next, 2);
    reader_close(&reader);
    house_close(&house);
}

/* ---- what it gives up on --------------------------------------------------------------------- */

static void follower__a_foreign_claim_is_lost(void **state)
{
    struct house house = house_open();
    (void)state;
    claim(&house, 0, A, house.installation.id);
    claim(&house, 1, A, house.installation.id);
    struct reader reader = reader_open(&house, NULL);
    assert_string_equal(EVENTS(&reader), "C1");
    claim(&house, 0, B, "33333333-3333-4333-8333-333333333333");
    refused(&house, 0, "2-" B ".1", "one");
    assert_string_equal(EVENTS(&reader), "L2");
    assert_string_equal(reader.why, "a claim of another installation");
    assert_string_equal(EVENTS(&reader), ""); /* no longer followed */
    refused(&house, 1, "1-" A ".1", "other");
    assert_string_equal(read_all(&reader, TOPIC_SHOWS_EVENTS, 1), "M2:other"); /* the others are */
    assert_true(follower_caught_up(reader.follower));
    reader_close(&reader);
    house_close(&house);
}

static void follower__topics_of_another_installation_are_lost(void **state)
{
    struct house house = house_open();
    (void)state;
    memset(house.installation.id, '9', 8);
    static const int topics[] = {TOPIC_SHOWS_EVENTS};
    struct bus_options options = {.client = "test"};
    struct bus_error error;
    struct installation right;
    struct reader reader = {.bus = sim_bus_open(house.sim, &options)};
    assert_int_equal(installation_open(reader.bus, false, 0, &right, &error), BUS_OK);
    reader.follower = follower_new(reader.bus, &house.installation, topics, 1, NULL);
    assert_string_equal(EVENTS(&reader), "L0");
    assert_string_equal(reader.why, "the topic belongs to another installation");
    reader_close(&reader);
    house_close(&house);
}

static void follower__a_log_that_was_cut_is_lost(void **state)
{
    struct house house = house_open();
    (void)state;
    claim(&house, 0, A, house.installation.id);
    refused(&house, 0, "1-" A ".1", "one");
    struct reader reader = reader_open(&house, NULL);
    assert_string_equal(EVENTS(&reader), "C1 M2:one");
    sim_truncate(house.sim, TOPIC_SHOWS_EVENTS, 0, 2);
    assert_string_equal(EVENTS(&reader), "L3");
    assert_true(reader.why[0] != '\0');
    reader_close(&reader);
    house_close(&house);
}

/* Cut and written anew while nobody looked: the claim lies where something else was read. */
static void follower__a_log_that_was_written_anew_is_lost(void **state)
{
    struct house house = house_open();
    struct fence positions[TOPIC_COUNT * PARTITIONS];
    (void)state;
    claim(&house, 0, A, house.installation.id);
    refused(&house, 0, "1-" A ".1", "one");
    refused(&house, 0, "1-" A ".2", "two");
    struct reader reader = reader_open(&house, NULL);
    assert_string_equal(EVENTS(&reader), "C1 M2:one M3:two");
    reader_leave(&reader, positions);
    sim_truncate(house.sim, TOPIC_SHOWS_EVENTS, 0, 3);
    claim(&house, 0, B, house.installation.id);
    refused(&house, 0, "3-" B ".1", "anew");
    reader = reader_open(&house, positions);
    assert_string_equal(EVENTS(&reader), "L3");
    assert_string_equal(EVENTS(&reader), "");
    reader_close(&reader);
    house_close(&house);
}

/* Cut below the claim, and grown again beyond where the reader stood, under an older epoch. */
static void follower__a_log_that_grew_without_the_claim_is_lost(void **state)
{
    struct house house = house_open();
    struct fence positions[TOPIC_COUNT * PARTITIONS];
    (void)state;
    claim(&house, 0, A, house.installation.id);
    refused(&house, 0, "1-" A ".1", "one");
    claim(&house, 0, B, house.installation.id);
    struct reader reader = reader_open(&house, NULL);
    assert_string_equal(EVENTS(&reader), "C1 M2:one C3");
    reader_leave(&reader, positions);
    sim_truncate(house.sim, TOPIC_SHOWS_EVENTS, 0, 3);
    refused(&house, 0, "1-" A ".2", "two");
    refused(&house, 0, "1-" A ".3", "three");
    reader = reader_open(&house, positions);
    assert_string_equal(EVENTS(&reader), "L3");
    assert_non_null(strstr(reader.why, "another log"));
    assert_string_equal(EVENTS(&reader), "");
    reader_close(&reader);
    house_close(&house);
}

/* ---- resuming -------------------------------------------------------------------------------- */

static void write_a_long_evening(struct house *house)
{
    char stamp[64], detail[16];
    int64_t epoch = 0;
    int n = 0;
    for (int i = 0; i < 60; i++) {
        if (i % 13 == 0) {
            epoch = sim_end(house->sim, TOPIC_SHOWS_EVENTS, 0);
            claim(house, 0, A, house->installation.id);
            n = 0;
        }
        n += i % 7 != 3; /* now and then one comes twice */
        snprintf(stamp, sizeof stamp, "%lld-" A ".%d", (long long)epoch, n ? n : ++n);
        snprintf(detail, sizeof detail, "d%d", i);
        if (i % 11 == 5)
            progress(house, 0, stamp);
        else
            refused(house, 0, stamp, detail);
    }
}

static void follower__goes_on_where_it_stood(void **state)
{
    struct house house = house_open();
    (void)state;
    write_a_long_evening(&house);
    struct reader whole = reader_open(&house, NULL);
    const char *all = EVENTS(&whole);
    int64_t end = sim_end(house.sim, TOPIC_SHOWS_EVENTS, 0);
    for (int64_t stop = 0; stop <= end; stop++) {
        struct fence positions[TOPIC_COUNT * PARTITIONS];
        struct fence_reading reading;
        struct bus_record record;
        for (int i = 0; i < TOPIC_COUNT * PARTITIONS; i++)
            positions[i] = fence_start();
        struct fence *fence = &positions[TOPIC_SHOWS_EVENTS * PARTITIONS];
        while (fence->next < stop) {
            assert_true(sim_record(house.sim, TOPIC_SHOWS_EVENTS, 0, fence->next, &record));
            fence_read(fence, fence->next, &record, &reading);
        }
        struct reader rest = reader_open(&house, positions);
        const char *told = EVENTS(&rest);
        size_t size = strlen(told), of = strlen(all);
        assert_true(size <= of && (size == of) == (stop < 2));
        assert_string_equal(told, all + of - size); /* the tail of what was told from the start */
        assert_int_equal(follower_position(rest.follower, TOPIC_SHOWS_EVENTS, 0)->next, end);
        assert_true(follower_caught_up(rest.follower));
        reader_close(&rest);
    }
    reader_close(&whole);
    house_close(&house);
}

/* Other events on the same handle are none of its business. */
static void follower__minds_its_own_partitions(void **state)
{
    struct house house = house_open();
    struct reader reader = reader_open(&house, NULL);
    struct follower_item item;
    struct bus_record record = {.value = TEXT("x")};
    struct bus_event event;
    (void)state;
    read_all(&reader, TOPIC_SHOWS_EVENTS, 0);
    bus_append(reader.bus, TOPIC_CHECKOUT_COMMANDS, 0, &record, 7);
    bus_follow(reader.bus, TOPIC_CHECKOUT_COMMANDS, 0, 0);
    int events = 0;
    for (; bus_poll(reader.bus, 0, &event); events++)
        assert_int_equal(follower_read(reader.follower, &event, &reader.arena, &item),
                         FOLLOWER_NOTHING);
    assert_true(events >= 2);
    bus_unfollow(reader.bus, TOPIC_CHECKOUT_COMMANDS, 0);
    follower_free(NULL);
    reader_close(&reader);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follower__tells_what_counts),
        cmocka_unit_test(follower__tells_only_what_holds_the_text),
        cmocka_unit_test(follower__hands_out_the_whole_item),
        cmocka_unit_test(follower__commands_have_no_fence),
        cmocka_unit_test(follower__accepted_but_unreadable_is_strange),
        cmocka_unit_test(follower__an_invented_stamp_stalls_nothing),
        cmocka_unit_test(follower__has_caught_up_behind_holes),
        cmocka_unit_test(follower__a_foreign_claim_is_lost),
        cmocka_unit_test(follower__topics_of_another_installation_are_lost),
        cmocka_unit_test(follower__a_log_that_was_cut_is_lost),
        cmocka_unit_test(follower__a_log_that_was_written_anew_is_lost),
        cmocka_unit_test(follower__a_log_that_grew_without_the_claim_is_lost),
        cmocka_unit_test(follower__goes_on_where_it_stood),
        cmocka_unit_test(follower__minds_its_own_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
