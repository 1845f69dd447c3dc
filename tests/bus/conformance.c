/* The promises of bus.h, one case each, held against every kind of log.
 *
 *     STAGEDOOR_TEST_BACKENDS=sim,slowsim,sqlite,kafka   which; all when unset
 *     STAGEDOOR_TEST_KAFKA=HOST:PORT                     where a broker listens
 *     conformance 'sqlite__*'                            only tests of that name
 *
 *     STAGEDOOR_TEST_SEED=N                              the same dice again
 *
 * slowsim is sim with answers and deliveries that take their time. What only sim can do, its
 * faults, is in tests/unit/sim_bus.c. */
#include "tests/support/claims.h"
#include "tests/support/stage.h"

#include "base/clock.h"
#include "base/prng.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const int both_topics[STAGE_TOPICS] = {ACTS, SCENES};

enum { ALL = (1 << STAGE_PARTITIONS) - 1, HANDOVER_MS = 4000 };

/* ---- what lands ---------------------------------------------------------------------------- */

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

/* The values of a partition are `first`, `first`+1, …: what role_say_lines said. */
static void assert_lines(struct role *reader, int topic, int partition, int first, int count)
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

static void assert_same_text(struct text came, struct text went)
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

/* ---- what stays ---------------------------------------------------------------------------- */

static void acknowledged_records_survive_closing(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    role_say_lines(writer, ACTS, 0, 0, 100);
    UNTIL(stage, writer->appended_count == 100);
    role_close(writer);
    struct role *successor = role_enter(stage, "writer");
    role_say_lines(successor, ACTS, 0, 100, 1);
    role_follow(successor, ACTS, 0, 0);
    UNTIL(stage, successor->record_count == 101);
    assert_lines(successor, ACTS, 0, 0, 101);
}

static void acknowledged_records_survive_kill_9(struct stage *stage)
{
    struct player *writer = player_enter(stage, "writer");
    UNTIL(stage, writer->ready);
    player_say_lines(writer, ACTS, 0, 0, 500);
    UNTIL(stage, player_acknowledged(writer) >= 20);
    player_say_lines(writer, ACTS, 0, 500, 500);
    player_kill(writer);
    uint64_t acknowledged = player_acknowledged(writer);
    struct role *reader = role_enter(stage, "reader");
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->record_count >= (int)acknowledged && reader->caught_up[ACTS][0] >= 0);
    stage_listen(stage, 300);
    assert_lines(reader, ACTS, 0, 0, reader->record_count); /* a beginning, without gaps */
}

static void closing_in_flight_leaves_a_beginning(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    role_follow(writer, ACTS, 1, 0);
    role_say_lines(writer, ACTS, 0, 0, 2000);
    int64_t before_ms = stage_now_ms(stage);
    role_close(writer);
    assert_true(stage_now_ms(stage) - before_ms < 4000);
    struct role *reader = role_enter(stage, "reader");
    stage_listen(stage, 300);
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->caught_up[ACTS][0] >= 0);
    assert_lines(reader, ACTS, 0, 0, reader->record_count);
}

static void closing_is_free_at_any_time(struct stage *stage)
{
    role_close(role_open(stage, "early", stage->prefix));
    struct role *reader = role_enter(stage, "reader");
    for (int p = 0; p < STAGE_PARTITIONS; p++)
        role_follow(reader, ACTS, p, 0);
    role_close(reader);
    struct role *member = role_enter(stage, "member");
    assert_int_equal(bus_join(member->bus, stage->prefix, both_topics, STAGE_TOPICS), BUS_OK);
    role_close(member);
    bus_close(NULL);
}

/* ---- reading ------------------------------------------------------------------------------- */

static void reading_starts_at_any_offset(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    role_say_lines(writer, ACTS, 0, 0, 50);
    UNTIL(stage, writer->appended_count == 50);
    for (int offset = 0; offset <= 50; offset += 10) {
        struct role *reader = role_enter(stage, "reader");
        role_follow(reader, ACTS, 0, offset);
        UNTIL(stage, reader->caught_up[ACTS][0] == 50);
        assert_int_equal(reader->record_count, 50 - offset);
        role_close(reader);
    }
}

static void following_goes_on_while_others_append(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    role_follow(reader, ACTS, 0, 0);
    for (int i = 0; i < 40; i++) {
        role_say_lines(writer, ACTS, 0, i * 10, 10);
        UNTIL(stage, reader->record_count >= i * 10 - 20);
    }
    UNTIL(stage, reader->record_count == 400);
    assert_lines(reader, ACTS, 0, 0, 400);
}

static void following_again_starts_over(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    role_say_lines(writer, ACTS, 0, 0, 200);
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->record_count > 0);
    for (int i = 0; i < 20; i++) {
        role_follow(reader, ACTS, 0, i); /* what was fetched before must not come now */
        int heard = reader->record_count;
        UNTIL(stage, reader->record_count > heard);
    }
    UNTIL(stage, reader->next[ACTS][0] == 200);
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->caught_up[ACTS][0] == 200);
}

static void unfollowing_takes_effect_at_once(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    role_unfollow(reader, ACTS, 3); /* never followed: nothing happens */
    role_say_lines(writer, ACTS, 0, 0, 500);
    role_say_lines(writer, ACTS, 1, 0, 500);
    UNTIL(stage, writer->appended_count == 1000);
    role_follow(reader, ACTS, 0, 0);
    role_follow(reader, ACTS, 1, 0);
    UNTIL(stage, reader->record_count > 0);
    role_unfollow(reader, ACTS, 0); /* the journal fails on anything more of it */
    role_say_lines(writer, ACTS, 0, 500, 10);
    UNTIL(stage, reader->next[ACTS][1] == 500);
    stage_listen(stage, 100);
    role_follow(reader, ACTS, 0, 505);
    UNTIL(stage, reader->next[ACTS][0] == 510);
}

static void caught_up_comes_for_an_empty_partition(struct stage *stage)
{
    struct role *reader = role_enter(stage, "reader");
    for (int p = 0; p < STAGE_PARTITIONS; p++)
        role_follow(reader, SCENES, p, 0);
    UNTIL(stage, reader->caught_up[SCENES][0] == 0 && reader->caught_up[SCENES][1] == 0 &&
                     reader->caught_up[SCENES][2] == 0 && reader->caught_up[SCENES][3] == 0);
}

static void caught_up_comes_after_each_burst(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    role_say_lines(writer, ACTS, 0, 0, 100);
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->caught_up[ACTS][0] == 100);
    role_say_lines(writer, ACTS, 0, 100, 1);
    UNTIL(stage, reader->caught_up[ACTS][0] == 101);
    role_follow(reader, ACTS, 0, 101);
    UNTIL(stage, reader->caught_up[ACTS][0] == 101);
}

static void two_readers_see_the_same(struct stage *stage)
{
    struct role *a = role_enter(stage, "a"), *b = role_enter(stage, "b");
    role_follow(a, ACTS, 0, 0);
    for (int i = 0; i < 200; i++)
        role_say(i % 3 ? a : b, ACTS, 0, "%d", i);
    role_follow(b, ACTS, 0, 0);
    UNTIL(stage, a->record_count == 200 && b->record_count == 200);
    for (int i = 0; i < 200; i++) {
        const struct seen *one = role_record(a, ACTS, 0, i), *other = role_record(b, ACTS, 0, i);
        assert_same_text(one->event.record.value, other->event.record.value);
        assert_int_equal(one->event.record.append_ms, other->event.record.append_ms);
    }
}

static void end_agrees_with_readers(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    int64_t end = -1;
    assert_int_equal(bus_end(reader->bus, ACTS, 0, &end), BUS_OK);
    assert_int_equal(end, 0);
    for (int i = 1; i <= 5; i++) {
        role_say_lines(writer, ACTS, 0, i, 1);
        UNTIL(stage, writer->appended_count == i);
        assert_int_equal(bus_end(reader->bus, ACTS, 0, &end), BUS_OK);
        assert_int_equal(end, i);
    }
    assert_int_equal(bus_end(reader->bus, ACTS, 1, &end), BUS_OK);
    assert_int_equal(end, 0);
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->caught_up[ACTS][0] == 5);
    assert_int_equal(reader->record_count, 5);
}

static void following_beyond_the_end_is_lost(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    role_say_lines(writer, ACTS, 0, 0, 3);
    UNTIL(stage, writer->appended_count == 3);
    role_follow(writer, ACTS, 0, 4);
    UNTIL(stage, writer->lost_count == 1);
    role_say_lines(writer, ACTS, 0, 3, 5); /* it is no longer followed: nothing of this comes */
    UNTIL(stage, writer->appended_count == 8);
    stage_listen(stage, 200);
    role_follow(writer, ACTS, 0, 3);
    UNTIL(stage, writer->record_count == 5);
    role_follow(writer, ACTS, 0, 1000);
    role_follow(writer, ACTS, 0, 7); /* before the answer: the older wish is forgotten */
    UNTIL(stage, writer->record_count == 6);
    stage_listen(stage, 200);
    assert_int_equal(writer->lost_count, 1);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The roles do anything at any time; their journals judge what comes. */
static void anything_in_any_order(struct stage *stage)
{
    struct role *roles[2] = {role_enter(stage, "a"), role_enter(stage, "b")};
    struct prng prng = {stage->seed};
    int64_t said[STAGE_PARTITIONS] = {0}, total = 0;
    for (int i = 0; i < 600; i++) {
        struct role *role = roles[prng_below(&prng, 2)];
        int p = (int)prng_below(&prng, STAGE_PARTITIONS);
        uint64_t deed = prng_below(&prng, 10);
        if (deed < 4) {
            int count = (int)prng_below(&prng, 30);
            role_say_lines(role, ACTS, p, 0, count);
            said[p] += count;
            total += count;
        } else if (deed < 6) {
            /* at most the end that everyone can know of */
            int64_t known = later(later(roles[0]->next[ACTS][p], roles[1]->next[ACTS][p]), 0);
            role_follow(role, ACTS, p, (int64_t)prng_below(&prng, (uint64_t)known + 1));
        } else if (deed < 7) {
            role_unfollow(role, ACTS, p);
        } else {
            stage_listen(stage, (int)prng_below(&prng, 5));
        }
    }
    for (int p = 0; p < STAGE_PARTITIONS; p++) {
        role_follow(roles[0], ACTS, p, 0);
        UNTIL(stage, roles[0]->next[ACTS][p] == said[p]);
    }
    UNTIL(stage, role_unanswered(roles[0]) + role_unanswered(roles[1]) == 0);
    assert_int_equal(roles[0]->appended_count + roles[1]->appended_count, total);
    assert_int_equal(roles[0]->lost_count + roles[1]->lost_count, 0);
}

/* ---- limits -------------------------------------------------------------------------------- */

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

/* ---- topics -------------------------------------------------------------------------------- */

static void another_partition_count_is_refused(struct stage *stage)
{
    role_enter(stage, "first");
    struct role *second = role_open(stage, "second", stage->prefix);
    assert_int_equal(role_topics(second, STAGE_PARTITIONS + 1, true, NULL), BUS_UNFIT);
    struct role *third = role_open(stage, "third", stage->prefix);
    assert_int_equal(role_topics(third, STAGE_PARTITIONS - 1, false, NULL), BUS_UNFIT);
}

static void a_missing_topic_is_refused(struct stage *stage)
{
    struct role *early = role_open(stage, "early", stage->prefix);
    assert_int_equal(role_topics(early, STAGE_PARTITIONS, false, NULL), BUS_UNFIT);
    struct role *creator = role_open(stage, "creator", stage->prefix);
    bool created = false;
    assert_int_equal(role_topics(creator, STAGE_PARTITIONS, true, &created), BUS_OK);
    assert_true(created); /* the refused one has made nothing */
}

static void partition_count_0_takes_what_is_there(struct stage *stage)
{
    role_enter(stage, "creator");
    struct role *guest = role_open(stage, "guest", stage->prefix);
    bool created = true;
    assert_int_equal(role_topics(guest, 0, false, &created),
                     BUS_OK); /* checks that it is written */
    assert_false(created);
}

static void one_of_several_creators_has_created(struct stage *stage)
{
    struct player *players[STAGE_PLAYERS];
    for (int i = 0; i < STAGE_PLAYERS; i++)
        players[i] = player_enter(stage, (const char *[]){"a", "b", "c", "d"}[i]);
    int created = 0;
    for (int i = 0; i < STAGE_PLAYERS; i++) {
        UNTIL(stage, players[i]->ready);
        created += players[i]->created;
    }
    assert_int_equal(created, 1);
}

static void prefixes_separate(struct stage *stage)
{
    struct role *here = role_enter(stage, "here");
    char elsewhere[64];
    snprintf(elsewhere, sizeof elsewhere, "%sother.", stage->prefix);
    struct role *there = role_open(stage, "there", elsewhere);
    bool created = false;
    assert_int_equal(role_topics(there, STAGE_PARTITIONS, true, &created), BUS_OK);
    assert_true(created);
    role_say(here, ACTS, 0, "here");
    role_follow(there, ACTS, 0, 0);
    UNTIL(stage, here->appended_count == 1 && there->caught_up[ACTS][0] == 0);
    stage_listen(stage, 100);
    assert_int_equal(there->record_count, 0);
}

/* ---- membership ---------------------------------------------------------------------------- */

static struct role *join(struct stage *stage, const char *name)
{
    struct role *member = role_enter(stage, name);
    assert_int_equal(bus_join(member->bus, stage->prefix, both_topics, STAGE_TOPICS), BUS_OK);
    return member;
}

static struct player *join_player(struct stage *stage, const char *name)
{
    struct player *player = player_enter(stage, name);
    UNTIL(stage, player->ready);
    player_join(player, stage->prefix);
    return player;
}

static bool shared(unsigned a, unsigned b)
{
    return a && b && (a & b) == 0 && (a | b) == ALL;
}

static void one_member_gets_all(struct stage *stage)
{
    struct role *only = join(stage, "only");
    UNTIL(stage, role_owned(only) == ALL);
    assert_int_equal(only->changed_count,
                     STAGE_PARTITIONS); /* one event per number, not per topic */
}

static void two_members_share(struct stage *stage)
{
    struct role *a = join(stage, "a");
    UNTIL(stage, role_owned(a) == ALL);
    struct role *b = join(stage, "b");
    UNTIL(stage, shared(role_owned(a), role_owned(b)));
    stage_listen(stage, 500);
    assert_true(shared(role_owned(a), role_owned(b)));
}

static void leaving_hands_over_at_once(struct stage *stage)
{
    struct role *a = join(stage, "a"), *b = join(stage, "b");
    UNTIL(stage, shared(role_owned(a), role_owned(b)));
    int64_t before_ms = stage_now_ms(stage);
    bus_leave(b->bus);
    assert_true(stage_now_ms(stage) - before_ms < 4000);
    UNTIL_WITHIN(stage, HANDOVER_MS, role_owned(a) == ALL && role_owned(b) == 0);
    assert_true(stage_now_ms(stage) - before_ms < STAGE_SESSION_MS);
    role_close(b);
}

static void a_killed_member_is_replaced_after_its_session(struct stage *stage)
{
    struct role *a = join(stage, "a");
    struct player *b = join_player(stage, "b");
    UNTIL(stage, shared(role_owned(a), player_owned(b)));
    int64_t before_ms = stage_now_ms(stage);
    player_kill(b);
    UNTIL(stage, role_owned(a) == ALL);
    int64_t passed_ms = stage_now_ms(stage) - before_ms;
    assert_in_range(passed_ms, STAGE_SESSION_MS / 2, STAGE_SESSION_MS * 2);
}

static void a_killed_member_comes_back_to_its_place(struct stage *stage)
{
    struct role *a = join(stage, "a");
    struct player *b = join_player(stage, "b");
    UNTIL(stage, shared(role_owned(a), player_owned(b)));
    unsigned had = player_owned(b);
    int changed = a->changed_count;
    player_kill(b);
    struct player *again = join_player(stage, "b");
    UNTIL_WITHIN(stage, HANDOVER_MS, player_owned(again) == had);
    stage_listen(stage, 300);
    assert_int_equal(a->changed_count, changed); /* the others notice nothing */
}

static void a_closed_member_keeps_its_place(struct stage *stage)
{
    struct role *a = join(stage, "a"), *b = join(stage, "b");
    UNTIL(stage, shared(role_owned(a), role_owned(b)));
    unsigned had = role_owned(b);
    int changed = a->changed_count;
    role_close(b);
    struct role *again = join(stage, "b");
    UNTIL_WITHIN(stage, HANDOVER_MS, role_owned(again) == had);
    stage_listen(stage, 300);
    assert_int_equal(a->changed_count, changed);
}

static bool each_has_one_owner(const struct role *a, const struct role *b, const struct role *c)
{
    unsigned x = role_owned(a), y = role_owned(b), z = c ? role_owned(c) : 0;
    return (x & y) == 0 && (x & z) == 0 && (y & z) == 0 && (x | y | z) == ALL;
}

static void members_come_and_go(struct stage *stage)
{
    struct role *a = join(stage, "a"), *b = join(stage, "b"), *c = join(stage, "c");
    UNTIL(stage, each_has_one_owner(a, b, c) && role_owned(a) && role_owned(b) && role_owned(c));
    bus_leave(b->bus);
    role_close(b);
    UNTIL_WITHIN(stage, HANDOVER_MS, shared(role_owned(a), role_owned(c)));
    role_close(c); /* keeps its place */
    b = join(stage, "b");
    c = join(stage, "c");
    UNTIL(stage, each_has_one_owner(a, b, c) && role_owned(a) && role_owned(b) && role_owned(c));
    stage_listen(stage, 500);
    assert_true(each_has_one_owner(a, b, c));
}

static void two_groups_do_not_share(struct stage *stage)
{
    char other[64];
    snprintf(other, sizeof other, "%sunderstudies", stage->prefix);
    struct role *a = join(stage, "a"), *b = role_enter(stage, "b");
    assert_int_equal(bus_join(b->bus, other, both_topics, STAGE_TOPICS), BUS_OK);
    UNTIL(stage, role_owned(a) == ALL && role_owned(b) == ALL);
    stage_listen(stage, 300);
    assert_int_equal(a->changed_count + b->changed_count, 2 * STAGE_PARTITIONS);
}

static void two_installations_do_not_share(struct stage *stage)
{
    char elsewhere[64];
    snprintf(elsewhere, sizeof elsewhere, "%sother.", stage->prefix);
    struct role *here = role_enter(stage, "same"), *there = role_open(stage, "same", elsewhere);
    assert_int_equal(role_topics(there, STAGE_PARTITIONS, true, NULL), BUS_OK);
    assert_int_equal(bus_join(here->bus, "players", both_topics, STAGE_TOPICS), BUS_OK);
    assert_int_equal(bus_join(there->bus, "players", both_topics, STAGE_TOPICS), BUS_OK);
    UNTIL(stage, role_owned(here) == ALL && role_owned(there) == ALL);
    stage_listen(stage, 300);
    assert_int_equal(here->changed_count + there->changed_count, 2 * STAGE_PARTITIONS);
}

static void members_also_read_and_append(struct stage *stage)
{
    struct role *a = join(stage, "a"), *b = join(stage, "b");
    UNTIL(stage, shared(role_owned(a), role_owned(b)));
    role_follow(a, ACTS, 0, 0);
    role_say_lines(b, ACTS, 0, 0, 50);
    UNTIL(stage, a->record_count == 50 && b->appended_count == 50);
    assert_int_equal(b->record_count, 0); /* membership alone delivers nothing */
}

/* ---- waiting: only where there is a clock -------------------------------------------------- */

static void settle(struct role *role)
{
    struct bus_event event;
    while (bus_poll(role->bus, 200, &event))
        ;
}

static void polling_waits_no_longer_than_asked(struct stage *stage)
{
    struct role *role = role_enter(stage, "role");
    struct bus_event event;
    settle(role);
    int64_t before_ms = clock_monotonic_ms();
    assert_false(bus_poll(role->bus, 0, &event));
    assert_in_range(clock_monotonic_ms() - before_ms, 0, 100);
    before_ms = clock_monotonic_ms();
    assert_false(bus_poll(role->bus, 400, &event));
    assert_in_range(clock_monotonic_ms() - before_ms, 350, 1000);
}

struct waker {
    struct bus *bus;
    int delay_ms;
};

static void *wake(void *argument)
{
    struct waker *waker = argument;
    usleep((useconds_t)waker->delay_ms * 1000); /* so that the poll is in progress, or not yet */
    bus_wake(waker->bus);
    return NULL;
}

static void waking_makes_polling_return(struct stage *stage)
{
    struct role *role = role_enter(stage, "role");
    struct bus_event event;
    settle(role);
    for (int i = 0; i < 10; i++) {
        struct waker waker = {role->bus, i % 2 ? 30 : 0};
        pthread_t thread;
        int64_t before_ms = clock_monotonic_ms();
        assert_int_equal(pthread_create(&thread, NULL, wake, &waker), 0);
        assert_false(bus_poll(role->bus, 10000, &event));
        pthread_join(thread, NULL);
        assert_in_range(clock_monotonic_ms() - before_ms, 0, 2000);
    }
    bus_wake(role->bus); /* nobody polls: the next one returns */
    int64_t before_ms = clock_monotonic_ms();
    assert_false(bus_poll(role->bus, 10000, &event));
    assert_in_range(clock_monotonic_ms() - before_ms, 0, 1000);
    before_ms = clock_monotonic_ms();
    assert_false(bus_poll(role->bus, 300, &event)); /* and only that one */
    assert_in_range(clock_monotonic_ms() - before_ms, 250, 1000);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* From another process's append to our poll's return; both read the same monotonic clock. */
static void an_append_elsewhere_wakes_the_reader(struct stage *stage)
{
    enum { ROUNDS = 40 };
    int64_t took_us[ROUNDS];
    struct player *writer = player_enter(stage, "writer");
    UNTIL(stage, writer->ready);
    struct role *reader = role_enter(stage, "reader");
    settle(reader);
    bus_follow(reader->bus, ACTS, 0, 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct bus_event event = {.type = BUS_CAUGHT_UP};
        player_say_time(writer, ACTS, 0);
        while (event.type != BUS_RECORD) {
            int64_t before_ms = clock_monotonic_ms();
            if (!bus_poll(reader->bus, 10000, &event))
                fail_msg("nothing came in %lld ms", (long long)(clock_monotonic_ms() - before_ms));
        }
        char text[32] = "";
        memcpy(text, event.record.value.data, event.record.value.size);
        took_us[i] = clock_monotonic_us() - atoll(text);
    }
    qsort(took_us, ROUNDS, sizeof took_us[0], by_value);
    print_message("             append to another process's poll: p50 %lld us, slowest %lld us\n",
                  (long long)took_us[ROUNDS / 2], (long long)took_us[ROUNDS - 1]);
    assert_in_range(took_us[ROUNDS / 2], 0, 100000);
    assert_in_range(took_us[ROUNDS - 2], 0, 1000000); /* one slow round is the machine's */
}

/* ---- the list ------------------------------------------------------------------------------ */

enum where { ANYWHERE, REAL };

struct play {
    const char *name;
    void (*run)(struct stage *);
    enum where where;
};

#define PLAY(function, where)                                                                      \
    {                                                                                              \
#function, function, where                                                                 \
    }

static const struct play plays[] = {
    PLAY(offsets_start_at_0_and_grow_by_one, ANYWHERE),
    PLAY(appends_land_in_the_order_of_the_calls, ANYWHERE),
    PLAY(bytes_come_back_as_they_went_in, ANYWHERE),
    PLAY(records_carry_the_logs_time, ANYWHERE),
    PLAY(every_append_is_answered_once, ANYWHERE),
    PLAY(two_writers_each_keep_their_order, ANYWHERE),
    PLAY(acknowledged_records_survive_closing, ANYWHERE),
    PLAY(acknowledged_records_survive_kill_9, ANYWHERE),
    PLAY(closing_in_flight_leaves_a_beginning, ANYWHERE),
    PLAY(closing_is_free_at_any_time, ANYWHERE),
    PLAY(reading_starts_at_any_offset, ANYWHERE),
    PLAY(following_goes_on_while_others_append, ANYWHERE),
    PLAY(following_again_starts_over, ANYWHERE),
    PLAY(unfollowing_takes_effect_at_once, ANYWHERE),
    PLAY(caught_up_comes_for_an_empty_partition, ANYWHERE),
    PLAY(caught_up_comes_after_each_burst, ANYWHERE),
    PLAY(two_readers_see_the_same, ANYWHERE),
    PLAY(end_agrees_with_readers, ANYWHERE),
    PLAY(following_beyond_the_end_is_lost, ANYWHERE),
    PLAY(of_two_claimants_the_later_counts, ANYWHERE),
    PLAY(a_late_append_after_a_newer_claim_is_void, ANYWHERE),
    PLAY(a_lost_suffix_stays_void_until_the_next_claim, ANYWHERE),
    PLAY(anything_in_any_order, ANYWHERE),
    PLAY(a_full_queue_takes_more_later, ANYWHERE),
    PLAY(what_is_too_large_is_invalid, ANYWHERE),
    PLAY(what_is_unknown_is_invalid, ANYWHERE),
    PLAY(another_partition_count_is_refused, ANYWHERE),
    PLAY(a_missing_topic_is_refused, ANYWHERE),
    PLAY(partition_count_0_takes_what_is_there, ANYWHERE),
    PLAY(one_of_several_creators_has_created, ANYWHERE),
    PLAY(prefixes_separate, ANYWHERE),
    PLAY(one_member_gets_all, ANYWHERE),
    PLAY(two_members_share, ANYWHERE),
    PLAY(leaving_hands_over_at_once, ANYWHERE),
    PLAY(a_killed_member_is_replaced_after_its_session, ANYWHERE),
    PLAY(a_killed_member_comes_back_to_its_place, ANYWHERE),
    PLAY(a_closed_member_keeps_its_place, ANYWHERE),
    PLAY(members_come_and_go, ANYWHERE),
    PLAY(two_groups_do_not_share, ANYWHERE),
    PLAY(two_installations_do_not_share, ANYWHERE),
    PLAY(members_also_read_and_append, ANYWHERE),
    PLAY(polling_waits_no_longer_than_asked, REAL),
    PLAY(waking_makes_polling_return, REAL),
    PLAY(an_append_elsewhere_wakes_the_reader, REAL),
};

static bool sqlite_url(char *url, size_t size, const char *folder)
{
    return snprintf(url, size, "sqlite:%s/stage.db", folder) < (int)size;
}

static bool kafka_url(char *url, size_t size, const char *folder)
{
    (void)folder;
    const char *address = getenv("STAGEDOOR_TEST_KAFKA");
    if (!address)
        print_error(
            "STAGEDOOR_TEST_KAFKA is not set: name a broker as HOST:PORT, or leave kafka out "
            "with STAGEDOOR_TEST_BACKENDS=sim,slowsim,sqlite\n");
    return address && snprintf(url, size, "kafka://%s", address) < (int)size;
}

static const struct stage_backend backends[] = {
    {.name = "sim", .simulated = true},
    {.name = "slowsim",
     .simulated = true,
     .faults = {.acknowledgement_ms = 60, .delivery_delayed = 50, .delay_ms = 80}},
    {.name = "sqlite", .url = sqlite_url},
    {.name = "kafka", .url = kafka_url},
};

enum { PLAYS = sizeof plays / sizeof plays[0], BACKENDS = sizeof backends / sizeof backends[0] };

struct evening {
    const struct play *play;
    const struct stage_backend *backend;
    struct stage *stage;
    char name[96];
};

static int open_evening(void **state)
{
    struct evening *evening = *state;
    evening->stage = stage_open(evening->backend);
    return 0;
}

static void run_evening(void **state)
{
    struct evening *evening = *state;
    evening->play->run(evening->stage);
}

static int close_evening(void **state)
{
    struct evening *evening = *state;
    stage_close(evening->stage);
    evening->stage = NULL;
    return 0;
}

/* Whether the comma-separated list in the environment names it, or there is none. */
static bool wanted(const char *name)
{
    struct text list = text_of(getenv("STAGEDOOR_TEST_BACKENDS"));
    if (list.size == 0)
        return true;
    while (list.size)
        if (text_is(text_cut(&list, ','), name))
            return true;
    return false;
}

static bool fits(const struct play *play, const struct stage_backend *backend)
{
    return play->where == ANYWHERE || !backend->simulated;
}

int main(int count, char **arguments)
{
    static struct evening evenings[BACKENDS * PLAYS];
    static struct CMUnitTest tests[BACKENDS * PLAYS];
    size_t test_count = 0;
    if (count == 5 && strcmp(arguments[1], "player") == 0)
        return player_main(arguments + 2);
    if (count == 2)
        cmocka_set_test_filter(arguments[1]);
    for (int b = 0; b < BACKENDS; b++)
        for (int p = 0; p < PLAYS && wanted(backends[b].name); p++) {
            if (!fits(&plays[p], &backends[b]))
                continue;
            struct evening *evening = &evenings[test_count];
            *evening = (struct evening){&plays[p], &backends[b], NULL, ""};
            snprintf(evening->name, sizeof evening->name, "%s__%s", backends[b].name,
                     plays[p].name);
            tests[test_count++] = (struct CMUnitTest){evening->name, run_evening, open_evening,
                                                      close_evening, evening};
        }
    if (test_count == 0) {
        fprintf(stderr,
                "STAGEDOOR_TEST_BACKENDS='%s' names no backend; there are sim, slowsim, "
                "sqlite and kafka\n",
                getenv("STAGEDOOR_TEST_BACKENDS"));
        return 1;
    }
    return _cmocka_run_group_tests("conformance", tests, test_count, NULL, NULL);
}
